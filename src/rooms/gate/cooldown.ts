// Gate 13: the same action on the same workload for the same alert waits until the cooldown is over.
import { formatDuration } from '../../domain/duration.ts'
import { byPast, triesOf } from './past.ts'
import { type Gate, hold, PASS } from './verdict.ts'

export const cooldown: Gate = {
  name: 'cooldown',
  judge: (file, seen, now) =>
    byPast(file, seen, now, (past) => {
      const { cooldownMs } = seen.policy
      const newest = Math.max(...triesOf(file, past).map(({ at }) => at))
      if (!(newest + cooldownMs > now)) return PASS
      const why = `${file.plan.action} was tried here ${formatDuration(Math.max(0, now - newest))} ago, and the cooldown is ${formatDuration(cooldownMs)}`
      return hold('COOLDOWN', why, 'wait, or shorten actions.cooldown_period', newest + cooldownMs)
    }),
}
