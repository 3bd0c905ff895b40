// The way through the gates: look, judge, rehearse when nothing but a person's yes is missing, and a permit when all is passed.
import type { Answer, Planned } from '../../domain/case-file.ts'
import { GATES, GATES_FOR_UNDO, gate } from './gate.ts'
import { type Permit, permit } from './permit.ts'
import { REHEARSAL, type Rehearse, rehearsal } from './rehearsal.ts'
import type { Seen } from './seen.ts'
import { undoAsPlan } from './undo.ts'
import type { Gate } from './verdict.ts'

export interface GateRoom {
  readonly look: (file: Planned) => Promise<Seen>
  readonly rehearse: Rehearse
  readonly now: () => number
}
export interface Passed {
  readonly answers: readonly Answer[]
  readonly permit?: Permit
}

/** Rehearsed before people are asked, so that they are not asked for what cannot be done, and again before the write. */
const dueForRehearsal = (answers: readonly Answer[]): boolean => answers.every(({ gate: name, says }) => name === REHEARSAL || says === 'pass' || says === 'ask')

async function through(room: GateRoom, file: Planned, seen: Seen, gates: readonly Gate[]): Promise<Passed> {
  const judged = gate(file, seen, room.now(), gates)
  if (!dueForRehearsal(judged)) return { answers: judged }
  const verdict = await rehearsal(file, room.rehearse, room.now)
  const answers = judged.map((answer): Answer => (answer.gate === REHEARSAL ? { gate: REHEARSAL, ...verdict } : answer))
  const issued = permit(file, file.plan.steps, answers, room.now())
  return { answers, ...(issued && { permit: issued }) }
}

export const passGates =
  (room: GateRoom) =>
  async (file: Planned): Promise<Passed> =>
    through(room, file, await room.look(file), GATES)

/** For the undo of a case: its permit carries the undo steps. No answers and no permit where the plan has no undo. */
export const passGatesForUndo =
  (room: GateRoom) =>
  async (file: Planned): Promise<Passed> => {
    const undo = undoAsPlan(file)
    if (!undo) return { answers: [] }
    const seen = await room.look(undo)
    // An action that is not allowed any more may still be taken back.
    return through(room, undo, { ...seen, policy: { ...seen.policy, allowedActions: undefined } }, GATES_FOR_UNDO)
  }
