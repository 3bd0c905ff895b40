// The sidecar, wired by hand: what is made of what, from the ports up to the doors. Embeddable: tests and `npm start` begin it in process.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { ACTIONS, findAction } from './actions/catalogue.ts'
import type { Alertmanager } from './alertmanager/client.ts'
import type { Environment } from './config/environment.ts'
import { idleSettings } from './config/idle.ts'
import { makePolicySource } from './config/policy.ts'
import type { Config } from './config/schema.ts'
import type { Corridor } from './corridor.ts'
import { type Dispatch, makeDispatch, type WalkRooms } from './dispatch/dispatch.ts'
import { makePull } from './dispatch/pull.ts'
import { alertName } from './domain/alert.ts'
import type { Applied, Closed, Located, Parked, Planned } from './domain/case-file.ts'
import { Fault } from './domain/fault.ts'
import type { Attempts } from './domain/history.ts'
import type { Plan } from './domain/plan.ts'
import type { Clock, Ports } from './domain/ports.ts'
import { ownerKey } from './domain/target.ts'
import { isUnknown, type Unknown, unknown } from './domain/unknown.ts'
import { makeOperations } from './doors/operations.ts'
import { makeWebhook } from './doors/webhook.ts'
import { alertmanagerOf, CATALOGUES, connectOptions, layersOf, screenRules, stateIn, webhookIsOpen } from './edges.ts'
import { FACTS } from './facts/catalogue.ts'
import { gatherEvidence } from './facts/evidence.ts'
import { makeAccess } from './kube/access.ts'
import { type Connection, connect } from './kube/connect.ts'
import { makeEvents } from './kube/events.ts'
import { makeLedger } from './kube/ledger.ts'
import { makeReader } from './kube/reader.ts'
import { makeRehearsal } from './kube/rehearse.ts'
import { watchNamespace } from './kube/watch.ts'
import { makeWriter } from './kube/writer.ts'
import { Database } from './libsql/database.ts'
import { confirmPolicies, reconcileLedger, watchDeliveries } from './loops.ts'
import { makePasses } from './one-pass.ts'
import { NO_SOCKETS, openDoors, webhookConfig } from './open-doors.ts'
import { makePeople } from './people.ts'
import { type Applier, apply, intend, recover } from './rooms/apply/apply.ts'
import { effectOfAll, undo, verify } from './rooms/apply/verify.ts'
import { judge } from './rooms/decide/decide.ts'
import { pageOf } from './rooms/decide/page.ts'
import { GATE_CODES } from './rooms/gate/codes.ts'
import { type LookDeps, look } from './rooms/gate/look.ts'
import { passGates, passGatesForUndo } from './rooms/gate/pass-gates.ts'
import { recheck } from './rooms/gate/recheck.ts'
import type { AlertState, Seen, Self } from './rooms/gate/seen.ts'
import { locate } from './rooms/locate/locate.ts'
import { plan } from './rooms/plan/plan.ts'
import { makeIntake } from './rooms/record/intake.ts'
import { type History, openHistory } from './rooms/record/record.ts'
import { screen } from './rooms/screen/screen.ts'
import { loadBook } from './rulebook/load.ts'
import { renderProblems } from './rulebook/problem.ts'
import { watchRules } from './rulebook/reload.ts'
import { caseLine, errorFields, type Log, makeLog, makeSecurityLog } from './telemetry/log.ts'
import { type Metrics, makeMetrics } from './telemetry/metrics.ts'
import { ownPod, whoAmI } from './who-am-i.ts'

export interface AppOptions {
  readonly config: Config
  readonly ports: Ports
  readonly environment?: Environment
  /** An API server that is reached already (practice, tests); else as the configuration says. */
  readonly connection?: Connection
  /** False: no sockets; the doors are reached by their `fetch`. */
  readonly sockets?: boolean
  /** Where log lines go in place of stderr. */
  readonly writeLog?: (line: string) => void
  readonly onClosed?: (closed: Closed) => void
}

export interface App {
  readonly webhook: (request: Request) => Response | Promise<Response>
  readonly operations: (request: Request) => Response | Promise<Response>
  readonly urls: { readonly webhook: string | undefined; readonly operations: string | undefined }
  readonly history: History
  readonly metrics: Metrics
  readonly namespace: string
  /** Cases that are on their way through the rooms now. */
  readonly walking: () => number
  /** Stops taking, lets what is under way end or park, closes the history. */
  readonly stop: (why: string) => Promise<void>
}

