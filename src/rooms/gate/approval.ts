// Gate 18: a person's yes to exactly this plan, where the mode or the plan's safety class asks for one.

import type { Safety } from '../../domain/plan.ts'
import { planHash } from '../../domain/plan-hash.ts'
import type { Policy } from '../../domain/policy.ts'
import { isUnknown } from '../../domain/unknown.ts'
import { effectiveMode } from './effective-mode.ts'
import { writes } from './seen.ts'
import { ask, type Gate, PASS } from './verdict.ts'

const RANKS: readonly Safety[] = ['harmless', 'reversible', 'disruptive', 'destructive']
const above = (safety: Safety, { approveAbove }: Policy): boolean => RANKS.indexOf(safety) > RANKS.indexOf(approveAbove)

export const approval: Gate = {
  name: 'approval',
  judge(file, seen) {
    const { plan } = file
    if (!writes(plan)) return PASS
    const effective = effectiveMode(file, seen)
    const askedByMode = isUnknown(effective) || effective.mode !== 'enforce'
    if (!askedByMode && !above(plan.safety, seen.policy)) return PASS
    if (seen.approval && seen.approval.by !== '' && seen.approval.planHash === planHash(plan)) return PASS
    const why = askedByMode ? 'the mode asks for a yes' : `${plan.action} is ${plan.safety}, and everything above ${seen.policy.approveAbove} needs a yes`
    return ask('APPROVAL_NEEDED', `a person has to approve: ${why}`, `approve plan ${planHash(plan)}`)
  },
}
