// The practice cluster with the sidecar beside it and real Alertmanagers between the two. Deliveries go through a tap that keeps what was
// sent and how it was answered; while no sidecar runs, the tap's connections break as those to a closed port do.
import { join } from 'node:path'
import * as z from 'zod'
import { ACTIONS } from '../../src/actions/catalogue.ts'
import { type App, startApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { isTree, type Tree } from '../../src/config/tree.ts'
import { FACTS } from '../../src/facts/catalogue.ts'
import { connect } from '../../src/kube/connect.ts'
import { realPorts } from '../../src/ports.ts'
import type { Posted } from '../../src/practice/alertmanager/kept-alerts.ts'
import { httpOf } from '../../src/practice/http.ts'
import { readIncidents } from '../../src/practice/incidents.ts'
import { Cut, listen } from '../../src/practice/listen.ts'
import { makePractice, type Practice } from '../../src/practice/server.ts'
import { startWorld } from '../../src/practice/world.ts'
import { manifestsFor } from '../../src/rights/manifests.ts'
import type { StoredCase } from '../../src/rooms/record/rows.ts'
import { readsAndWrites } from '../acceptance/request-log.ts'
import type { Ends } from '../child-processes.ts'
import { temporaryFolder } from '../temporary.ts'
import { until } from '../waiting.ts'
import { type Alertmanagers, type Routing, startAlertmanagers } from './alertmanagers.ts'

export const NAMESPACE = 'practice'
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:alerts-slm`
const [API_TOKEN, WEBHOOK_TOKEN] = ['api-of-practice', 'alertmanager-may-come-in']

export interface Wishes extends Routing {
  readonly incidents: readonly string[]
  readonly peers?: 1 | 2
  /** Of the sidecar, over the cluster's own. */
  readonly config?: Tree
  /** What Prometheus posts: everything that fires, unless the test posts by itself. */
  readonly raises?: (alert: Posted) => boolean
}
export interface Delivery {
  /** 0: no answer. */
  readonly status: number
  readonly alerts: readonly { readonly status: string; readonly fingerprint: string; readonly labels: Readonly<Record<string, string>> }[]
  readonly truncatedAlerts: number
}
export interface AlertedCluster {
  readonly practice: Practice
  readonly alertmanagers: Alertmanagers
  /** Of alerts about the cluster; what the sidecar tells through Alertmanager comes by too and is left out. In order. */
  readonly deliveries: readonly Delivery[]
  /** Changes that the API server carried out for the sidecar, such as `create pods/web-1/eviction`. */
  readonly written: () => readonly string[]
  readonly app: () => App
  readonly cases: () => readonly StoredCase[]
  /** All cases, once there are so many and none is open. */
  readonly closed: (count: number) => Promise<readonly StoredCase[]>
  readonly start: (config?: Tree) => Promise<void>
  readonly stop: () => Promise<void>
}

export async function alertedCluster(wishes: Wishes, ends: Ends): Promise<AlertedCluster> {
  const practice = makePractice({ ports: realPorts })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, ...manifestsFor(ACTIONS, FACTS, NAMESPACE)])
  practice.users.add(API_TOKEN, ACCOUNT)
  let app: App | undefined
  const deliveries: Delivery[] = []
  const network = realPorts.http()
  const tap = await listen(async (request) => {
    const body = await request.text()
    const at = { ...DELIVERY.parse(JSON.parse(body)), status: 0 }
    if (at.alerts.some(({ labels }) => labels['alerts_slm_case'] === undefined)) deliveries.push(at)
    const url = app?.urls.webhook
    if (url === undefined) throw new Cut()
    const headers = Object.fromEntries(['authorization', 'content-type', 'user-agent'].map((name) => [name, request.headers.get(name) ?? '']))
    const answer = await network({ method: 'POST', url: `${url}${new URL(request.url).pathname}`, headers, body }).catch((): never => {
      throw new Cut()
    })
    at.status = answer.status
    return new Response(await answer.text(), { status: answer.status, headers: answer.headers })
  })
  ends(() => tap.close())
  const alertmanagers = await startAlertmanagers({ ...wishes, peers: wishes.peers ?? 1, webhook: { url: `${tap.url}/alerts`, token: WEBHOOK_TOKEN } }, ends)

  const raises = wishes.raises ?? (() => true)
  const post = (alerts: readonly Posted[]): void => {
    const raised = alerts.filter(raises).map(({ labels, annotations, startsAt, endsAt, generatorURL }) => ({
      labels,
      annotations,
      generatorUrl: generatorURL,
      ...(startsAt !== undefined && { startsAt }),
      ...(endsAt !== undefined && { endsAt }),
    }))
    // Prometheus too goes on when an Alertmanager does not answer.
    if (raised.length > 0) alertmanagers.post(raised).catch(() => undefined)
  }
  const incidents = await readIncidents(wishes.incidents)
  const store = join(temporaryFolder(ends), 'history.db')
  const inside = { ...realPorts, http: () => httpOf(practice.fetch) }
  const cluster: AlertedCluster = {
    practice,
    alertmanagers,
    deliveries,
    written: () => readsAndWrites(practice, ACCOUNT).written(),
    app: () => app ?? never(),
    cases: () => cluster.app().history.cases().toReversed(),
    closed: (count) =>
      until(
        `${count} cases are closed and none is open`,
        () => cluster.cases().length >= count && cluster.cases().every(({ closedAt }) => closedAt !== undefined) && cluster.cases(),
        {
          withinMs: 40_000,
          everyMs: 50,
          explain: () => JSON.stringify({ cases: cluster.cases().map(({ page, ...one }) => one), deliveries, written: cluster.written() }, undefined, 1),
        },
      ),
    async start(more = {}) {
      const config = await loadConfig({ environment: {}, defaults: [wishes.config ?? {}, more].reduce(over, configuration(store, alertmanagers.urls)) })
      const connection = await connect({ server: 'http://kubernetes.practice', token: API_TOKEN, namespace: NAMESPACE, requestsPerSecond: 500, burst: 1_000 }, inside)
      app = await startApp({ config, ports: realPorts, connection, writeLog: () => undefined })
    },
    async stop() {
      const stopped = app
      app = undefined
      await stopped?.stop('the test wants it')
    },
  }
  await cluster.start()
  ends(() => cluster.stop())
  const world = startWorld({ practice, ports: realPorts, incidents, namespace: NAMESPACE, webhook: { url: tap.url }, post })
  ends(() => world.stop())
  return cluster
}
/** Key by key within a section. */
const over = (under: Tree, upper: Tree): Tree => ({
  ...under,
  ...Object.fromEntries(
    Object.entries(upper).map(([name, high]) => {
      const low = under[name]
      return [name, isTree(low) && isTree(high) ? { ...low, ...high } : high]
    }),
  ),
})
const never = (): never => {
  throw new Error('no sidecar runs')
}

const DELIVERY = z.object({
  alerts: z.array(z.object({ status: z.string(), fingerprint: z.string(), labels: z.record(z.string(), z.string()) })),
  truncatedAlerts: z.number(),
})

const configuration = (store: string, urls: readonly string[]): Tree => ({
  namespace: NAMESPACE,
  actions: { mode: 'enforce' },
  settle: { time: '500ms', verify_within: '8s', check_every: '100ms' },
  webhook: { host: '127.0.0.1', port: 0, auth: { token: WEBHOOK_TOKEN } },
  operations: { host: '127.0.0.1', port: 0 },
  alertmanager: { urls },
  store: { path: store },
  logging: { level: 'error' },
})
