// The last look, in the same synchronous turn as the intent: what other cases may have changed since the gates were passed.
import type { Answer, Planned } from '../../domain/case-file.ts'
import type { Attempts } from '../../domain/history.ts'
import type { Policy } from '../../domain/policy.ts'
import { ownerKey } from '../../domain/target.ts'
import { isUnknown } from '../../domain/unknown.ts'
import { budget } from './budget.ts'
import { cooldown } from './cooldown.ts'
import { gate } from './gate.ts'
import { killSwitch } from './kill-switch.ts'
import { mode } from './mode.ts'
import type { PastAttempts, Seen } from './seen.ts'
import type { Gate } from './verdict.ts'

/** Only what can change by another case's intent or by the operator's hand; the rest was judged a moment ago. */
const RECHECKED: readonly Gate[] = [killSwitch, mode, budget, cooldown]

export interface Latest {
  readonly policy: Policy
  readonly attempts: Attempts
  readonly now: number
}

/** The answers that stop the plan after all; empty: go on. Five cases that passed a budget of one together are four too many. */
export function recheck(file: Planned, seen: Seen, { policy, attempts, now }: Latest): readonly Answer[] {
  const past = isUnknown(seen.past) ? seen.past : withNew(seen.past, file, policy, attempts, now)
  return gate(file, { ...seen, policy, past }, now, RECHECKED).filter(({ says }) => says !== 'pass' && says !== 'not-asked')
}

function withNew(past: PastAttempts, { target, decision }: Planned, policy: Policy, attempts: Attempts, now: number): PastAttempts {
  const since = now - Math.max(policy.budget.windowMs, policy.cooldownMs)
  const added = (known: PastAttempts['owner'], local: PastAttempts['owner']) => [...local.filter(({ caseId }) => known.every((one) => one.caseId !== caseId)), ...known]
  return {
    owner: added(past.owner, attempts.forOwner(ownerKey(target.owner), since)),
    rule: decision.rule === undefined ? past.rule : added(past.rule, attempts.forRule(decision.rule, since)),
    namespace: added(past.namespace, attempts.inNamespace(since)),
  }
}
