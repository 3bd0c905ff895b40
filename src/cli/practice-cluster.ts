// A practice cluster with the sidecar beside it, in one process: the API server and Alertmanager of the practice world are called in
// process, the webhook is the sidecar's real one. Only waiting times are shorter than in earnest.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ACTIONS } from '../actions/catalogue.ts'
import { type App, startApp } from '../app.ts'
import { loadConfig } from '../config/load.ts'
import type { Closed } from '../domain/case-file.ts'
import type { Http, Ports } from '../domain/ports.ts'
import { FACTS } from '../facts/catalogue.ts'
import { connect } from '../kube/connect.ts'
import { httpOf } from '../practice/http.ts'
import type { Incident } from '../practice/incidents.ts'
import { makePractice, type Practice } from '../practice/server.ts'
import { startWorld, type World } from '../practice/world.ts'
import { manifestsFor } from '../rights/manifests.ts'

export const PRACTICE_NAMESPACE = 'practice'
const PEERS = ['http://alertmanager-0.practice:9093', 'http://alertmanager-1.practice:9093']

/** Where a cluster has ten minutes, practice has seconds. Everything else is the product's default, but for the mode. */
const DEFAULTS = {
  namespace: PRACTICE_NAMESPACE,
  actions: { mode: 'enforce' },
  settle: { time: '1500ms', verify_within: '8s', check_every: '100ms' },
  webhook: { host: '127.0.0.1' },
  operations: { host: '127.0.0.1', port: 0 },
  alertmanager: { urls: PEERS },
  logging: { level: 'error' },
}

export interface PracticeCluster {
  readonly practice: Practice
  readonly app: App
  readonly world: World
  readonly stop: (why: string) => Promise<void>
}
export interface PracticeOptions {
  readonly ports: Ports
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly incidents: readonly Incident[]
  readonly onClosed: (closed: Closed) => void
  /** False: the webhook is called in process too. */
  readonly sockets?: boolean
}

export async function startPracticeCluster({ ports, environment, incidents, onClosed, sockets = true }: PracticeOptions): Promise<PracticeCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-slm-practice-'))
  const config = await loadConfig({ environment, defaults: { ...DEFAULTS, store: { path: join(folder, 'history.db') } } })
  const practice = makePractice({ ports })
  const token = `practice-${Math.floor(ports.random.next() * 2 ** 48).toString(36)}`
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: PRACTICE_NAMESPACE } }, ...manifestsFor(ACTIONS, FACTS, PRACTICE_NAMESPACE)])
  practice.users.add(token, `system:serviceaccount:${PRACTICE_NAMESPACE}:alerts-slm`)

  let app: App | undefined
  let world: World | undefined
  const network = ports.http()
  const api = httpOf(practice.fetch)
  /** Practice hosts are answered in process; everything else, and the webhook, goes over the network. */
  const http: Http = (request) => {
    const { host, pathname, search } = new URL(request.url)
    if (host === 'kubernetes.practice') return api(request)
    const peer = PEERS.findIndex((url) => new URL(url).host === host)
    const running = world
    if (peer >= 0) return running ? httpOf(async (asked) => (peer === 0 ? running.alertmanager : running.peer).fetch(asked))(request) : Promise.reject(new Error('not started yet'))
    const started = app
    if (host === 'sidecar.practice' && started && !sockets) return httpOf(async (asked) => started.webhook(asked))(request)
    return host === 'sidecar.practice' && app?.urls.webhook ? network({ ...request, url: `${app.urls.webhook}${pathname}${search}` }) : Promise.reject(new Error('not started yet'))
  }
  const inside: Ports = { ...ports, http: () => http }
  world = startWorld({
    practice,
    ports: inside,
    incidents,
    namespace: PRACTICE_NAMESPACE,
    webhook: { url: `http://sidecar.practice${config.webhook.path}`, http, ...(config.webhook.auth.token !== undefined && { token: config.webhook.auth.token }) },
  })
  const stopWorld = () => {
    world?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const connection = await connect({ server: 'http://kubernetes.practice', token, namespace: PRACTICE_NAMESPACE, requestsPerSecond: 500, burst: 1_000 }, inside)
    app = await startApp({ config, ports: inside, environment, connection, onClosed, sockets })
  } catch (error) {
    stopWorld()
    throw error
  }
  const running = app
  return {
    practice,
    app: running,
    world,
    async stop(why) {
      await running.stop(why)
      stopWorld()
    },
  }
}
