// From the target to its workload and pods: what every fact about pods starts from.
import { formatSelector, type LabelSelector, matchesSelector } from '../domain/label-selector.ts'
import type { ObjectRef, Target } from '../domain/target.ts'
import { isUnknown, type Unknown, unknown } from '../domain/unknown.ts'
import type { Kind, Kinds, Reader } from '../kube/wire.ts'
import type { FactSources } from './define-fact.ts'
import { each, isRecord, str } from './plain.ts'
import { byTrouble } from './pod-state.ts'

export type Pod = Kinds['Pod']
export type ReplicaSet = Kinds['ReplicaSet']

/** Kinds that have a pod template and a selector. */
const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'] as const
type WorkloadKind = (typeof WORKLOAD_KINDS)[number]
export type Workload = Kinds[WorkloadKind]
const isWorkloadKind = (kind: string): kind is WorkloadKind => WORKLOAD_KINDS.some((known) => known === kind)

/** Facts of the cluster need a target: without one they are unknown, with this sentence. */
export async function ofTarget<T>(from: FactSources, read: (target: Target) => Promise<T | Unknown> | T | Unknown): Promise<T | Unknown> {
  return from.target ? read(from.target) : unknown('the alert has no target in the cluster')
}

/** The highest object of the chain that has a pod template: below a custom resource or a CronJob it is not the owner. */
export const workloadRef = (target: Target): ObjectRef | undefined => [...target.chain].reverse().find((ref) => isWorkloadKind(ref.kind))

export async function workload(read: Reader, target: Target): Promise<Workload | Unknown | undefined> {
  const ref = workloadRef(target)
  if (!ref || !isWorkloadKind(ref.kind)) return undefined
  const kind: WorkloadKind = ref.kind
  return (await read.get(kind, ref.name)) ?? unknown(`${ref.kind} ${ref.name} is gone`)
}

type Owned = {
  readonly metadata?: {
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string; readonly controller?: boolean | undefined }[] | undefined
  }
}

/** By uid; by kind and name only where one side has no uid, as in manifests written by hand. */
export function isOwnedBy(object: Owned, owner: { readonly kind: string; readonly name: string; readonly uid: string | undefined }): boolean {
  return each(object.metadata?.ownerReferences).some((ref) => {
    if (ref.controller === false || ref.kind !== owner.kind) return false
    return str(ref.uid) && owner.uid ? ref.uid === owner.uid : ref.name === owner.name
  })
}

type Written =
  | { readonly matchLabels?: Record<string, string>; readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[] }
  | null
  | undefined

/** The selector of an object, without what does not fit; undefined where there is none. */
function tidy(selector: Written): LabelSelector | undefined {
  if (!isRecord(selector)) return undefined
  return {
    matchLabels: Object.fromEntries(Object.entries(isRecord(selector.matchLabels) ? selector.matchLabels : {}).map(([key, value]) => [key, String(value)])),
    matchExpressions: each(selector.matchExpressions).map(({ key, operator, values }) => ({ key: String(key), operator: String(operator), values: each(values).map(String) })),
  }
}
export const selects = (selector: Written, labels: Record<string, string> | undefined): boolean => matchesSelector(tidy(selector), labels ?? {})

/** The pod selector as the API takes it; empty when there is none. */
export const selectorOf = (of: Workload): string => formatSelector(tidy(of.spec?.selector) ?? {})

const listBySelector = async <K extends Kind>(read: Reader, kind: K, of: Workload): Promise<readonly Kinds[K][]> => {
  const labels = selectorOf(of)
  return labels === '' ? [] : read.list(kind, { labels })
}
const owning = (ref: ObjectRef, object: { readonly metadata?: { readonly uid?: string | undefined } | undefined }) => ({
  kind: ref.kind,
  name: ref.name,
  uid: str(object.metadata?.uid),
})

/** The ReplicaSets of a Deployment. */
export async function replicaSets(read: Reader, ref: ObjectRef, deployment: Workload): Promise<readonly ReplicaSet[]> {
  const found = await listBySelector(read, 'ReplicaSet', deployment)
  return found.filter((set) => isOwnedBy(set, owning(ref, deployment)))
}

export const podOf = (set: ReplicaSet) => (pod: Pod) => isOwnedBy(pod, { kind: 'ReplicaSet', name: str(set.metadata?.name) ?? '', uid: str(set.metadata?.uid) })

/** All pods of the target's workload; a pod that nobody owns stands for itself; undefined when the target has no pods by nature. */
export async function ownPods(from: FactSources, target: Target): Promise<readonly Pod[] | Unknown | undefined> {
  const ref = workloadRef(target)
  const owner = await workload(from.read, target)
  if (isUnknown(owner)) return owner
  if (ref && owner) {
    const pods = await listBySelector(from.read, 'Pod', owner)
    if (ref.kind !== 'Deployment') return pods.filter((pod) => isOwnedBy(pod, owning(ref, owner)))
    const sets = await replicaSets(from.read, ref, owner)
    return pods.filter((pod) => sets.some((set) => podOf(set)(pod)))
  }
  if (target.object.kind !== 'Pod') return undefined
  const pod = await from.read.get('Pod', target.object.name)
  return pod ? [pod] : []
}

/** The pod that the labels name, or else the workload's pod in most trouble; null when there is none. */
export async function chosenPod(from: FactSources, target: Target): Promise<Pod | null | Unknown> {
  if (target.object.kind === 'Pod') {
    const named = await from.read.get('Pod', target.object.name)
    return named && (!target.object.uid || !named.metadata?.uid || named.metadata.uid === target.object.uid) ? named : null
  }
  const pods = await ownPods(from, target)
  if (pods === undefined) return null
  if (isUnknown(pods)) return pods
  return [...pods].sort(byTrouble(from.now))[0] ?? null
}
