// Earlier attempts, as budget, cooldown, oscillation and the count of vain tries read them.
import { alertName } from '../../domain/alert.ts'
import type { Planned } from '../../domain/case-file.ts'
import type { Attempt } from '../../domain/history.ts'
import { isUnknown, type Unknown } from '../../domain/unknown.ts'
import { type PastAttempts, type Seen, writes } from './seen.ts'
import { hold, LOOK_AGAIN_MS, PASS, type Verdict } from './verdict.ts'

/** Judges by the past where there is one to read; a plan that writes nothing has no attempts to count. */
export function byPast(file: Planned, { past }: Seen, now: number, judge: (past: PastAttempts) => Verdict): Verdict {
  if (!writes(file.plan)) return PASS
  return isUnknown(past) ? unread(past, now) : judge(past)
}
const unread = ({ unknown: why }: Unknown, now: number): Verdict =>
  hold('HISTORY_UNREADABLE', `earlier attempts are not known: ${why}`, 'make the data directory and the ConfigMap alerts-slm-ledger readable', now + LOOK_AGAIN_MS)

/** Attempts count per top owner, alert name and action, never per fingerprint. The case's own attempt is not an earlier one. */
export function triesOf(file: Planned, { owner }: PastAttempts): readonly Attempt[] {
  const alerts = new Set(file.alerts.map(alertName))
  return owner.filter(({ caseId, action, alert }) => caseId !== file.id && action === file.plan.action && alerts.has(alert))
}
