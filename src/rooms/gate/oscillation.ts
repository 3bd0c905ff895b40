// Gate 14: a workload whose changes keep being undone or reversed is not swung once more, and what was undone here is not done again.
import { formatDuration } from '../../domain/duration.ts'
import type { Attempt } from '../../domain/history.ts'
import { directionOf } from '../../domain/plan.ts'
import { byPast } from './past.ts'
import { type Gate, PASS, refuse } from './verdict.ts'

type Move = Pick<Attempt, 'at' | 'action' | 'direction'>

export const oscillation: Gate = {
  name: 'oscillation',
  judge: (file, seen, now) =>
    byPast(file, seen, now, ({ owner }) => {
      const { limit, windowMs } = seen.policy.oscillation
      const within = owner.filter(({ at, caseId }) => caseId !== file.id && at > now - windowMs)
      // Whatever alert asks for it now: it made this workload worse, and was taken back.
      const same = within.find(({ action, outcome }) => action === file.plan.action && outcome === 'undone')
      if (same) {
        const why = `${file.plan.action} was tried on ${file.target.owner.kind} ${file.target.owner.name} ${formatDuration(now - same.at)} ago and undone`
        return refuse('OSCILLATION', why, 'a person finds out why it made things worse')
      }
      const undone = within.filter(({ outcome }) => outcome === 'undone').length
      const planned: Move = { at: now, action: file.plan.action, direction: directionOf(file.plan.blast) }
      const count = undone + reversals([...within.filter(({ outcome }) => outcome !== 'undone'), planned])
      if (count < limit) return PASS
      const why = `${count} changes of ${file.target.owner.kind} ${file.target.owner.name} were undone or reversed within ${formatDuration(windowMs)}, this one included where it reverses the last`
      return refuse('OSCILLATION', why, 'a person finds out what the two sides are fighting for')
    }),
}

/** Turns from up to down or back, per action: restarts in between do not hide them. */
function reversals(moves: readonly Move[]): number {
  const last = new Map<string, 'up' | 'down'>()
  let turns = 0
  for (const { action, direction } of moves.toSorted((a, b) => a.at - b.at)) {
    if (direction === undefined) continue
    const before = last.get(action)
    if (before !== undefined && before !== direction) turns++
    last.set(action, direction)
  }
  return turns
}
