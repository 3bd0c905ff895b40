// Before everything that counts time: when our clock and the API server's disagree, no age, cooldown or budget can be told.
import { formatDuration } from '../../domain/duration.ts'
import { writes } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS } from './verdict.ts'

/** Nodes that keep time differ by less than a second; the API server tells its own in whole seconds. */
const TOLERATED_MS = 60_000

export const clock: Gate = {
  name: 'clock',
  judge({ plan }, { clockOffMs = 0 }, now) {
    if (!writes(plan) || Math.abs(clockOffMs) <= TOLERATED_MS) return PASS
    const why = `our clock is ${formatDuration(Math.abs(clockOffMs))} ${clockOffMs > 0 ? 'ahead of' : 'behind'} the API server's`
    return hold('CLOCK_ODD', why, "set the node's clock: ages, cooldowns and budgets cannot be told by it", now + LOOK_AGAIN_MS)
  },
}