const GRACE_MS = 8_000
const NO_ATTEMPTS: Attempts = { forOwner: () => [], forRule: () => [], inNamespace: () => [] }
const LIMITS = { walks: 32, patienceMs: 900_000, laneWaitMs: 900_000, leaseMs: 300_000, deliveriesMs: 86_400_000 }

export async function startApp(options: AppOptions): Promise<App> {
  const { config, ports, environment = {} } = options
  const { clock } = ports
  const log = makeLog({ level: config.logging.level, ...(options.writeLog && { write: options.writeLog }) }).child({ app: config.app.name })
  const security = makeSecurityLog(options.writeLog && { write: options.writeLog })

  const catalogues = CATALOGUES
  const paths = layersOf(config)
  const loaded = await loadBook(paths, catalogues)
  if (!loaded.ok) throw new Fault('RULES_INVALID', renderProblems(loaded.problems, loaded.sources))

  makeFolder(config.store.path)
  const database = new Database(config.store.path, { maxBytes: config.store.max_bytes })
  const history = openHistory(database, ports)
  const intake = makeIntake(database, ports, { capacity: config.webhook.max_queued, onCommitted: () => dispatch.wake() })

  const connection = options.connection ?? (await connect(connectOptions(config, environment), ports))
  const { transport } = connection
  const namespace = config.namespace ?? connection.namespace
  const metrics = makeMetrics({
    known: { namespaces: [namespace], actions: ACTIONS.map(({ name }) => name), reasons: Object.keys(GATE_CODES) },
    gauges: { queueLength: () => intake.waiting, openCases: () => history.openCount(), storeBytes: () => database.sizeBytes },
    startedAt: clock.now(),
  })
  const reportBook = (book: typeof loaded.book) => metrics.bookLoaded({ hash: book.version, rules: book.rules.map(({ id }) => id) })
  reportBook(loaded.book)
  const watches = watchNamespace({
    transport,
    namespace,
    ...ports,
    onRestart(kind, why) {
      metrics.watchRestarted(kind)
      log.warn({ kind, why: why.message }, 'a watch was begun again')
    },
  })
  const live = makeReader(transport, namespace)
  const held = makeReader(transport, namespace, watches.held)
  const ledger = makeLedger(transport, namespace)
  const alertmanager = alertmanagerOf(config, ports, log)
  const policies = makePolicySource(config, () => clock.now())
  const policy = () => policies.current()

  const people = makePeople({ config, ports, log, alertmanager, namespace, tellEvent: makeEvents(transport, namespace, clock), policy })
  const rules = watchRules({
    paths,
    catalogues,
    timers: ports.timers,
    start: loaded,
    everyMs: config.rules.reload_every,
    onSwap(book) {
      reportBook(book)
      log.info({ book: book.version, rules: book.rules.length }, 'a new rule book is in use')
    },
    onBroken: (problems, sources) => {
      metrics.bookRefused()
      log.error({ problems: problems.length }, `the edited rules were refused, the last good book stays:\n${renderProblems(problems, sources)}`)
      people.warn(
        'AlertsSlmRulesRefused',
        `edited rules were refused, the last good book stays: ${problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('; ')}`,
      )
    },
  })

  // ── rooms ────────────────────────────────────────────────────────────────────────────────────────────────────────────
  // The doors do not wait for it: an API server that is away must not keep alerts from being taken.
  const pod = ownPod(environment, namespace)
  let self: Self = pod ? { pod } : {}
  if (pod)
    whoAmI(pod, live)
      .then((known) => {
        self = known
      })
      .catch((error: unknown) => log.error(errorFields(error), 'the own pod could not be looked at'))
  const lastSeen = new WeakMap<Plan, { readonly seen: Seen; readonly intents: number }>()
  const looking: Omit<LookDeps, 'read' | 'self' | 'ledger'> = {
    access: makeAccess(transport, namespace, clock),
    attempts: history.attempts,
    policy,
    firing: (file) => alertState(file, history, alertmanager),
    approvals: (id, planHash) => {
      const given = history.approval(id, planHash)
      return given && { ...given, planHash }
    },
    needs: (action) => findAction(action)?.needs ?? [],
    clock,
    serverTime: () => transport.serverTime(),
  }
  const passes = makePasses({ live, held: watches.held, ledger, clock })
  const seeing = (file: Planned): Promise<Seen> => {
    const { read, entries } = passes.forGates(file)
    return look({ ...looking, read, self, ledger: { entries: () => entries } })(file)
  }
  const gateRoom = { look: seeing, rehearse: makeRehearsal(transport), now: () => clock.now() }
  const pass = passGates({
    ...gateRoom,
    look: async (file) => {
      const { intents } = history
      const seen = await seeing(file)
      lastSeen.set(file.plan, { seen, intents })
      return seen
    },
  })
  const applier: Applier = {
    writer: makeWriter(transport, { exec: connection.exec }),
    read: live,
    ports,
    tries: 4,
    ledger,
    log: history,
    action: findAction,
    policy,
    recheck: (file) => {
      const last = lastSeen.get(file.plan)
      // No other case has acted since: the attempts are those that the gates have judged.
      const attempts = last?.intents === history.intents ? NO_ATTEMPTS : history.attempts
      const stops = last ? recheck(file, last.seen, { policy: policy(), attempts, now: clock.now() }) : []
      return stops.length > 0 ? dispatch.stopped(file, stops) : dispatch.takeSlot(file)
    },
    gateUndo: (file) => passGatesForUndo(gateRoom)({ ...file, at: 'planned' }),
    fires: async (file) => file.alerts.some((alert) => history.firesFor(alertName(alert), ownerKey(file.target.owner)) || history.isFiring(alert.fingerprint)),
    term: 0,
    onWritten(steps, result) {
      for (const step of steps) metrics.wrote(step.kind, result)
    },
  }
  const decide = async (file: Located) => {
    const sources = {
      alerts: file.alerts,
      target: file.target,
      read: held,
      attempts: history.attempts,
      counts: history.counts,
      firing: async () => history.firing(),
      now: clock.now(),
    }
    const judged = await judge(rules.book(), file.alerts, gatherEvidence(FACTS, sources))
    if (judged.kind === 'act' && judged.decision.rule) metrics.ruleHit(judged.decision.rule)
    return pageOf(file, judged)
  }
  const rooms: WalkRooms = {
    locate: locate({ read: held, namespace }),
    decide,
    async plan(file) {
      const pass = passes.begin(file.target)
      const planned = await plan({ actions: findAction, read: pass.read, clock, allowed: () => policy().allowedActions })(file)
      if (planned.at === 'planned') passes.made(planned.plan, pass)
      return planned
    },
    gate: pass,
    intend: intend(applier),
    apply: apply(applier),
    verify: verify(applier),
  }

  const screening = screenRules(config)
  const observer = observe(log, metrics, clock, options.onClosed)
  const dispatch: Dispatch = makeDispatch({
    ports,
    history,
    intake,
    screen: (alert, known, now) => screen(alert, known, screening, now),
    rooms,
    recover: recover(applier, (file) => effectOfAll(live, file.plan.steps)),
    undo: (stored, by) => undoFor(applier, stored.page, by),
    policy,
    observer,
    tell: (result) => people.tell(result),
    limits: { ...LIMITS, retentionMs: config.store.retention },
  })

  // ── doors and loops ──────────────────────────────────────────────────────────────────────────────────────────────────
  const pull = makePull({
    ports,
    active: () => (alertmanager ? alertmanager.active({ namespace }) : Promise.resolve(unknown('no Alertmanager is configured'))),
    intake,
    history,
    everyMs: config.alertmanager.pull_every,
    onPulled: (found) =>
      isUnknown(found)
        ? log.warn({ why: found.unknown }, 'what fires could not be read from Alertmanager')
        : found.pulled + found.ended > 0 && log.info(found, 'read from Alertmanager what no delivery had brought'),
    onError: (error) => log.error(errorFields(error), 'reading what fires failed'),
  })
  const deliveries = watchDeliveries(config, ports, (what) => people.warn('AlertsSlmNoDelivery', what))
  const webhook = makeWebhook({
    intake,
    clock,
    security,
    log,
    metrics: {
      received: (alert) => metrics.received(alert),
      delivered(at) {
        deliveries.seen()
        metrics.delivered(at)
      },
      answered: (code) => metrics.answered(code),
    },
    config: webhookConfig(config, clock, log),
    onIncomplete: ({ why }) => {
      people.warn('AlertsSlmDeliveryIncomplete', why)
      if (alertmanager) pull.once().catch((error: unknown) => log.error(errorFields(error), 'reading what fires failed'))
    },
    onError: (error) => log.error(errorFields(error), 'a delivery met something unexpected'),
  })
  let storeTrouble: string | undefined
  const operations = makeOperations({
    metrics,
    readiness: {
      cluster: () => {
        const waits = watches.state().filter(({ synced, forbidden }) => !synced && !forbidden)
        return waits.length === 0 ? undefined : `not yet held: ${waits.map(({ kind }) => kind).join(', ')}`
      },
      policy: () => policies.trouble,
      store: () => {
        try {
          database.get('SELECT 1')
          storeTrouble = undefined
        } catch (error) {
          storeTrouble = error instanceof Error ? error.message : String(error)
        }
        return storeTrouble
      },
    },
  })
  const stopPolicy = confirmPolicies(config, policies, transport, ports)
  const { webhook: listening, operations: listeningOperations } = options.sockets === false ? NO_SOCKETS : await openDoors(config, ports, security, log, { webhook, operations })
  if (config.actions.mode !== 'observe' && webhookIsOpen(config)) log.warn({}, 'the webhook asks nobody for a token or a certificate: set webhook.auth')
  for (const field of idleSettings(config)) log.warn({ field }, 'this setting has no effect in this version')
  dispatch.start()
  people.start(history)
  if (alertmanager) void pull.start()
  void reconcileLedger(ledger, history).catch((error: unknown) => log.warn(errorFields(error), 'the ledger could not be compared with the history'))
  log.info({ namespace, cluster: connection.describe, mode: policy().mode, rules: loaded.book.rules.length, ...(listening && { webhook: listening.url }) }, 'ready to take alerts')

  let stopping: Promise<void> | undefined
  return {
    webhook: (request) => webhook.fetch(request),
    operations: (request) => operations.fetch(request),
    urls: { webhook: listening?.url, operations: listeningOperations?.url },
    history,
    metrics,
    namespace,
    walking: () => dispatch.walking,
    stop(why) {
      stopping ??= (async () => {
        log.info({ why }, 'stopping: what is under way ends or is parked')
        pull.stop()
        rules.stop()
        stopPolicy()
        deliveries.stop()
        await Promise.all([listening?.close(GRACE_MS), listeningOperations?.close(GRACE_MS)])
        await Promise.race([dispatch.stop(), new Promise<void>((resolve) => ports.timers.after(GRACE_MS, resolve))])
        people.stop()
        await dispatch.told()
        watches.stop()
        database.close()
        log.info({}, 'stopped')
        log.flush()
      })()
      return stopping
    },
  }
}

