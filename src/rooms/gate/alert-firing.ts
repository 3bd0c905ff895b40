// Gate 6: the alert still fires, and nobody has silenced or inhibited it.
import { isUnknown } from '../../domain/unknown.ts'
import { writes } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS, refuse } from './verdict.ts'

export const alertFiring: Gate = {
  name: 'alert-firing',
  judge({ plan }, { alert }, now) {
    if (alert === 'firing') return PASS
    if (alert === 'resolved') return refuse('ALERT_RESOLVED', 'the alert does not fire any more', 'nothing: if it fires again it is judged again')
    // Looking at a silenced object harms nobody; changing it goes over the head of whoever silenced it.
    if (!writes(plan)) return PASS
    if (isUnknown(alert))
      return hold('ALERT_UNKNOWN', `whether the alert still fires is not known: ${alert.unknown}`, 'make Alertmanager reachable (alertmanager.urls)', now + LOOK_AGAIN_MS)
    return hold('ALERT_SUPPRESSED', 'the alert is silenced or inhibited', 'the silence ends, or the inhibiting alert does', now + LOOK_AGAIN_MS)
  },
}
