// Outcomes are not errors: how a case ended, and the closed list of reasons for it.

export type Outcome = 'fixed' | 'unproven' | 'undone' | 'refused' | 'told' | 'observed' | 'cancelled' | 'failed'

export type WaitingFor = 'cooldown' | 'approval' | 'window' | 'model' | 'verification' | 'lane' | 'policy' | 'budget' | 'retry'

/** Why a case ended. Gates add their own codes (see rooms/gate): a refusal's reason is the gate's code. */
export const REASONS = [
  'VERIFIED', // fixed: good for the settling time, alert gone
  'NOT_BETTER', // unproven: settled, no better, left in place
  'STILL_FIRING', // unproven: the object is good, an alert of the name still fires
  'REVERTED', // unproven: somebody else changed what the plan had changed
  'EFFECT_UNKNOWN', // unproven: after a crash or an ambiguous answer nobody can tell
  'MADE_WORSE', // undone
  'UNDONE_BY_PERSON',
  'UNDO_REFUSED', // unproven: worse, and the undo did not pass
  'RESOLVED_BEFORE_ACTION', // cancelled
  'TARGET_GONE', // cancelled
  'FILTERED', // screened out
  'JOINED_CASE', // never filed: another open case of the same target took the alert
  'REJECTED_BY_PERSON', // refused
  'NO_TARGET', // told
  'TARGET_AMBIGUOUS',
  'OTHER_NAMESPACE',
  'RULE_SAYS_TELL', // told: a rule says notify_only
  'NO_RULE', // told: nothing matched and nothing may be asked
  'AMBIGUOUS_NO_MODEL', // told
  'AMBIGUOUS_CONFLICT',
  'DIAGNOSTICS_KEPT', // told: collected, people look
  'ACTION_UNKNOWN', // failed
  'PARAMETERS_INVALID', // refused
  'TARGET_UNFIT', // refused: the action does not act on this kind
  'NOTHING_TO_CHANGE', // refused: the plan has no step
  'PLAN_REFUSED', // refused by the action: it cannot be done here
  'HELD_TOO_LONG', // refused
  'OBSERVE_MODE', // observed
  'CLUSTER_UNREACHABLE', // failed
  'CLUSTER_CONFLICT', // failed: kept changing under us
  'CLUSTER_REFUSED', // failed: 403, 422, admission
  'WRITE_FAILED', // failed
  'STORE_FAILED',
  'WALK_DID_NOT_END',
  'INTERNAL',
] as const
export type Reason = (typeof REASONS)[number]
