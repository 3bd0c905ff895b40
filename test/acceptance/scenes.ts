// What has gone wrong on the stage: workloads and how their pods fail, and the alerts that tell of it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { behaviour, NAMESPACE, type Wish, workload } from '../acting.ts'
import { temporaryFolder } from '../temporary.ts'
import type { Alerted, Stage, Wishes } from './stage.ts'
import { stage } from './stage.ts'

type Manifest = Readonly<Record<string, unknown>>

const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } }
export const image = (name: string, version: number, more: Manifest = {}): Manifest => ({ name: 'app', image: `shop/${name}:${version}`, resources, ...more })
export const deployment = (name: string, version: number, more: Wish = {}): Manifest => workload('Deployment', name, { replicas: 3, containers: [image(name, version)], ...more })
export const crashes = (name: string, version: number, more: Manifest = {}): Manifest =>
  behaviour(`${name}-${version}-crashes`, { labels: { app: name }, image: `*/${name}:${version}`, ...more }, { fail: 'crash', logs: 'panic: index out of range' })

export const alertOf = (alertname: string, labels: Readonly<Record<string, string>>, more: Partial<Alerted> = {}): Alerted => ({
  labels: { alertname, namespace: NAMESPACE, severity: 'warning', ...labels },
  ...more,
})

const TROUBLE = /CrashLoopBackOff|OOMKilled|ErrImagePull|ImagePullBackOff|"exitCode"/
/** The pods of an app that are to stay, and whether they fail: also between two crashes. */
export function podsOf(on: Stage, app: string): readonly { readonly name: string; readonly failing: boolean }[] {
  return on.practice.store
    .peekAll('Pod', NAMESPACE)
    .filter(({ metadata }) => metadata.labels?.['app'] === app && metadata.deletionTimestamp === undefined)
    .map((pod) => ({ name: pod.metadata.name, failing: !isReady(pod) && TROUBLE.test(JSON.stringify(pod)) }))
}
export function failingPod(on: Stage, app: string): string {
  const found = podsOf(on, app).find(({ failing }) => failing)
  if (!found) throw new Error(`no pod of ${app} fails`)
  return found.name
}
export const crashLooping = (on: Stage, app: string, more: Partial<Alerted> = {}): Alerted =>
  alertOf('KubePodCrashLooping', { pod: failingPod(on, app), container: 'app', reason: 'CrashLoopBackOff' }, more)

export async function untilFailing(on: Stage, app: string): Promise<void> {
  await on.ports.until(() => podsOf(on, app).some(({ failing }) => failing), 30_000)
  // An alert of a crash loop comes after many of them: one restart is none yet.
  await on.ports.advance(1_500)
}

/** Each app ran well with revision 1 until revision 2, which crashes, was deployed a moment ago. */
export async function badDeploys(apps: readonly string[], wishes: Wishes = {}): Promise<Stage> {
  const on = await stage({
    ...wishes,
    manifests: [...apps.flatMap((app) => [deployment(app, 1), crashes(app, 2)]), ...(wishes.manifests ?? [])],
  })
  await on.ports.advance(3_000)
  for (const app of apps) redeploy(on, app, 2)
  for (const app of apps) await untilFailing(on, app)
  return on
}
export const badDeploy = (wishes: Wishes = {}): Promise<Stage> => badDeploys(['web'], wishes)

/** As a person with kubectl: only the image changes. */
export function redeploy(on: Stage, app: string, version: number): void {
  const found = on.practice.store.get('Deployment', NAMESPACE, app)
  if (!found) throw new Error(`there is no Deployment ${app}`)
  const text = JSON.stringify(found).replaceAll(new RegExp(`shop/${app}:\\d+`, 'g'), `shop/${app}:${version}`)
  on.practice.store.update(JSON.parse(text))
}
export function imageOf(on: Stage, app: string): string {
  return /"image":"([^"]+)"/.exec(JSON.stringify(on.practice.store.peek('Deployment', NAMESPACE, app)?.['spec']))?.[1] ?? ''
}

/** Until every pod of the app works, on this revision. */
export async function untilWell(on: Stage, app: string, version: number, limitMs = 30_000): Promise<void> {
  const well = () => podsOf(on, app).every(({ failing }) => !failing) && imageOf(on, app) === `shop/${app}:${version}` && ready(on, app).length === podsOf(on, app).length
  await on.ports.until(well, limitMs)
}
const isReady = (pod: unknown): boolean => /"type":"Ready","status":"True"/.test(JSON.stringify(pod))
const ready = (on: Stage, app: string) => on.practice.store.peekAll('Pod', NAMESPACE).filter((pod) => pod.metadata.labels?.['app'] === app && isReady(pod))
/** A pod of the app that is not ready. */
export function stuckPod(on: Stage, app: string): string {
  const found = on.practice.store.peekAll('Pod', NAMESPACE).find((pod) => pod.metadata.labels?.['app'] === app && !isReady(pod))
  if (!found) throw new Error(`all pods of ${app} are ready`)
  return found.metadata.name
}

/** A folder with one file of rules. */
export function rulesFolder(file: string, text: string): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, file), text)
  return folder
}

/** One of three pods fails from its start; the two others work. */
export async function onePodFails(fail: 'hang' | 'crash', wishes: Wishes = {}): Promise<Stage> {
  const on = await stage({
    ...wishes,
    manifests: [
      workload('StatefulSet', 'worker', { replicas: 3, containers: [image('worker', 1)], spec: { podManagementPolicy: 'Parallel' } }),
      behaviour('stuck', { labels: { app: 'worker' }, podsStuck: 1 }, { fail }),
      ...(wishes.manifests ?? []),
    ],
  })
  await on.ports.advance(5_000)
  return on
}

/** What the cluster remembers, oldest first. */
export function ledgerOf(on: Stage): readonly unknown[] {
  const found: unknown = on.practice.store.peek('ConfigMap', NAMESPACE, 'alerts-slm-ledger')
  if (typeof found !== 'object' || found === null || !('data' in found) || typeof found.data !== 'object' || found.data === null) return []
  return Object.values(found.data).map((text): unknown => JSON.parse(String(text)))
}

/** Revision 7 half works, and pods of revision 6 do not start any more: going back looks right and makes it worse. */
export async function rollbackMakesWorse(wishes: Wishes = {}): Promise<Stage> {
  const on = await stage({
    ...wishes,
    manifests: [
      deployment('reports', 6, { replicas: 4, spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 2 } } } }),
      behaviour('a', { labels: { app: 'reports' }, image: '*/reports:6', podsStuck: 4 }, {}),
      behaviour('b', { labels: { app: 'reports' }, image: '*/reports:6' }, { fail: 'crash', logs: 'schema 7 is newer than this program' }),
      behaviour('c', { labels: { app: 'reports' }, image: '*/reports:7', podsStuck: 1 }, { fail: 'crash' }),
      behaviour('d', { labels: { app: 'reports' }, image: '*/reports:7' }, { fail: 'neverReady' }),
    ],
  })
  await on.ports.advance(3_000)
  redeploy(on, 'reports', 7)
  await untilFailing(on, 'reports')
  await on.ports.advance(1_000)
  return on
}
