// A case is a file that gains pages. Each page is a type; a room takes the page before it and returns its own or an ending.
import { type Alert, alertName } from './alert.ts'
import type { Decision, Explanation } from './decision.ts'
import type { Outcome, WaitingFor } from './outcome.ts'
import type { Plan } from './plan.ts'
import type { Mode } from './policy.ts'
import type { Target } from './target.ts'

export type CaseId = string & { readonly __caseId: never }
export const caseId = (text: string): CaseId => text as CaseId

/** What one gate said. `not-asked` only for the rehearsal when another gate already stopped the plan. */
export type Answer =
  | { readonly gate: string; readonly says: 'pass' }
  | { readonly gate: string; readonly says: 'not-asked' }
  | {
      readonly gate: string
      readonly says: 'refuse' | 'hold' | 'ask'
      readonly code: string
      /** A sentence for people. */
      readonly why: string
      /** What would change the answer. */
      readonly remedy: string
      /** hold: look again at this time, ms. */
      readonly until?: number
    }

interface Pages {
  /** Everything that fired for this case so far; the first is the one that opened it. */
  opened: { readonly id: CaseId; readonly openedAt: number; readonly alerts: readonly [Alert, ...Alert[]] }
  located: { readonly target: Target }
  decided: { readonly decision: Decision; readonly explanation: Explanation }
  planned: { readonly plan: Plan }
  /** Something was written, or had to be assumed written. Never planned again: only verified. */
  applied: {
    readonly mode: Mode
    readonly appliedAt: number
    /** False when an answer was lost and nobody can tell whether the write happened. */
    readonly certain: boolean
    /** Since when the owner has been good without a break. */
    readonly goodSince: number | undefined
    /** `object`: lane and slot are held until it has settled; `alert`: only the alert's end is waited for. */
    readonly watching: 'object' | 'alert'
    /** Look again at. */
    readonly checkAt: number
    /** It is being taken back, since before the undo was sent. */
    readonly undoing?: { readonly reason: 'MADE_WORSE' | 'UNDONE_BY_PERSON'; readonly why: string }
  }
}
type Order = ['opened', 'located', 'decided', 'planned', 'applied']
type UpTo<At, O extends readonly unknown[] = Order> = O extends readonly [infer Head extends keyof Pages, ...infer Rest]
  ? Pages[Head] & (Head extends At ? unknown : UpTo<At, Rest>)
  : unknown

/** The file as it stands at one page: `At<'decided'>` has everything up to and including the decision. */
export type At<P extends keyof Pages> = { readonly at: P } & UpTo<P>
export type Opened = At<'opened'>
export type Located = At<'located'>
export type Decided = At<'decided'>
export type Planned = At<'planned'>
export type Applied = At<'applied'>
export type Open = Opened | Located | Decided | Planned | Applied

export interface Closed {
  readonly at: 'closed'
  readonly page: Open
  readonly outcome: Outcome
  /** From REASONS, or the code of the gate that refused. */
  readonly reason: string
  /** A sentence for people. */
  readonly because: string
  readonly answers?: readonly Answer[]
  readonly explanation?: Explanation
}
export interface Parked {
  readonly at: 'parked'
  readonly page: Open
  readonly waitingFor: WaitingFor
  /** Look again at, ms. */
  readonly until: number
  readonly because: string
  readonly answers?: readonly Answer[]
}
export type Next<P extends Open> = P | Parked | Closed

type Alerts = Opened['alerts']
const MAX_ALERTS = 100
/**
 * The alerts of a page and those that join. A page carries a bounded number, and beyond it only names that it does not have yet: rules
 * and checks go by the name. What is left out belongs to the case all the same.
 */
export function withAlerts(present: Alerts, joining: readonly Alert[]): Alerts {
  const [first, ...rest] = present
  const names = new Set(present.map(alertName))
  const room = joining.slice(0, Math.max(0, MAX_ALERTS - present.length))
  const news = joining.slice(room.length).filter((alert) => !names.has(alertName(alert)) && names.add(alertName(alert)))
  return [first, ...rest, ...room, ...news]
}

type Extra = Partial<Pick<Closed, 'answers' | 'explanation'>>
export const close = (page: Open, outcome: Outcome, reason: string, because: string, extra: Extra = {}): Closed => ({ at: 'closed', page, outcome, reason, because, ...extra })
export const park = (page: Open, waitingFor: WaitingFor, until: number, because: string, answers?: readonly Answer[]): Parked => ({
  at: 'parked',
  page,
  waitingFor,
  until,
  because,
  ...(answers && { answers }),
})
