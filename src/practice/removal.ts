// delete: preconditions, finalizers, pods that end slowly, and what the answer is.
import type { Call, Cluster, Reply } from './call.ts'
import { existing } from './change.ts'
import { at, isPlain, type Plain, textAt, textsAt } from './fields.ts'
import { itemText, objectText } from './representation.ts'
import { type Resource, storedAs } from './resources.ts'
import { preconditionFailed } from './status.ts'
import { type Stored, timeOf } from './store.ts'

/** Kinds of which the answer is the object; of the others it is a Status. */
const RETURNED = ['Pod', 'Service', 'ServiceAccount', 'PersistentVolume', 'PersistentVolumeClaim', 'ResourceQuota', 'StorageClass']

export function remove(cluster: Cluster, call: Call): Reply {
  const before = existing(cluster, call)
  const options = isPlain(call.body) ? call.body : {}
  checkPreconditions(call.resource, before, options)
  if (call.dryRun) return gone(call.resource, before)
  const policy = textAt(options, 'propagationPolicy') ?? call.query.get('propagationPolicy') ?? defaultPolicy(call.resource)
  if (policy === 'Orphan') orphan(cluster, before)
  const ended = removeObject(cluster, call.resource, before, graceOf(call))
  return ended ? gone(call.resource, before) : { status: policy === 'Foreground' ? 202 : 200, text: objectText(call.resource, existing(cluster, call)) }
}
/** Deleting a Job leaves its pods where they are unless the client says otherwise: an old promise of batch/v1. */
const defaultPolicy = (resource: Resource): string => (resource.stored === 'Job' ? 'Orphan' : 'Background')

/** Pods that belong to nobody else follow their owner by the garbage collector, in the background whatever was asked. */
export function removeAll(cluster: Cluster, call: Call, matching: readonly Stored[]): Reply {
  if (!call.dryRun) for (const object of matching) removeObject(cluster, call.resource, object, graceOf(call))
  const { kind, apiVersion } = call.resource
  const items = matching.map((object) => itemText(call.resource, object)).join(',')
  return { status: 200, text: `{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":{"resourceVersion":"${cluster.store.version}"},"items":[${items}]}` }
}
const graceOf = ({ body, query }: Call): number | undefined => {
  const asked = at(body, 'gracePeriodSeconds') ?? query.get('gracePeriodSeconds') ?? undefined
  return asked === undefined ? undefined : Number(asked)
}

export function checkPreconditions(resource: Resource, { metadata }: Stored, options: Plain): void {
  const differs = (name: string, wanted: string, is: string | undefined, happened: string) =>
    preconditionFailed(resource, metadata.name, `the ${name} in the precondition (${wanted}) does not match the ${name} in record (${is}). The object might have been ${happened}`)
  const uid = textAt(options, 'preconditions', 'uid')
  if (uid !== undefined && uid !== metadata.uid) throw differs('UID', uid, metadata.uid, 'deleted and then recreated')
  const version = textAt(options, 'preconditions', 'resourceVersion')
  if (version !== undefined && version !== metadata.resourceVersion) throw differs('ResourceVersion', version, metadata.resourceVersion, 'modified')
}
function gone(resource: Resource, object: Stored): Reply {
  if (RETURNED.includes(resource.stored)) return { status: 200, text: objectText(resource, object) }
  const details = { name: object.metadata.name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural, uid: object.metadata.uid }
  return { status: 200, text: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }) }
}

/** True when it is gone; false when somebody still has to finish: a finalizer, or a pod that ends slowly. */
export function removeObject(cluster: Cluster, resource: Resource, object: Stored, grace: number | undefined): boolean {
  const { store, clock } = cluster
  const seconds = resource.stored === 'Pod' ? (grace ?? Number(at(object, 'spec', 'terminationGracePeriodSeconds') ?? 30)) : 0
  const slow = seconds > 0 && store.endsSlowly?.(object) === true
  if (!slow && textsAt(object, 'metadata', 'finalizers').length === 0) {
    if (resource.stored === 'Namespace') empty(cluster, object.metadata.name)
    store.remove(resource.stored, object.metadata.namespace ?? '', object.metadata.name)
    return true
  }
  if (object.metadata.deletionTimestamp) return false
  const ending = { deletionTimestamp: timeOf(clock.now() + seconds * 1000), deletionGracePeriodSeconds: seconds }
  store.update({ ...object, metadata: { ...object.metadata, ...ending } })
  return false
}
/** A namespace takes everything in it along. */
function empty({ store }: Cluster, namespace: string): void {
  for (const { kind, apiVersion } of store.kinds()) {
    for (const { metadata } of store.peekAll(storedAs(apiVersion, kind), namespace)) store.remove(storedAs(apiVersion, kind), namespace, metadata.name)
  }
}

/** Dependents of an orphaning delete lose their owner at once; a garbage collector then finds nothing to collect. */
function orphan({ store }: Cluster, owner: Stored): void {
  for (const { kind, apiVersion } of store.kinds()) {
    for (const object of store.peekAll(storedAs(apiVersion, kind), owner.metadata.namespace)) {
      const owners = object.metadata.ownerReferences ?? []
      const others = owners.filter(({ uid }) => uid !== owner.metadata.uid)
      if (others.length === owners.length) continue
      const { ownerReferences: _, ...metadata } = object.metadata
      store.update({ ...object, metadata: { ...metadata, ...(others.length > 0 ? { ownerReferences: others } : {}) } })
    }
  }
}
