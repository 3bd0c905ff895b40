// Rows of the history as domain values. What was written by this program is read back here and nowhere else.
import type { Alert } from '../../domain/alert.ts'
import { type CaseId, caseId, type Open } from '../../domain/case-file.ts'
import { Fault } from '../../domain/fault.ts'
import type { Attempt } from '../../domain/history.ts'
import type { Outcome, WaitingFor } from '../../domain/outcome.ts'
import type { Row } from '../../libsql/database.ts'

export type CaseState = 'walking' | 'parked' | 'intended' | 'applied' | 'closed'

export interface StoredCase {
  readonly id: CaseId
  readonly state: CaseState
  readonly page: Open
  readonly openedAt: number
  readonly closedAt: number | undefined
  readonly alert: string
  readonly owner: string | undefined
  readonly action: string | undefined
  readonly rule: string | undefined
  readonly decidedBy: string | undefined
  readonly outcome: Outcome | undefined
  readonly reason: string | undefined
  readonly because: string | undefined
  readonly waitingFor: WaitingFor | undefined
  readonly dueAt: number | undefined
  /** Since when it has been held without a break. */
  readonly heldSince: number | undefined
  readonly intentAt: number | undefined
  readonly planHash: string | undefined
}

export interface CaseEvent {
  readonly id: string
  readonly at: number
  readonly kind: EventKind
  readonly body: unknown
}
export const EVENT_KINDS = ['opened', 'joined', 'parked', 'intended', 'withdrawn', 'applied', 'closed', 'undone', 'ordered', 'told'] as const
export type EventKind = (typeof EVENT_KINDS)[number]

const OUTCOMES = ['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed'] as const satisfies readonly Outcome[]
const STATES = ['walking', 'parked', 'intended', 'applied', 'closed'] as const satisfies readonly CaseState[]
const WAITS = ['cooldown', 'approval', 'window', 'model', 'verification', 'lane', 'policy', 'budget', 'retry'] as const satisfies readonly WaitingFor[]

const one = <T extends string>(of: readonly T[], value: unknown): T | undefined => of.find((known) => known === value)
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const count = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

/** A page that this program wrote; its shape is checked only as far as a damaged file could mislead the walk. */
const isPage = (value: unknown): value is Open =>
  typeof value === 'object' &&
  value !== null &&
  'at' in value &&
  typeof value.at === 'string' &&
  'id' in value &&
  'alerts' in value &&
  Array.isArray(value.alerts) &&
  value.alerts.length > 0
const isAlert = (value: unknown): value is Alert => typeof value === 'object' && value !== null && 'fingerprint' in value && 'labels' in value && 'startsAt' in value

function parsed<T>(json: unknown, fits: (value: unknown) => value is T, what: string): T {
  const value: unknown = JSON.parse(text(json) ?? 'null')
  if (!fits(value)) throw new Fault('STORE_UNAVAILABLE', `the history file holds a damaged ${what}`)
  return value
}
/** Without a prototype, as the door made them: a label may be called `constructor`. */
const bare = (alert: Alert): Alert => ({ ...alert, labels: Object.assign(Object.create(null), alert.labels), annotations: Object.assign(Object.create(null), alert.annotations) })
export const readAlert = (json: unknown): Alert => bare(parsed(json, isAlert, 'alert'))
export function readPage(json: unknown): Open {
  const page = parsed(json, isPage, 'case')
  const [first, ...more] = page.alerts
  return { ...page, alerts: [bare(first), ...more.map(bare)] }
}

export const readCase = (row: Row): StoredCase => ({
  id: caseId(String(row['id'])),
  state: one(STATES, row['state']) ?? 'walking',
  page: readPage(row['page']),
  openedAt: Number(row['opened_at']),
  closedAt: count(row['closed_at']),
  alert: String(row['alert_name']),
  owner: text(row['owner']),
  action: text(row['action']),
  rule: text(row['rule']),
  decidedBy: text(row['decided_by']),
  outcome: one(OUTCOMES, row['outcome']),
  reason: text(row['reason']),
  because: text(row['because']),
  waitingFor: one(WAITS, row['waiting_for']),
  dueAt: count(row['due_at']),
  heldSince: count(row['held_since']),
  intentAt: count(row['intent_at']),
  planHash: text(row['plan_hash']),
})

export const readAttempt = (row: Row): Attempt => ({
  at: Number(row['intent_at']),
  caseId: String(row['id']),
  alert: String(row['alert_name']),
  owner: text(row['owner']) ?? '',
  rule: text(row['rule']),
  action: text(row['action']) ?? '',
  direction: one(['up', 'down'] as const, row['direction']),
  outcome: one(OUTCOMES, row['outcome']),
})

export const readEvent = (row: Row): CaseEvent => ({
  id: String(row['id']),
  at: Number(row['at']),
  kind: one(EVENT_KINDS, row['kind']) ?? 'opened',
  body: JSON.parse(text(row['body']) ?? 'null'),
})
