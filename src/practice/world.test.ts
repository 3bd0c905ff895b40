import { afterEach, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { type ManualPorts, manualPorts } from '../../test/manual-ports.ts'
import type { Labels } from '../domain/alert.ts'
import { compareHealth } from '../domain/health.ts'
import type { Health } from '../domain/plan.ts'
import type { Http } from '../domain/ports.ts'
import { get, list } from './controllers/cluster.ts'
import { bareTemplate, isReady } from './controllers/pods.ts'
import { differences, type Ending, type Incident, readIncidents } from './incidents.ts'
import { makePractice, type Practice } from './server.ts'
import { isAbout, startWorld, type World } from './world.ts'

const bodySchema = z.object({ alerts: z.array(z.object({ status: z.string(), labels: z.record(z.string(), z.string()), fingerprint: z.string() })) })
interface Told {
  readonly at: number
  readonly status: string
  readonly labels: Labels
  readonly from: string | undefined
}
interface Scene {
  readonly ports: ManualPorts
  readonly practice: Practice
  readonly world: World
  readonly told: Told[]
}
let incidents: readonly Incident[] = []
let running: World | undefined
beforeAll(async () => {
  incidents = await readIncidents()
})
afterEach(() => running?.stop())

function scene(...names: readonly string[]): Scene {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  const told: Told[] = []
  const http: Http = async ({ body = '', headers }) => {
    for (const { status, labels } of bodySchema.parse(JSON.parse(body)).alerts) told.push({ at: ports.clock.elapsed(), status, labels, from: headers?.['authorization'] })
    return { status: 200, headers: {}, text: async () => '', async *chunks() {} }
  }
  const chosen = names.length > 0 ? incidents.filter(({ name }) => names.includes(name)) : incidents
  running = startWorld({ practice, ports, incidents: chosen, namespace: 'shop', webhook: { url: 'http://sidecar/alerts', http, token: 't' } })
  return { ports, practice, world: running, told }
}
const heard = ({ told }: Scene, alert: string, status = 'firing') => told.filter(({ labels, status: s }) => labels['alertname'] === alert && s === status)

/** What `kubectl rollout undo` does. */
function rollBack({ practice: { store } }: Scene, name: string): void {
  const deployment = get(store, 'Deployment', 'shop', name)
  const revision = (set: { readonly metadata: { readonly annotations?: Record<string, string> } }) => Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'])
  const sets = list(store, 'ReplicaSet', 'shop').filter((set) => set.metadata.ownerReferences?.[0]?.name === name)
  const previous = sets.sort((a, b) => revision(b) - revision(a))[1]
  if (!deployment?.spec || !previous?.spec?.template) throw new Error(`${name} has nothing to go back to`)
  const changed = { ...deployment, spec: { ...deployment.spec, template: bareTemplate(previous.spec.template) } }
  store.update(changed)
}
function health({ practice: { store } }: Scene, name: string): Health {
  const status = get(store, 'Deployment', 'shop', name)?.status
  const desired = get(store, 'Deployment', 'shop', name)?.spec?.replicas ?? 0
  const pods = list(store, 'Pod', 'shop').filter((pod) => pod.metadata.labels?.['app'] === name && !pod.metadata.deletionTimestamp)
  const failing = pods.filter((pod) => pod.status?.containerStatuses?.some(({ state, restartCount }) => state?.waiting?.reason === 'CrashLoopBackOff' || restartCount > 1)).length
  const available = status?.availableReplicas ?? 0
  const good = available === desired && failing === 0 && status?.updatedReplicas === desired
  return { exists: true, desired, ready: available, available, updated: status?.updatedReplicas ?? 0, failing, restarts: 0, rolledOut: good, good, why: '' }
}

test('every incident raises the alerts that it is about, in the namespace, and nothing else fires for workloads that are well', async () => {
  const s = scene()
  await s.ports.advance(9_000)
  for (const incident of incidents) {
    const first = [incident.expect[0]?.alert ?? ''].flat()[0] ?? ''
    expect
      .soft(
        heard(s, first).some(({ labels }) => isAbout(incident, labels)),
        `${incident.name}: ${first}`,
      )
      .toBe(true)
  }
  expect(new Set(s.told.map(({ labels }) => labels['namespace']))).toEqual(new Set(['shop']))
  const web = incidents.find(({ name }) => name === 'web')
  expect(new Set(s.told.filter(({ labels }) => web && isAbout(web, labels)).map(({ labels }) => labels['alertname']))).toEqual(new Set(['KubeHpaMaxedOut']))
  expect(s.told[0]?.from).toBe('Bearer t')
})

test('a world in which nobody acts becomes quiet, and is not while an alert waits to be told', async () => {
  const s = scene('checkout', 'billing', 'nightly')
  await s.ports.advance(1_000)
  expect(s.world.quiet()).toBe(false)
  await s.ports.until(() => s.world.quiet(), 30_000)
  const { length } = s.world.alertmanager.attempts
  expect(length).toBeGreaterThan(0)
})

test('checkout: going back to the healthy revision ends the alert', async () => {
  const s = scene('checkout')
  await s.ports.until(() => heard(s, 'KubePodCrashLooping').length > 0, 10_000)
  expect(health(s, 'checkout')).toMatchObject({ good: false, available: 3 })
  rollBack(s, 'checkout')
  await s.ports.until(() => heard(s, 'KubePodCrashLooping', 'resolved').length > 0, 10_000)
  expect(health(s, 'checkout').good).toBe(true)
})

test('reports: going back makes it worse, and undoing that makes it well', async () => {
  const s = scene('reports')
  await s.ports.until(() => heard(s, 'KubePodCrashLooping').length > 0, 10_000)
  const before = health(s, 'reports')
  expect(before).toMatchObject({ available: 2, failing: 1 })
  rollBack(s, 'reports')
  await s.ports.advance(3_000)
  const after = health(s, 'reports')
  expect(compareHealth(before, after)).toBe('worse')
  rollBack(s, 'reports')
  await s.ports.advance(3_000)
  expect(health(s, 'reports').good).toBe(true)
})

test.each(['search', 'cache', 'worker'])('%s: ending the stuck pod heals the workload', async (name) => {
  const s = scene(name)
  await s.ports.until(() => heard(s, 'KubePodNotReady').length > 0, 10_000)
  const stuck = list(s.practice.store, 'Pod', 'shop').filter((pod) => !isReady(pod))
  expect(stuck.map((pod) => pod.metadata.name)).toEqual([heard(s, 'KubePodNotReady')[0]?.labels['pod']])
  s.practice.store.remove('Pod', 'shop', stuck[0]?.metadata.name ?? '')
  await s.ports.until(() => heard(s, 'KubePodNotReady', 'resolved').length > 0, 10_000)
  expect(list(s.practice.store, 'Pod', 'shop').filter(isReady)).toHaveLength(3)
})

test('cache: both Alertmanagers deliver the same alert; search: only one does', async () => {
  const s = scene('cache', 'search')
  await s.ports.until(() => s.world.quiet(), 10_000)
  const first = (pod: string) =>
    s.told.filter(({ labels }) => labels['alertname'] === 'KubePodNotReady' && labels['pod']?.startsWith(pod)).filter(({ at }, _, all) => at === all[0]?.at)
  expect(first('cache')).toHaveLength(2)
  expect(first('search')).toHaveLength(1)
})

test('payments: enough memory ends the OOM kills', async () => {
  const s = scene('payments')
  await s.ports.until(() => heard(s, 'KubeContainerOOMKilled').length > 0, 10_000)
  const now = get(s.practice.store, 'Deployment', 'shop', 'payments')
  const spec = structuredClone(now?.spec)
  const container = spec?.template.spec?.containers[0]
  if (!now || !spec || !container) throw new Error('payments is not there')
  container.resources = { limits: { memory: '576Mi' } }
  const raised = { ...now, spec }
  s.practice.store.update(raised)
  await s.ports.until(() => heard(s, 'KubeContainerOOMKilled', 'resolved').length > 0 && health(s, 'payments').good, 10_000)
})

test('emails: the second bad deploy comes after the first was rolled back, and heals by itself', async () => {
  const s = scene('emails')
  await s.ports.until(() => heard(s, 'KubePodCrashLooping').length > 0, 10_000)
  await s.ports.advance(20_000)
  const image = () => get(s.practice.store, 'Deployment', 'shop', 'emails')?.spec?.template.spec?.containers[0]?.image
  expect(image()).toMatch(/:2$/)
  rollBack(s, 'emails')
  await s.ports.until(() => heard(s, 'KubePodCrashLooping', 'resolved').length > 0, 10_000)
  s.told.length = 0
  await s.ports.until(() => heard(s, 'KubePodCrashLooping').length > 0, 20_000)
  expect(image()).toMatch(/:3$/)
  await s.ports.until(() => heard(s, 'KubePodCrashLooping', 'resolved').length > 0, 20_000)
  expect(new Set(s.told.map(({ labels }) => labels['alertname']))).toEqual(new Set(['KubePodCrashLooping']))
  await s.ports.until(() => s.world.quiet() && health(s, 'emails').updated === 3, 10_000)
  expect(health(s, 'emails').available).toBe(3)
})

test('incidents do not depend on each other: alone and in any company each raises the same alerts', async () => {
  const alerts = async (...names: readonly string[]) => {
    const s = scene(...names)
    await s.ports.advance(8_000)
    running?.stop()
    const reports = incidents.find(({ name }) => name === 'reports')
    return [...new Set(s.told.filter(({ labels }) => reports && isAbout(reports, labels)).map(({ labels }) => labels['alertname']))].sort()
  }
  expect(await alerts('reports')).toEqual(await alerts())
})

const ending = (incident: Incident, more: Partial<Ending> = {}): Ending[] =>
  incident.expect.map(({ alert, outcome, action, reason }) => ({
    workload: incident.workloads[0] ?? '',
    alert: [alert].flat().at(-1) ?? '',
    outcome,
    action,
    reason: reason ?? 'ANY',
    ...more,
  }))

test('endings as expected make no difference, further told cases neither', () => {
  const endings = incidents.flatMap((incident) => [
    ...ending(incident),
    { workload: incident.workloads[0] ?? '', alert: 'KubeDeploymentReplicasMismatch', outcome: 'told' as const, reason: 'NO_RULE' },
  ])
  expect(differences(incidents, endings)).toEqual([])
})

test('a missing ending, another one, a wrong order and an action too many are differences', () => {
  const checkout = incidents.filter(({ name }) => name === 'checkout')
  const emails = incidents.filter(({ name }) => name === 'emails')
  const of = (list: readonly Incident[]) => list.flatMap((incident) => ending(incident))
  expect(differences(checkout, [])).toMatchObject([{ incident: 'checkout', problem: expect.stringContaining('no case') }])
  expect(
    differences(
      checkout,
      checkout.flatMap((incident) => ending(incident, { outcome: 'told' })),
    ),
  ).toHaveLength(1)
  expect(differences(emails, of(emails).reverse())).not.toEqual([])
  expect(differences(checkout, [...of(checkout), ...of(checkout)])).toMatchObject([{ problem: expect.stringContaining('not expected') }])
})
