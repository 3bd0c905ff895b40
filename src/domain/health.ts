// Better, same or worse: how two readings of one workload's health compare. What `undoWhen` and the verdict of a case rest on.
import type { Health } from './plan.ts'

export type Comparison = 'better' | 'same' | 'worse'

/**
 * What counts, in order of weight; higher is better. A lower place speaks only where all before it are equal, so every
 * two readings compare and `worse` one way is `better` the other way. In words, worse is:
 * the object vanished; it was good and no longer is; fewer pods serve; or as many serve and more of them fail.
 *
 * Good is good: of two good readings none is worse, so a scale-down that was wanted is no loss. A rollout may surge above
 * the wanted count while old and new pods fail alike: failing pods beyond that count are not held against it.
 * Restarts and readiness do not count: the first only grow, the second flutters with every probe.
 */
function weights(health: Health): readonly number[] {
  if (!health.exists) return [0, 0, 0, 0]
  if (health.good) return [1, 1, 0, 0]
  return [1, 0, health.available, -Math.min(health.failing, Math.max(health.desired, 1))]
}

export function compareHealth(before: Health, now: Health): Comparison {
  const was = weights(before)
  for (const [place, weight] of weights(now).entries()) {
    const difference = weight - (was[place] ?? 0)
    if (difference !== 0) return difference > 0 ? 'better' : 'worse'
  }
  return 'same'
}
