// Room 6 of 10, a pipeline stage: takes a planned case and gives every gate's answer. Pure: it judges what look.ts saw.
import type { Answer, Planned } from '../../domain/case-file.ts'
import { alertFiring } from './alert-firing.ts'
import { approval } from './approval.ts'
import { budget } from './budget.ts'
import { clock } from './clock.ts'
import { confidence } from './confidence.ts'
import { cooldown } from './cooldown.ts'
import { disruption } from './disruption.ts'
import { evidence } from './evidence.ts'
import { ineffective } from './ineffective.ts'
import { killSwitch } from './kill-switch.ts'
import { limits } from './limits.ts'
import { maintenanceWindow } from './maintenance-window.ts'
import { mode } from './mode.ts'
import { oscillation } from './oscillation.ts'
import { ownNamespace } from './own-namespace.ts'
import { ownPod } from './own-pod.ts'
import { ownerReverts } from './owner-reverts.ts'
import { protectedObjects } from './protected-objects.ts'
import { REHEARSAL } from './rehearsal.ts'
import { rights } from './rights.ts'
import type { Seen } from './seen.ts'
import type { Gate } from './verdict.ts'

/** In this order; the first that stops gives the case its reason. The rehearsal comes after them. */
export const GATES: readonly Gate[] = [
  killSwitch,
  mode,
  ownNamespace,
  protectedObjects,
  ownPod,
  alertFiring,
  ownerReverts,
  rights,
  limits,
  disruption,
  evidence,
  clock,
  budget,
  cooldown,
  oscillation,
  ineffective,
  maintenanceWindow,
  confidence,
  approval,
]

/**
 * What still applies when a change is taken back. Left out are the gates that ask whether one should act at all: the case acted
 * already, and leaving the workload worse than it was is the greater harm.
 */
export const GATES_FOR_UNDO: readonly Gate[] = [killSwitch, mode, ownNamespace, protectedObjects, ownPod, ownerReverts, rights]

/** Every gate is asked, so that an explanation is complete; the rehearsal is not asked here. */
export function gate(file: Planned, seen: Seen, now: number, gates: readonly Gate[] = GATES): readonly Answer[] {
  return [...gates.map(({ name, judge }): Answer => ({ gate: name, ...judge(file, seen, now) })), { gate: REHEARSAL, says: 'not-asked' }]
}
