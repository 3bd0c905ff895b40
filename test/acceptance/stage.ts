// A stage for the whole app: a living practice cluster, the sidecar started in this process on time that stands still until a test
// lets it pass, and a network in which every host is one of our servers. What was done is read off the API server's request log.
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ACTIONS } from '../../src/actions/catalogue.ts'
import { type App, startApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { isTree, type Tree } from '../../src/config/tree.ts'
import type { WaitingFor } from '../../src/domain/outcome.ts'
import type { Http } from '../../src/domain/ports.ts'
import { FACTS } from '../../src/facts/catalogue.ts'
import { connect } from '../../src/kube/connect.ts'
import { type PracticeAlertmanager, startAlertmanager } from '../../src/practice/alertmanager.ts'
import { startControllers } from '../../src/practice/controllers.ts'
import { httpOf } from '../../src/practice/http.ts'
import { makePractice, type Practice } from '../../src/practice/server.ts'
import { manifestsFor } from '../../src/rights/manifests.ts'
import type { StoredCase } from '../../src/rooms/record/rows.ts'
import { NAMESPACE } from '../acting.ts'
import { type ManualPorts, manualPorts } from '../manual-ports.ts'
import { temporaryFolder } from '../temporary.ts'
import { type Delivered, delivery } from './deliveries.ts'
import { type Lifeline, lifeline } from './lifeline.ts'
import { readsAndWrites, type Written } from './request-log.ts'

type Manifest = Readonly<Record<string, unknown>>

export interface Wishes {
  readonly manifests?: readonly Manifest[]
  /** Over the stage's own configuration, section by section. */
  readonly config?: Tree
  readonly environment?: Readonly<Record<string, string>>
  /** How many Alertmanagers run and are configured; none deliver by themselves unless `delivering`. */
  readonly alertmanagers?: number
  readonly delivering?: boolean
  readonly maxAlerts?: number
  /** Names of roles that are not bound. */
  readonly withoutRoles?: readonly string[]
  /** The controllers of the cluster stand still. */
  readonly still?: boolean
}

export interface Stage {
  readonly ports: ManualPorts
  readonly practice: Practice
  /** The app that runs now. */
  readonly app: App
  readonly alertmanagers: readonly PracticeAlertmanager[]
  /** Lines of the log of every app that ran, as JSON. */
  readonly log: readonly string[]
  /** Texts that the chat webhook was sent. */
  readonly chat: readonly string[]
  readonly store: string
  /** A wall clock of the app's own: moved apart from the cluster's. */
  skew(milliseconds: number): void
  deliver(delivered: Delivered): Promise<Response>
  push(...alerts: readonly Alerted[]): Promise<Response>
  resolve(...alerts: readonly Alerted[]): Promise<Response>
  /** Oldest first. */
  cases(): readonly StoredCase[]
  /** The cases that are closed, once there are so many of them and none is open; oldest first. */
  closed(count?: number, limitMs?: number): Promise<readonly StoredCase[]>
  /** The one closed case. */
  ending(limitMs?: number): Promise<StoredCase>
  /** The first open case that waits for this. */
  waiting(what: WaitingFor, limitMs?: number): Promise<StoredCase>
  /** Writes that took effect on other objects than the sidecar's own ledger and Events, such as `patch deployments/web`. */
  written(): readonly string[]
  /** Every request of the sidecar with a verb that writes, whatever was answered, rehearsals apart. */
  writeVerbs(): readonly Written[]
  /** Another app over the same store; the one before is stopped in good order. */
  restart(): Promise<void>
  /** As kill -9: from this turn on nothing of the app does anything any more. */
  kill(): void
  start(): Promise<void>
  readonly life: Lifeline
}

export interface Alerted {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly startsAt?: number
  readonly endsAt?: number
}

const BASE: Tree = {
  namespace: NAMESPACE,
  actions: { mode: 'enforce' },
  settle: { time: '2s', verify_within: '20s', check_every: '500ms' },
  logging: { level: 'info' },
}
const over = (under: Tree, upper: Tree): Tree =>
  Object.fromEntries(
    Object.keys({ ...under, ...upper }).map((name) => {
      const [low, high] = [under[name], upper[name]]
      return [name, isTree(low) && isTree(high) ? over(low, high) : (high ?? low)]
    }),
  )

const TOKEN = 'sidecar-token'
export const ACCOUNT = `system:serviceaccount:${NAMESPACE}:alerts-slm`
export const peerUrl = (place: number): string => `http://alertmanager-${place}.test`

export async function stage(wishes: Wishes = {}): Promise<Stage> {
  const ports = manualPorts()
  const practice = practiceOf(ports, wishes)
  const store = join(temporaryFolder(), 'history.db')
  const log: string[] = []
  const chat: string[] = []
  const alertmanagers: PracticeAlertmanager[] = []
  const peers = wishes.alertmanagers ?? 0
  const config = await loadConfig({
    environment: wishes.environment ?? {},
    defaults: over(
      BASE,
      over(wishes.config ?? {}, { store: { path: store }, ...(peers > 0 && { alertmanager: { urls: Array.from({ length: peers }, (_, place) => peerUrl(place)) } }) }),
    ),
  })
  let skewMs = 0
  let running: { readonly app: App; readonly life: Lifeline } | undefined
  const now = () => {
    if (!running) throw new Error('no app runs')
    return running
  }
  const network = networkOf({ practice, alertmanagers, chat, webhook: (request) => now().app.webhook(request) })
  for (let place = 0; place < peers; place++) {
    const webhook = { url: 'http://sidecar.test/alerts', http: wishes.delivering ? network : () => Promise.reject(new Error('this Alertmanager does not deliver')) }
    alertmanagers.push(startAlertmanager({ ports, webhook, externalURL: peerUrl(place), ...(wishes.maxAlerts !== undefined && { maxAlerts: wishes.maxAlerts }) }))
  }
  const start = async (): Promise<void> => {
    const life = lifeline({ ...ports, clock: { now: () => ports.clock.now() + skewMs, elapsed: ports.clock.elapsed }, http: () => network })
    const connection = await connect({ server: 'http://kubernetes.test', token: TOKEN, namespace: NAMESPACE, requestsPerSecond: 1_000, burst: 1_000 }, life.ports)
    const app = await startApp({ config, ports: life.ports, environment: wishes.environment ?? {}, connection, sockets: false, writeLog: (line) => log.push(line) })
    running = { app, life }
    await ports.settle()
  }
  const stop = async (): Promise<void> => {
    if (!running || running.life.isCut) return
    const stopped = running.app.stop('the test says so')
    await drain(ports, stopped)
  }
  const within = (condition: () => boolean, limitMs: number, what: string) =>
    ports.until(condition, limitMs, 200).catch((error: unknown) => {
      const states = cases().map(
        ({ alert, state, waitingFor, outcome, reason, because }) => `${alert}: ${state} ${outcome ?? ''} ${reason ?? ''} ${waitingFor ?? ''} ${because ?? ''}`,
      )
      throw new Error(`${what}: not within ${limitMs} ms; there is\n${states.join('\n')}`, { cause: error })
    })
  const cases = () => [...now().app.history.cases({ limit: 20_000 })].reverse()
  const made: Stage = {
    ports,
    practice,
    get app() {
      return now().app
    },
    get life() {
      return now().life
    },
    alertmanagers,
    log,
    chat,
    store,
    skew(milliseconds) {
      skewMs += milliseconds
    },
    deliver: async (delivered) =>
      now().app.webhook(
        new Request('http://sidecar.test/alerts', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'Alertmanager/0.28.1' },
          body: JSON.stringify(delivered),
        }),
      ),
    push: (...alerts) => made.deliver(delivery('firing', alerts, ports.clock.now())),
    resolve: (...alerts) => made.deliver(delivery('resolved', alerts, ports.clock.now())),
    cases,
    async closed(count = 1, limitMs = 60_000) {
      const { app } = now()
      const done = () => app.walking() === 0 && app.history.cases({ open: true, limit: 1 }).length === 0 && app.history.cases({ open: false, limit: count }).length === count
      await within(done, limitMs, `${count} closed cases`)
      return cases()
    },
    async ending(limitMs) {
      const [only, ...others] = await made.closed(1, limitMs)
      if (!only || others.length > 0) throw new Error(`${others.length + 1} cases in place of one`)
      return only
    },
    async waiting(what, limitMs = 60_000) {
      const open = () => cases().find((one) => one.closedAt === undefined && one.waitingFor === what)
      await within(() => open() !== undefined, limitMs, `a case that waits for ${what}`)
      const found = open()
      if (!found) throw new Error(`no case waits for ${what}`)
      return found
    },
    ...readsAndWrites(practice, ACCOUNT),
    async restart() {
      await stop()
      await start()
    },
    kill: () => now().life.cut(),
    start,
  }
  await start()
  onTestFinished(stop)
  return made
}

