// The pods of a workload: found through its selector, kept only where the controller ownerReference says so too.
import { formatSelector, type LabelSelector } from '../domain/label-selector.ts'
import type { ObjectRef } from '../domain/target.ts'
import type { AnyObject, Kinds, Reader } from '../kube/wire.ts'

interface Owned {
  readonly metadata?: { readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string; readonly controller?: boolean }[] }
}

export const controllerOf = (object: Owned) => object.metadata?.ownerReferences?.find((ref) => ref.controller === true)

/** Two careless selectors may match each other's pods; the ownerReference never does. */
export async function podsOwnedBy(read: Reader, owners: readonly string[], selector: LabelSelector | undefined): Promise<readonly Kinds['Pod'][]> {
  const pods = await read.list('Pod', { labels: formatSelector(selector ?? {}) })
  return pods.filter((pod) => owners.includes(controllerOf(pod)?.uid ?? ''))
}

export async function replicaSetsOf(read: Reader, owner: ObjectRef, selector: LabelSelector | undefined): Promise<readonly Kinds['ReplicaSet'][]> {
  const sets = await read.list('ReplicaSet', { labels: formatSelector(selector ?? {}) })
  return sets.filter((set) => controllerOf(set)?.uid === owner.uid)
}

const REVISION = 'deployment.kubernetes.io/revision'
/** The Deployment's own number of a ReplicaSet; undefined before the controller wrote it. */
export function revisionOf(object: Pick<AnyObject, 'metadata'>): number | undefined {
  const written = object.metadata?.annotations?.[REVISION]
  return written !== undefined && /^\d+$/.test(written) ? Number(written) : undefined
}
