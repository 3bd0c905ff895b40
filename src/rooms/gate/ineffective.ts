// Gate 15: what did not help several times in a row is not tried again.
import type { Attempt } from '../../domain/history.ts'
import { byPast, triesOf } from './past.ts'
import { type Gate, PASS, refuse } from './verdict.ts'

const VAIN: readonly Attempt['outcome'][] = ['unproven', 'undone', 'failed']

export const ineffective: Gate = {
  name: 'ineffective',
  judge: (file, seen, now) =>
    byPast(file, seen, now, (past) => {
      const limit = seen.policy.ineffectiveLimit
      const vain = vainInARow(triesOf(file, past))
      if (vain < limit) return PASS
      const why = `${file.plan.action} did not help ${file.target.owner.kind} ${file.target.owner.name} ${vain} times in a row`
      return refuse('INEFFECTIVE', why, 'another remedy: a person looks at what the cases have in common')
    }),
}

/** Newest first until one that was fixed; attempts that are still being verified prove nothing either way. */
function vainInARow(tries: readonly Attempt[]): number {
  const judged = tries.filter(({ outcome }) => outcome !== undefined).toSorted((a, b) => b.at - a.at)
  const fixed = judged.findIndex(({ outcome }) => outcome === 'fixed')
  return judged.slice(0, fixed < 0 ? undefined : fixed).filter(({ outcome }) => VAIN.includes(outcome)).length
}
