// A plan that the gates stopped: it ends, waits, or asks people.
import { type Answer, type Closed, close, type Parked, type Planned, park } from '../domain/case-file.ts'
import type { WaitingFor } from '../domain/outcome.ts'

export interface Holding {
  readonly now: number
  /** No longer than until then. */
  readonly heldUntil: number
}
type Stop = Extract<Answer, { says: 'refuse' | 'hold' | 'ask' }>

const SOON_MS = 1_000
const LOOK_AGAIN_MS = 5_000

export function stopped(file: Planned, answers: readonly Answer[], { now, heldUntil }: Holding): Parked | Closed {
  const says = (kind: Stop['says']) => answers.filter((answer): answer is Stop => answer.says === kind)
  const refusal = refused(file, says('refuse'), answers)
  if (refusal) return refusal
  const holds = says('hold')
  const first = holds[0] ?? says('ask')[0]
  if (!first) return close(file, 'failed', 'INTERNAL', 'no gate stopped the plan and no permit was given', { answers })
  if (now >= heldUntil) return close(file, 'refused', 'HELD_TOO_LONG', `held too long: ${first.why}. ${first.remedy}`, { answers })
  if (holds.length === 0) return park(file, 'approval', heldUntil, `${first.why}. ${first.remedy}`, answers)
  const until = Math.min(heldUntil, Math.max(now + SOON_MS, ...holds.map((answer) => answer.until ?? now + LOOK_AGAIN_MS)))
  return park(file, waitingFor(first.code), until, first.why, answers)
}

/** That the alert has ended counts before everything else, and that only the mode stops it after everything else. */
function refused(file: Planned, refusals: readonly Stop[], answers: readonly Answer[]): Closed | undefined {
  const resolved = refusals.find(({ code }) => code === 'ALERT_RESOLVED')
  if (resolved) return close(file, 'cancelled', 'RESOLVED_BEFORE_ACTION', resolved.why, { answers })
  const refusal = refusals.find(({ code }) => code !== 'OBSERVE_MODE')
  if (refusal) return close(file, 'refused', refusal.code, `${refusal.why}. ${refusal.remedy}`, { answers })
  return refusals.length > 0 ? close(file, 'observed', 'OBSERVE_MODE', `would have acted: ${file.plan.summary}`, { answers }) : undefined
}

const WAITS: readonly (readonly [RegExp, WaitingFor])[] = [
  [/^COOLDOWN/, 'cooldown'],
  [/^BUDGET/, 'budget'],
  [/^(?:MAINTENANCE|ALERT_SUPPRESSED)/, 'window'],
  [/^(?:POLICY|KILL)/, 'policy'],
]
/** What a gate's hold waits for, as the open case shows it. */
const waitingFor = (code: string): WaitingFor => WAITS.find(([pattern]) => pattern.test(code))?.[1] ?? 'retry'
