// From an object up its controller ownerReferences to the top: Pod → ReplicaSet → Deployment, Job → CronJob, and what else owns them.
import type { ObjectRef } from '../../domain/target.ts'
import type { AnyObject, Kind, Reader } from '../../kube/wire.ts'

/** Kinds whose owners are looked up. Any other stops the way up and is kept by name: its right to be read is seldom ours. */
const READ: Readonly<Record<string, Kind>> = {
  Pod: 'Pod',
  ReplicaSet: 'ReplicaSet',
  Deployment: 'Deployment',
  StatefulSet: 'StatefulSet',
  DaemonSet: 'DaemonSet',
  Job: 'Job',
  CronJob: 'CronJob',
}
const GROUPS = ['v1', 'apps/v1', 'batch/v1']
/** Far more than real clusters have; a circle of owners ends here. */
const HIGHEST = 8

type Found = Pick<AnyObject, 'metadata'>

export function refOf(object: Found, { apiVersion, kind, namespace }: Pick<ObjectRef, 'apiVersion' | 'kind' | 'namespace'>): ObjectRef {
  return { apiVersion, kind, namespace, name: object.metadata?.name ?? '', uid: object.metadata?.uid ?? '' }
}

/** The chain from the object to its top owner, both included. */
export async function ascend(read: Reader, start: ObjectRef, found: Found): Promise<readonly [ObjectRef, ...ObjectRef[]]> {
  const chain: [ObjectRef, ...ObjectRef[]] = [start]
  let object: Found | undefined = found
  while (object && chain.length < HIGHEST) {
    const owner = object.metadata?.ownerReferences?.find((ref) => ref.controller === true)
    // A static pod belongs to its node: no object of the namespace stands above it.
    if (!owner || owner.kind === 'Node') break
    const ref: ObjectRef = { apiVersion: owner.apiVersion, kind: owner.kind, namespace: start.namespace, name: owner.name, uid: owner.uid }
    chain.push(ref)
    object = await readOwner(read, ref)
  }
  return chain
}

async function readOwner(read: Reader, ref: ObjectRef): Promise<Found | undefined> {
  const kind = GROUPS.includes(ref.apiVersion) && Object.hasOwn(READ, ref.kind) ? READ[ref.kind] : undefined
  const found: Found | undefined = kind && (await read.get(kind, ref.name))
  return found?.metadata?.uid === ref.uid ? found : undefined
}
