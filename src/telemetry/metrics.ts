// What Prometheus scrapes. Names are an interface; label values come from closed sets, so that no label of an alert can make a series of its own.
import Counter from 'prom-client/lib/counter.js'
import Gauge from 'prom-client/lib/gauge.js'
import Histogram from 'prom-client/lib/histogram.js'
import Registry from 'prom-client/lib/registry.js'
import { type Alert, severity } from '../domain/alert.ts'
import { type Outcome, REASONS } from '../domain/outcome.ts'

export interface MetricsOptions {
  /** The names that labels may have; everything else is `other`. */
  readonly known: {
    readonly namespaces: readonly string[]
    readonly actions: readonly string[]
    readonly models?: readonly string[]
    /** Codes of the gates, beside the reasons that cases end with. */
    readonly reasons?: readonly string[]
  }
  /** Read when somebody scrapes; undefined leaves the series out: unknown is not zero. */
  readonly gauges: {
    readonly queueLength: () => number | undefined
    readonly openCases: () => number | undefined
    readonly storeBytes: () => number | undefined
  }
  readonly startedAt: number
}

export interface Metrics {
  received(alert: Pick<Alert, 'labels'>): void
  delivered(at: number): void
  answered(code: number): void
  processed(action: string, status: Outcome): void
  consulted(model: string, seconds: number): void
  wrote(step: string, result: string): void
  caseClosed(outcome: Outcome, reason: string): void
  roomTook(room: string, milliseconds: number): void
  ruleHit(rule: string): void
  watchRestarted(kind: string): void
  bookLoaded(book: { readonly hash: string; readonly rules: readonly string[] }): void
  /** A book that was refused: the last good one stays. */
  bookRefused(): void
  readonly contentType: string
  text(): Promise<string>
}

