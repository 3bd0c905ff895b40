// Gate 1: the kill switch, and whether the policy is fresh enough to be believed.
import { formatDuration } from '../../domain/duration.ts'
import { writes } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS, refuse } from './verdict.ts'

export const killSwitch: Gate = {
  name: 'kill-switch',
  judge({ plan }, { policy }, now) {
    if (!writes(plan)) return PASS
    if (policy.killSwitch) return refuse('KILL_SWITCH', 'the kill switch is on', 'switch it off in the policy; the alert is judged again when it repeats')
    // A confirmation from the future means that the clock went back: its age cannot be told.
    const age = Math.abs(now - policy.confirmedAt)
    if (age <= policy.confirmWithinMs) return PASS
    const why = `the policy was last confirmed ${formatDuration(age)} ${now < policy.confirmedAt ? 'in the future' : 'ago'}; ${formatDuration(policy.confirmWithinMs)} is the limit`
    return hold('POLICY_STALE', why, "make the policy's source readable again; `alerts-slm doctor` names it", now + LOOK_AGAIN_MS)
  },
}
