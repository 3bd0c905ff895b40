// Posts a controller's pod as the API server would take it: limits filled in and checked, quotas asked.
import { checkLimits, withLimitDefaults } from '../limits.ts'
import { checkQuotas } from '../quota.ts'
import { Resources } from '../resources.ts'
import { Refusal } from '../status.ts'
import type { Store, Stored } from '../store.ts'
import type { Pod } from './pods.ts'

const pods = new Resources().ofKind('v1', 'Pod')

/** undefined when it is made; otherwise the API server's own sentence why not. */
export function createPod(store: Store, pod: Pod): string | undefined {
  const filled = withLimitDefaults(store, { ...pod })
  const object: Stored = { ...pod, spec: filled['spec'] }
  try {
    if (pods) checkLimits(store, pods, object)
    if (pods) checkQuotas(store, pods, object)
  } catch (refused) {
    if (refused instanceof Refusal) return refused.message
    throw refused
  }
  store.create(object)
  return undefined
}