const SEVERITIES = ['critical', 'warning', 'info', 'none']
const OUTCOMES: readonly Outcome[] = ['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed']
const ROOMS = ['screen', 'locate', 'decide', 'consult', 'plan', 'gate', 'intend', 'apply', 'verify', 'undo', 'record', 'tell']
const STEPS = ['patch', 'delete', 'evict', 'create', 'exec', 'wait']
const RESULTS = ['done', 'conflict', 'refused', 'failed', 'unknown']
const KINDS = [
  ...['Pod', 'ReplicaSet', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Service', 'PersistentVolumeClaim', 'HorizontalPodAutoscaler'],
  ...['PodDisruptionBudget', 'ResourceQuota', 'LimitRange', 'Event', 'ConfigMap', 'Lease', 'Node'],
]
const CODES = ['200', '400', '401', '403', '404', '405', '413', '415', '422', '429', '500', '503']

/** The value where it is one of these, else `other`. */
const closed = (values: Iterable<string>): ((value: string) => string) => {
  const set = new Set(values)
  return (value) => (set.has(value) ? value : 'other')
}

export function makeMetrics({ known, gauges, startedAt }: MetricsOptions): Metrics {
  const registry = new Registry()
  const { received, processed, consulted, wrote, cases, rooms, hits, restarts, answers, refusedBooks, book, delivered } = series(registry)
  readGauge(registry, 'alerts_slm_queue_length', 'Alerts that are committed and not yet walked.', gauges.queueLength)
  readGauge(registry, 'alerts_slm_open_cases', 'Cases that are not closed.', gauges.openCases)
  readGauge(registry, 'alerts_slm_store_bytes', 'Size of the history.', gauges.storeBytes)
  processSeries(registry, startedAt)
  const of = {
    severity: closed(SEVERITIES),
    namespace: closed(known.namespaces),
    // Cases that end before a decision have none.
    action: closed([...known.actions, 'none']),
    outcome: closed(OUTCOMES),
    model: closed(known.models ?? []),
    step: closed(STEPS),
    result: closed(RESULTS),
    reason: closed([...REASONS, ...(known.reasons ?? [])]),
    room: closed(ROOMS),
    rule: closed([]),
    kind: closed(KINDS),
    code: closed(CODES),
  }
  return {
    received: (alert) => received.inc({ severity: of.severity(severity(alert).toLowerCase()), namespace: of.namespace(alert.labels['namespace'] ?? '') }),
    delivered: (at) => delivered.set(at / 1_000),
    answered: (code) => answers.inc({ code: of.code(String(code)) }),
    processed: (action, status) => processed.inc({ action: of.action(action), status: of.outcome(status) }),
    consulted: (model, seconds) => consulted.observe({ model: of.model(model) }, seconds),
    wrote: (step, result) => wrote.inc({ type: of.step(step), result: of.result(result) }),
    caseClosed: (outcome, reason) => cases.inc({ outcome: of.outcome(outcome), reason: of.reason(reason) }),
    roomTook: (room, milliseconds) => rooms.observe({ room: of.room(room) }, milliseconds / 1_000),
    ruleHit: (rule) => hits.inc({ rule: of.rule(rule) }),
    watchRestarted: (kind) => restarts.inc({ kind: of.kind(kind) }),
    bookLoaded({ hash, rules }) {
      of.rule = closed(rules)
      book.reset()
      book.set({ hash }, rules.length)
    },
    bookRefused: () => refusedBooks.inc(),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}

function series(registry: Registry) {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, ...labelNames: readonly L[]) => new Counter({ name, help, labelNames: [...labelNames], registers })
  const histogram = <L extends string>(name: string, help: string, label: L, buckets: number[]) => new Histogram({ name, help, labelNames: [label], buckets, registers })
  const delivered = new Gauge({ name: 'alerts_slm_last_delivery_timestamp_seconds', help: 'When Alertmanager last delivered; absent before the first.', registers })
  // A gauge without labels begins at 0, which would be the year 1970.
  delivered.remove()
  return {
    received: counter('alerts_received_total', 'Alerts taken and committed.', 'severity', 'namespace'),
    processed: counter('alerts_processed_total', 'Cases that ended, by the action decided and how they ended.', 'action', 'status'),
    consulted: histogram('slm_requests_duration_seconds', 'Time of a question to the model.', 'model', [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 45, 60]),
    wrote: counter('k8s_actions_total', 'Writes sent to the API server, by kind of step and result.', 'type', 'result'),
    cases: counter('alerts_slm_cases_total', 'Cases that ended, by outcome and reason.', 'outcome', 'reason'),
    rooms: histogram('alerts_slm_room_seconds', 'Time that a case spent in one room.', 'room', [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]),
    hits: counter('alerts_slm_rule_hits_total', 'Decisions by rule.', 'rule'),
    restarts: counter('alerts_slm_watch_restarts_total', 'Watches that were begun again.', 'kind'),
    answers: counter('alerts_slm_webhook_requests_total', 'Answers of the webhook.', 'code'),
    refusedBooks: counter('alerts_slm_book_refused_total', 'Rule books that were refused while the last good one stayed.'),
    book: new Gauge({ name: 'alerts_slm_book_loaded', help: 'The rule book in use: its hash as label, the number of its rules as value.', labelNames: ['hash'], registers }),
    delivered,
  }
}

/** Read when somebody scrapes; left out where nothing is known. */
function readGauge(registry: Registry, name: string, help: string, read: () => number | undefined): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const value = read()
      if (value === undefined) this.remove()
      else this.set(value)
    },
  })
}

/** What every dashboard of a process asks for; the library's own set costs probes that run all the time. */
function processSeries(registry: Registry, startedAt: number): void {
  readGauge(registry, 'process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  readGauge(registry, 'process_start_time_seconds', 'Start of the process since the epoch.', () => startedAt / 1_000)
  readGauge(registry, 'nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed)
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system.',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1_000_000)
    },
  })
}
