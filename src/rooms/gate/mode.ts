// Gate 2: observe, approve or enforce, and whether the operator allowed this action at all.
import { isUnknown } from '../../domain/unknown.ts'
import { effectiveMode } from './effective-mode.ts'
import { writes } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS, refuse } from './verdict.ts'

/** Telling people is what is left when everything else is forbidden. */
const ALWAYS_ALLOWED = 'notify_only'

export const mode: Gate = {
  name: 'mode',
  judge(file, seen, now) {
    const { action } = file.plan
    const { allowedActions } = seen.policy
    if (allowedActions && action !== ALWAYS_ALLOWED && !allowedActions.includes(action))
      return refuse('ACTION_NOT_ALLOWED', `${action} is not among the allowed actions`, 'the operator adds it to actions.allowed')
    if (!writes(file.plan)) return PASS
    const effective = effectiveMode(file, seen)
    if (isUnknown(effective)) return hold('OBJECT_UNREADABLE', `the mode of the workload is not known: ${effective.unknown}`, 'make the object readable', now + LOOK_AGAIN_MS)
    if (effective.mode !== 'observe') return PASS
    return refuse('OBSERVE_MODE', `nothing is written: ${effective.why}`, 'set the mode to approve or enforce in policy and labels')
  },
}
