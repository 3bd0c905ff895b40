// Admission: what a namespace's limits and quotas say about an object before it is kept.
import type { Cluster } from './call.ts'
import { at, equal, type Plain } from './fields.ts'
import { checkLimits, hasLimits, withLimitDefaults } from './limits.ts'
import { checkQuotas } from './quota.ts'
import type { Resource } from './resources.ts'
import type { Stored } from './store.ts'

export const prepared = ({ store }: Cluster, resource: Resource, object: Plain): Plain => (resource.stored === 'Pod' ? withLimitDefaults(store, object) : object)

export function admitNew({ store }: Cluster, resource: Resource, object: Stored): void {
  if (!resource.namespaced) return
  if (hasLimits(resource)) checkLimits(store, resource, object)
  checkQuotas(store, resource, object)
}
/** Only a change of what is asked for is judged again: a resize of a pod, a larger claim. */
export function admitChange({ store }: Cluster, resource: Resource, before: Stored, next: Stored): void {
  if (!hasLimits(resource) || equal(at(before, 'spec'), at(next, 'spec'))) return
  checkLimits(store, resource, next)
  checkQuotas(store, resource, next, before)
}
