// Typed access to the store for controllers: what a client of the API server would see, without the network between.
import type { Kind, Kinds } from '../../kube/wire.ts'
import type { Store, Stored } from '../store.ts'

/** An object of a known kind as it lies in the store. */
export type Live<K extends Kind> = Stored & Kinds[K]
export type Owner = { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly name: string; readonly uid?: string } }

const isLive = <K extends Kind>(kind: K, object: Stored): object is Live<K> => object.kind === kind

export const namespaceOf = (object: { readonly metadata: { readonly namespace?: string } }): string => object.metadata.namespace ?? ''

/** What is read here is the store's own object: whoever changes something spreads it and updates. */
export function get<K extends Kind>(store: Store, kind: K, namespace: string, name: string): Live<K> | undefined {
  const found = store.peek(kind, namespace, name)
  return found && isLive(kind, found) ? found : undefined
}
/** Oldest first. Times have whole seconds only; within one, the uids that the store gives out tell which came first. */
export const byAge = (a: Stored, b: Stored): number => {
  const [x, y] = [`${a.metadata.creationTimestamp} ${a.metadata.uid}`, `${b.metadata.creationTimestamp} ${b.metadata.uid}`]
  return x < y ? -1 : x > y ? 1 : 0
}
export const list = <K extends Kind>(store: Store, kind: K, namespace?: string): Live<K>[] =>
  store
    .peekAll(kind, namespace)
    .filter((object) => isLive(kind, object))
    .sort(byAge)

export const controllerOf = (object: Stored): { readonly kind: string; readonly name: string; readonly uid: string } | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller)
export const ownedBy = <K extends Kind>(store: Store, kind: K, owner: Stored): Live<K>[] =>
  list(store, kind, namespaceOf(owner)).filter((object) => controllerOf(object)?.uid === owner.metadata.uid)

export const ownerReference = (owner: Owner) => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

/** Writes the status if the object is still there: its spec and metadata stay as they are now. */
export function setStatus(store: Store, object: Stored, status: unknown): void {
  const now = store.peek(object.kind, namespaceOf(object), object.metadata.name)
  if (now && now.metadata.uid === object.metadata.uid) store.update({ ...now, status })
}

/** Kubernetes writes times in whole seconds. */
export const stamp = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')

/** `25%` of a number, or the number itself; percentages round up for surge and down for what may be missing. */
export function portion(value: string | number | undefined, of: number, otherwise: string | number, round: 'up' | 'down'): number {
  const wanted = value ?? otherwise
  if (typeof wanted === 'number') return wanted
  const exact = (Number.parseFloat(wanted) / 100) * of
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastUpdateTime?: string
}
/**
 * The list with this condition in its place. The same status for the same reason is the same condition, whatever its message says:
 * a message that names a pod which was never made would otherwise change on every look, and every change asks for a look.
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C, now: string): C[] {
  const before = conditions?.find((condition) => condition.type === next.type)
  if (!before) return [...(conditions ?? []), { lastTransitionTime: now, ...next }]
  if (before.status === next.status && before.reason === next.reason) return [...(conditions ?? [])]
  const lastTransitionTime = before.status === next.status ? (before.lastTransitionTime ?? now) : now
  return (conditions ?? []).map((c) => (c === before ? { ...next, lastTransitionTime } : c))
}
export const withoutCondition = <C extends Condition>(conditions: readonly C[] | undefined, type: string): C[] => (conditions ?? []).filter((condition) => condition.type !== type)