function makeFolder(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
  } catch (cause) {
    throw new Fault('STORE_UNAVAILABLE', `store.path: the folder of ${file} cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

// ── what rooms ask the world ───────────────────────────────────────────────────────────────────────────────────────────
/** By our own episodes, and by Alertmanager where there is one. */
async function alertState(file: Planned, history: History, alertmanager: Alertmanager | undefined): Promise<AlertState | Unknown> {
  const firing = file.alerts.filter((alert) => history.isFiring(alert.fingerprint))
  if (firing.length === 0) return history.firesIn(file.id) ? 'firing' : 'resolved'
  return alertmanager ? stateIn(alertmanager, firing) : 'firing'
}

async function undoFor(applier: Applier, page: Applied | { readonly at: string }, by: string): Promise<Closed | Parked> {
  if (!('plan' in page) || page.at !== 'applied') throw new Fault('INPUT_INVALID', 'nothing was changed in this case')
  return undo(applier, page, 'UNDONE_BY_PERSON', `undone by ${by}`)
}

function observe(log: Log, metrics: Metrics, clock: Clock, onClosed: ((closed: Closed) => void) | undefined) {
  return {
    left: (room: Parameters<Corridor['observer']['left']>[0], _file: unknown, milliseconds: number) => metrics.roomTook(room, milliseconds),
    closed(closed: Closed) {
      metrics.caseClosed(closed.outcome, closed.reason)
      metrics.processed('decision' in closed.page ? closed.page.decision.action : 'none', closed.outcome)
      log.info(caseLine(closed, clock.now()), 'case closed')
      onClosed?.(closed)
    },
    parked: (parked: Parked) => log.debug({ case: parked.page.id, waitingFor: parked.waitingFor, until: parked.until }, parked.because),
    screened: () => undefined,
    trouble: (error: unknown, of: string | undefined) => log.error({ ...(of !== undefined && { case: of }), ...errorFields(error) }, 'a case could not go on'),
  }
}
