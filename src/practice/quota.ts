// ResourceQuota: what a namespace uses, and whether one more object fits.
import { at, listAt, plainAt, textAt, textsAt } from './fields.ts'
import { type Amounts, amountsAt, amountText, plus, podResources } from './pod-resources.ts'
import { type Resource, type Resources, storedAs } from './resources.ts'
import { forbidden } from './status.ts'
import type { Store, Stored } from './store.ts'

/** Kinds that older quotas count by their plain name. */
const COUNTED: Readonly<Record<string, string>> = {
  Pod: 'pods',
  Service: 'services',
  ConfigMap: 'configmaps',
  Secret: 'secrets',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  ReplicationController: 'replicationcontrollers',
  ResourceQuota: 'resourcequotas',
}
/** A quota over one of these wants every container to name it: how the first quotas were made, and kept. */
const MUST_NAME = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']

const over = (pod: Stored): boolean => ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? '')

/** Under every name by which a quota could count it. */
function usageOf(resource: Resource, object: Stored): Amounts {
  const count = { [`count/${resource.qualified}`]: 1 }
  if (resource.stored === 'Pod') return over(object) ? count : { ...count, pods: 1, ...computeUsage(podResources(object, 'requests'), podResources(object, 'limits')) }
  const plain = COUNTED[resource.stored]
  const counted = plain === undefined ? count : { ...count, [plain]: 1 }
  return resource.stored === 'PersistentVolumeClaim' ? { ...counted, 'requests.storage': amountsAt(object, 'spec', 'resources', 'requests')['storage'] ?? 0 } : counted
}
function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const named = (amounts: Amounts, prefix: string) => Object.entries(amounts).map(([name, amount]): [string, number] => [`${prefix}${name}`, amount])
  const plain = named(requests, '').filter(([name]) => ['cpu', 'memory', 'ephemeral-storage'].includes(name))
  return Object.fromEntries([...plain, ...named(requests, 'requests.'), ...named(limits, 'limits.')])
}

/** A scoped quota counts only the pods of its scopes. */
function inScope(quota: Stored, resource: Resource, object: Stored): boolean {
  const scopes = textsAt(quota, 'spec', 'scopes')
  if (scopes.length === 0) return true
  if (resource.stored !== 'Pod') return false
  const bestEffort = Object.keys({ ...podResources(object, 'requests'), ...podResources(object, 'limits') }).length === 0
  const terminating = at(object, 'spec', 'activeDeadlineSeconds') !== undefined
  const holds: Readonly<Record<string, boolean>> = { BestEffort: bestEffort, NotBestEffort: !bestEffort, Terminating: terminating, NotTerminating: !terminating }
  return scopes.every((scope) => holds[scope] === true)
}

/** What the quota's status says: its limits, and what the namespace uses of them. */
export function quotaStatus(store: Store, resources: Resources, quota: Stored): { readonly hard: object; readonly used: object } {
  const hard = plainAt(quota, 'spec', 'hard')
  const namespace = quota.metadata.namespace ?? ''
  const objects = store.kinds().flatMap(({ apiVersion, kind }) => {
    const resource = resources.ofKind(apiVersion, kind)
    return resource
      ? store
          .peekAll(storedAs(apiVersion, kind), namespace)
          .filter((object) => object.apiVersion === apiVersion && inScope(quota, resource, object))
          .map((object) => usageOf(resource, object))
      : []
  })
  const sum = objects.reduce(plus, {})
  return { hard, used: Object.fromEntries(Object.keys(hard).map((name) => [name, amountText(name, sum[name] ?? 0)])) }
}

/** Refuses what would exceed a quota. `before` is what the object used so far. */
export function checkQuotas(store: Store, resource: Resource, object: Stored, before?: Stored): void {
  for (const quota of store.peekAll('ResourceQuota', object.metadata.namespace)) {
    if (!inScope(quota, resource, object)) continue
    const hard = amountsAt(quota, 'status', 'hard')
    if (resource.stored === 'Pod') mustName(quota, Object.keys(hard), resource, object)
    const old = before ? usageOf(resource, before) : {}
    const delta = Object.entries(usageOf(resource, object)).map(([name, amount]): [string, number] => [name, amount - (old[name] ?? 0)])
    checkOne(
      quota,
      hard,
      delta.filter(([name, amount]) => name in hard && amount > 0),
      resource,
      object,
    )
  }
}
function checkOne(quota: Stored, hard: Amounts, delta: readonly [string, number][], resource: Resource, object: Stored): void {
  const used = amountsAt(quota, 'status', 'used')
  const exceeded = delta.filter(([name, amount]) => (used[name] ?? 0) + amount > (hard[name] ?? 0) + 1e-9).sort(([a], [b]) => (a < b ? -1 : 1))
  if (exceeded.length === 0) return
  const text = (amount: (name: string, asked: number) => string) => exceeded.map(([name, asked]) => `${name}=${amount(name, asked)}`).join(',')
  const status = (field: string) => text((name) => textAt(quota, 'status', field, name) ?? String(at(quota, 'status', field, name) ?? 0))
  const why = `exceeded quota: ${quota.metadata.name}, requested: ${text(amountText)}, used: ${status('used')}, limited: ${status('hard')}`
  throw forbidden(resource, object.metadata.name, why)
}
function mustName(quota: Stored, hard: readonly string[], resource: Resource, pod: Stored): void {
  const wanted = hard.filter((name) => MUST_NAME.includes(name)).sort()
  const containers = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')]
  const missing = wanted.flatMap((name) => {
    const silent = containers.filter((each) => !(name in computeUsage(amountsAt(each, 'resources', 'requests'), amountsAt(each, 'resources', 'limits'))))
    return silent.length === 0
      ? []
      : [
          `${name} for: ${silent
            .map((each) => textAt(each, 'name') ?? '')
            .sort()
            .join(',')}`,
        ]
  })
  if (missing.length > 0) throw forbidden(resource, pod.metadata.name, `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`)
}
