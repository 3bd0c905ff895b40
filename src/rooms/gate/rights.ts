// Gate 8: the service account holds every right that the steps, their undo and the check need.
import { isUnknown } from '../../domain/unknown.ts'
import type { MissingRight } from '../../kube/access.ts'
import { writes } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS, refuse } from './verdict.ts'

const named = ({ right, verb }: MissingRight): string => `${verb} ${right.resource}${right.apiGroup ? `.${right.apiGroup}` : ''}`

export const rights: Gate = {
  name: 'rights',
  judge({ plan }, { missingRights, namespace }, now) {
    if (isUnknown(missingRights)) {
      if (!writes(plan)) return PASS
      return hold('RIGHTS_UNKNOWN', `the own rights are not known: ${missingRights.unknown}`, 'make the API server answer access reviews', now + LOOK_AGAIN_MS)
    }
    if (missingRights.length === 0) return PASS
    const list = [...new Set(missingRights.map(named))].join(', ')
    return refuse(
      'RIGHT_MISSING',
      `the service account may not ${list} in ${namespace}`,
      `bind the ClusterRole of ${plan.action} in ${namespace}; \`alerts-slm doctor\` prints what is missing`,
    )
  },
}
