// ResourceQuota: what is used, and whether one more pod would exceed it (admission, as the API server does it).
import { parseQuantity } from '../../domain/quantity.ts'
import type { Store } from '../store.ts'
import { get, type Live, list, namespaceOf, setStatus } from './cluster.ts'
import type { Controller, Ground } from './ground.ts'
import { isOver, type Pod } from './pods.ts'

type Amounts = Readonly<Record<string, number>>

const ASKED: Readonly<Record<string, readonly ['requests' | 'limits', string]>> = {
  cpu: ['requests', 'cpu'],
  memory: ['requests', 'memory'],
  'requests.cpu': ['requests', 'cpu'],
  'requests.memory': ['requests', 'memory'],
  'limits.cpu': ['limits', 'cpu'],
  'limits.memory': ['limits', 'memory'],
}

/** What a pod counts for one resource of a quota; undefined when quotas do not count it for pods. */
export function asked(pod: Pod, resource: string): number | undefined {
  if (resource === 'pods' || resource === 'count/pods') return 1
  const [side, name] = ASKED[resource] ?? []
  if (side === undefined || name === undefined) return undefined
  return (pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + (parseQuantity(resources?.[side]?.[name]) ?? 0), 0)
}

/** Objects that a quota counts by number: `count/deployments.apps`, `services`, `persistentvolumeclaims`. */
const COUNTED: Readonly<Record<string, string>> = {
  services: 'Service',
  configmaps: 'ConfigMap',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  'count/deployments.apps': 'Deployment',
  'count/jobs.batch': 'Job',
}

function used(store: Store, namespace: string, resource: string): number {
  const kind = COUNTED[resource]
  if (kind !== undefined) return store.peekAll(kind, namespace).length
  return list(store, 'Pod', namespace)
    .filter((pod) => !isOver(pod))
    .reduce((sum, pod) => sum + (asked(pod, resource) ?? 0), 0)
}

/** A quantity that reads like the limit it is compared with: memory in Mi, CPU in milli where it is no whole number. */
function write(resource: string, amount: number): string {
  if (/memory|storage/.test(resource)) return amount === 0 ? '0' : amount % 2 ** 20 === 0 ? `${amount / 2 ** 20}Mi` : String(Math.ceil(amount))
  return Number.isInteger(amount) ? String(amount) : `${Math.ceil(amount * 1000 - 1e-9)}m`
}

/** The API server's own sentence when the pod does not fit a quota of its namespace; undefined when it does. */
export function exceedsQuota(store: Store, pod: Pod): string | undefined {
  for (const quota of list(store, 'ResourceQuota', namespaceOf(pod))) {
    const over = Object.entries(quota.spec?.hard ?? {}).flatMap(([resource, limit]) => {
      const more = asked(pod, resource)
      if (more === undefined) return []
      const before = used(store, namespaceOf(pod), resource)
      return before + more > (parseQuantity(limit) ?? Number.POSITIVE_INFINITY) ? [{ resource, more: write(resource, more), before: write(resource, before), limit }] : []
    })
    if (over.length === 0) continue
    const say = (pick: (one: (typeof over)[number]) => string) => over.map((one) => `${one.resource}=${pick(one)}`).join(',')
    return `pods "${pod.metadata.name}" is forbidden: exceeded quota: ${quota.metadata.name}, requested: ${say((o) => o.more)}, used: ${say((o) => o.before)}, limited: ${say((o) => o.limit)}`
  }
  return undefined
}

export const quotaController = ({ store }: Ground): Controller => ({
  concerns({ object }) {
    const counted = object.kind === 'Pod' || object.kind === 'ResourceQuota' || Object.values(COUNTED).includes(object.kind)
    return counted ? store.peekAll('ResourceQuota', namespaceOf(object)).map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name })) : []
  },
  sync({ namespace, name }) {
    const quota = get(store, 'ResourceQuota', namespace, name)
    if (quota) setStatus(store, quota, statusOf(store, quota))
    return undefined
  },
})

function statusOf(store: Store, quota: Live<'ResourceQuota'>): unknown {
  const hard = quota.spec?.hard ?? {}
  const amounts: Amounts = Object.fromEntries(Object.keys(hard).map((resource) => [resource, used(store, namespaceOf(quota), resource)]))
  // What nobody here counts keeps the value of its manifest: a snapshot's quota of storage stays as full as it was.
  const kept = quota.status?.used ?? {}
  const known = (resource: string) => resource in COUNTED || resource in ASKED || /(^|\/)pods$/.test(resource)
  return { hard, used: Object.fromEntries(Object.keys(hard).map((r) => [r, known(r) ? write(r, amounts[r] ?? 0) : (kept[r] ?? '0')])) }
}
