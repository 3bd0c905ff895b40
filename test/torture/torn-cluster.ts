// A practice cluster whose API server, alerts and request log live in the test, while the sidecar is a process of its own that is killed
// and started again. What reaches the API server can be stopped on its way, before or after it was carried out.
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { ACTIONS } from '../../src/actions/catalogue.ts'
import type { Http } from '../../src/domain/ports.ts'
import { FACTS } from '../../src/facts/catalogue.ts'
import { realPorts } from '../../src/ports.ts'
import { isDryRun, type LoggedRequest } from '../../src/practice/call.ts'
import type { Incident } from '../../src/practice/incidents.ts'
import { Cut, listen } from '../../src/practice/listen.ts'
import { makePractice, type Practice } from '../../src/practice/server.ts'
import { startWorld } from '../../src/practice/world.ts'
import { manifestsFor } from '../../src/rights/manifests.ts'
import type { Ends } from '../child-processes.ts'

export const PROGRAM = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
export const NAMESPACE = 'practice'
const TOKEN = 'torn-sidecar'
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:alerts-slm`

/** A request of the sidecar on its way to the API server. */
export interface Passing {
  readonly method: string
  readonly path: string
  readonly dryRun: boolean
  readonly body: string
}
/** Instead of the answer: the request may be carried out, now, later or never. */
export type Strike = (carryOut: () => Promise<Response>) => Promise<Response>

export interface TornCluster {
  readonly practice: Practice
  /** Of a sidecar that keeps its history in this file, as YAML. `pulls`: it also asks Alertmanager what fires. */
  readonly configuration: (store: string, pulls?: boolean) => string
  /** The first request that fits meets this; later ones pass. */
  readonly strike: (fits: (passing: Passing) => boolean, strike: Strike) => void
  /** Where alerts are delivered now; undefined: nobody listens. */
  webhook: string | undefined
  /** Deliveries that have not been answered yet. */
  readonly underWay: () => number
  /** One more, in its first stage. */
  readonly happen: (incident: Incident) => void
  /** Fingerprints of the alerts that fired in deliveries which were answered with 2xx. */
  readonly acknowledged: ReadonlySet<string>
  /**
   * Changes of the sidecar that the API server carried out, but for its ledger, its Events and what it only asked. In order. An eviction
   * names the uid of the one pod that it ends: sent again while that pod is still ending, it is the same one.
   */
  readonly changes: (workload: string) => readonly LoggedRequest[]
}

export const isLedgerWrite = ({ method, path }: Passing): boolean => method !== 'GET' && /\/configmaps(?:\/alerts-slm-ledger)?$/.test(path)
export const completesLedger = (passing: Passing): boolean => isLedgerWrite(passing) && passing.body.includes('\\"outcome\\"')
/** A change of the cluster, rehearsed or meant. */
export const isChange = ({ method, path }: Pick<Passing, 'method' | 'path'>): boolean =>
  method !== 'GET' && !/\/configmaps(?:\/alerts-slm-ledger)?$|\/events$|\/selfsubjectaccessreviews$/.test(path)

export async function tornCluster(ends: Ends, incidents: readonly Incident[] = []): Promise<TornCluster> {
  const practice = makePractice({ ports: realPorts })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, ...manifestsFor(ACTIONS, FACTS, NAMESPACE)])
  practice.users.add(TOKEN, ACCOUNT)
  const strikes: { readonly fits: (passing: Passing) => boolean; readonly strike: Strike }[] = []
  const api = await listen(async (request) => {
    if (request.method === 'GET' && strikes.length === 0) return practice.fetch(request)
    const { method, url, headers, signal } = request
    const body = method === 'GET' ? '' : await request.text()
    const { pathname, searchParams } = new URL(url)
    const passing: Passing = { method, path: pathname, dryRun: isDryRun(searchParams, jsonOf(body)), body }
    // What was read whole is carried out whole, also when its sender is gone by then.
    const carryOut = () => practice.fetch(method === 'GET' ? new Request(url, { headers, signal }) : new Request(url, { method, headers, body }))
    const at = strikes.findIndex(({ fits }) => fits(passing))
    const [struck] = at < 0 ? [] : strikes.splice(at, 1)
    return struck ? struck.strike(carryOut) : carryOut()
  })
  ends(() => api.close())

  const acknowledged = new Set<string>()
  const network = realPorts.http()
  // Which other alerts the same trouble raises depends on how long the killing takes; a group holds alerts of one name.
  const expected = new Set(incidents.flatMap(alertsOf))
  let underWay = 0
  const deliver: Http = async (request) => {
    if (!expected.has(alertnameOf(request.body ?? ''))) return { status: 200, headers: {}, text: async () => '', async *chunks() {} }
    if (cluster.webhook === undefined) throw new Error('nobody listens')
    const { pathname } = new URL(request.url)
    underWay++
    const answer = await network({ ...request, url: `${cluster.webhook}${pathname}` }).finally(() => underWay--)
    if (answer.status < 300) for (const fingerprint of firingIn(request.body ?? '')) acknowledged.add(fingerprint)
    return answer
  }
  // Told once and never again while it goes on: an alert that was accepted and then lost would stay lost.
  const pace = { repeatIntervalMs: 3_600_000 }
  const world = startWorld({ practice, ports: realPorts, incidents, namespace: NAMESPACE, webhook: { url: 'http://sidecar.torn/alerts', http: deliver }, pace })
  ends(() => world.stop())

  const asked = await listen(async (request) => world.alertmanager.fetch(request))
  ends(() => asked.close())

  const cluster: TornCluster = {
    practice,
    configuration: (store, pulls) => JSON.stringify({ ...configuration(api.url, store), ...(pulls && { alertmanager: { urls: [asked.url], pull_every: '10s' } }) }, undefined, 2),
    strike: (fits, strike) => strikes.push({ fits, strike }),
    webhook: undefined,
    underWay: () => underWay,
    happen(incident) {
      for (const alert of alertsOf(incident)) expected.add(alert)
      practice.load((incident.stages[0] ?? []).map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, namespace: NAMESPACE } })))
    },
    acknowledged,
    changes: (workload) => {
      const done = practice.requests.filter(
        (request) => request.user === ACCOUNT && isChange(request) && !request.dryRun && request.status >= 200 && request.status < 300 && isOn(request.path, workload),
      )
      return done.filter((request, i) => !done.slice(0, i).some((before) => isSameEviction(before, request)))
    },
  }
  return cluster
}

/** No answer, and a connection that breaks. */
export const noAnswer = (): never => {
  throw new Cut()
}

const alertsOf = ({ expect }: Incident): readonly string[] => expect.flatMap(({ alert }) => alert)
const isSameEviction = (a: LoggedRequest, b: LoggedRequest): boolean => a.path.endsWith('/eviction') && a.path === b.path && JSON.stringify(a.body) === JSON.stringify(b.body)

/** A pod's name begins with its workload's. */
const isOn = (path: string, workload: string): boolean => path.split('/').some((part) => part === workload || part.startsWith(`${workload}-`))

const configuration = (server: string, store: string) => ({
  namespace: NAMESPACE,
  kubernetes: { server, token: TOKEN, requests_per_second: 500, burst: 1_000, timeout: '5s' },
  webhook: { host: '127.0.0.1', port: 0 },
  operations: { host: '127.0.0.1', port: 0 },
  actions: { mode: 'enforce', budget: { per_rule: 1_000, per_namespace: 1_000 } },
  settle: { time: '300ms', verify_within: '8s', check_every: '50ms' },
  store: { path: store },
  logging: { level: 'info' },
})

const jsonOf = (text: string): unknown => (text === '' ? undefined : JSON.parse(text))

const DELIVERY = z.object({ groupLabels: z.record(z.string(), z.string()), alerts: z.array(z.object({ status: z.string(), fingerprint: z.string() })) })
const alertnameOf = (body: string): string => DELIVERY.parse(jsonOf(body)).groupLabels['alertname'] ?? ''
const firingIn = (body: string): readonly string[] => DELIVERY.parse(jsonOf(body)).alerts.flatMap(({ status, fingerprint }) => (status === 'firing' ? [fingerprint] : []))