/** Stopping waits for timers of walks that pause; time passes until it is done. */
async function drain(ports: ManualPorts, work: Promise<void>): Promise<void> {
  let done = false
  const ended = work.finally(() => {
    done = true
  })
  await ports.until(() => done, 60_000)
  await ended
}

function practiceOf(ports: ManualPorts, { manifests = [], withoutRoles = [], still = false }: Wishes): Practice {
  const practice = makePractice({ ports })
  const rights = manifestsFor(ACTIONS, FACTS, NAMESPACE).filter(({ kind, metadata }) => kind !== 'RoleBinding' || !withoutRoles.includes(metadata.name))
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, ...rights, ...manifests])
  practice.users.add(TOKEN, ACCOUNT)
  if (!still) {
    const writeLog = ({ pod, container, previous }: { pod: string; container: string; previous: boolean }, text: string) => practice.logs.set(pod, container, previous, text)
    const controllers = startControllers(practice.store, ports, { writeLog })
    onTestFinished(() => controllers.stop())
  }
  return practice
}

interface Hosts {
  readonly practice: Practice
  readonly alertmanagers: readonly PracticeAlertmanager[]
  readonly chat: string[]
  readonly webhook: (request: Request) => Response | Promise<Response>
}
function networkOf({ practice, alertmanagers, chat, webhook }: Hosts): Http {
  const api = httpOf(practice.fetch)
  const sidecar = httpOf(async (request) => webhook(request))
  return async (request) => {
    const { host } = new URL(request.url)
    if (host === 'kubernetes.test') return api(request)
    if (host === 'sidecar.test') return sidecar(request)
    const peer = alertmanagers.find((_, place) => host === new URL(peerUrl(place)).host)
    if (peer) return httpOf(async (asked) => peer.fetch(asked))(request)
    if (host !== 'chat.test') throw new Error(`there is no ${host} here`)
    chat.push(String(JSON.parse(request.body ?? '{}').text))
    return httpOf(async () => new Response('ok'))(request)
  }
}
