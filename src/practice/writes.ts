// create, update, patch and delete: what becomes of an object between a request and the store.
import { admitChange, admitNew, prepared } from './admission.ts'
import type { Call, Cluster, Reply } from './call.ts'
import { withDefaults } from './defaults.ts'
import { at, copyOf, equal, isPlain, listAt, type Plain, plainAt, textAt, textsAt, withField } from './fields.ts'
import { recordManager } from './managed-fields.ts'
import { jsonPatch, mergePatch } from './patch.ts'
import { coreEvent, objectText, shown } from './representation.ts'
import { type Resource, storedAs } from './resources.ts'
import { alreadyExists, badRequest, conflict, invalid, invalidValue, modified, notFound, unsupportedMediaType } from './status.ts'
import type { Stored } from './store.ts'
import { checkCreate, checkUpdate } from './validation.ts'

const isStored = (value: unknown): value is Stored =>
  isPlain(value) && typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string' && textAt(value, 'metadata', 'name') !== undefined

/** Narrows what a client sent to an object that the store can keep. */
export function asStored(resource: Resource, value: Plain): Stored {
  const named = { ...value, apiVersion: resource.apiVersion, kind: resource.kind }
  const kept: Plain = resource.apiVersion === 'events.k8s.io/v1' ? coreEvent(named) : named
  if (!isStored(kept)) throw invalid(resource, '', [{ field: 'metadata.name', reason: 'FieldValueRequired', message: 'Required value: name or generateName is required' }])
  return kept
}

export function create(cluster: Cluster, call: Call): Reply {
  const { resource, namespace } = call
  const body = bodyOf(call)
  const sent = plainAt(body, 'metadata')
  const name = textAt(sent, 'name') ?? generated(cluster, textAt(sent, 'generateName'))
  const { uid: _, resourceVersion, creationTimestamp: __, deletionTimestamp: ___, generation: ____, managedFields: _____, selfLink: ______, ...kept } = sent
  if (resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  const metadata = { ...kept, ...(name === undefined ? {} : { name }), ...(resource.namespaced ? { namespace } : {}) }
  if (resource.namespaced) mustHaveNamespace(cluster, namespace)
  const object = withDefaults(prepared(cluster, resource, freshStatus(resource, { ...body, metadata })))
  const stored = asStored(resource, object)
  checkCreate(resource, stored)
  admitNew(cluster, resource, stored)
  if (cluster.store.peek(resource.stored, namespace, stored.metadata.name)) throw alreadyExists(resource, stored.metadata.name)
  const managed = recordManager(undefined, stored, mark(cluster, call))
  if (call.dryRun) return { status: 201, text: objectText(resource, rehearsed(cluster, managed)) }
  cluster.store.create(managed)
  if (resource.stored === 'CustomResourceDefinition') cluster.resources.define({ ...managed })
  return reply(cluster, call, 201, stored.metadata.name)
}

const mark = (cluster: Cluster, call: Call) => ({ manager: call.fieldManager, apiVersion: call.resource.apiVersion, subresource: call.subresource, now: cluster.clock.now() })
const reply = (cluster: Cluster, call: Call, status: number, name: string): Reply => {
  const kept = cluster.store.peek(call.resource.stored, call.namespace, name)
  if (!kept) throw notFound(call.resource, name)
  return { status, text: objectText(call.resource, kept) }
}
/** What a dry run answers: the object as it would be, without a version since nothing was kept. */
const rehearsed = (cluster: Cluster, object: Stored): Stored => ({
  ...object,
  metadata: { ...object.metadata, uid: cluster.store.newUid(), creationTimestamp: new Date(cluster.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'), generation: 1 },
})

function bodyOf(call: Call): Plain {
  const { resource } = call
  if (!isPlain(call.body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind; json parse error`)
  const { apiVersion = resource.apiVersion, kind = resource.kind } = call.body
  if (apiVersion !== resource.apiVersion) throw badRequest(`the API version in the data (${String(apiVersion)}) does not match the expected API version (${resource.apiVersion})`)
  if (kind !== resource.kind)
    throw badRequest(
      `${String(kind)} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: converting (${String(kind)}) to (${resource.kind}): unknown conversion`,
    )
  const namespace = textAt(call.body, 'metadata', 'namespace') ?? ''
  if (resource.namespaced && namespace !== '' && namespace !== call.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  return call.body
}
const generated = (cluster: Cluster, prefix: string | undefined): string | undefined => {
  if (!prefix) return undefined
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  return prefix + Array.from({ length: 5 }, () => letters[Math.floor(cluster.random.next() * letters.length)] ?? 'x').join('')
}
/** Objects of a namespace that was never declared make it exist: manifests rarely bring their Namespace along. */
function mustHaveNamespace({ store }: Cluster, namespace: string): void {
  const declared = store.peek('Namespace', '', namespace)
  if (!declared && !store.hasNamespace(namespace)) throw notFound({ group: '', plural: 'namespaces', qualified: 'namespaces' }, namespace)
}
const keepsStatus = (resource: Resource): boolean => resource.subresources.includes('status')
function freshStatus(resource: Resource, object: Plain): Plain {
  if (!keepsStatus(resource)) return object
  const { status: _, ...rest } = object
  if (resource.stored === 'Pod') return { ...rest, status: { phase: 'Pending' } }
  if (resource.stored === 'Namespace') return { ...rest, status: { phase: 'Active' } }
  return resource.builtIn ? { ...rest, status: {} } : rest
}

export function update(cluster: Cluster, call: Call): Reply {
  const body = bodyOf(call)
  const name = textAt(body, 'metadata', 'name') ?? call.name
  if (name !== call.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
  const before = existing(cluster, call)
  const version = textAt(body, 'metadata', 'resourceVersion')
  if (!version && !unconditional(call.resource))
    throw invalid(call.resource, call.name, [invalidValue('metadata.resourceVersion', '0x0', 'must be specified for an update')].map(unquoted))
  const uid = textAt(body, 'metadata', 'uid')
  if (uid && uid !== before.metadata.uid) throw conflict(call.resource, call.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`)
  return replace(cluster, call, before, withField(body, ['metadata', 'name'], name))
}
const unquoted = <T extends { readonly message: string }>(flaw: T): T => ({ ...flaw, message: flaw.message.replaceAll('"', '') })
/** Kinds of which the real server takes an update that names no version. */
const unconditional = (resource: Resource): boolean => resource.builtIn && !['Lease', 'PodDisruptionBudget', 'CustomResourceDefinition'].includes(resource.stored)

const MERGE = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'

export function patched(call: Call, object: Plain): Plain {
  if (call.contentType === JSON_PATCH) return jsonPatch(object, call.body)
  if (call.contentType !== MERGE) throw unsupportedMediaType([JSON_PATCH, MERGE])
  if (!isPlain(call.body)) throw badRequest('error decoding patch: json: cannot unmarshal non-object into Go value of type map[string]interface {}')
  const merged = mergePatch(object, call.body)
  if (!isPlain(merged)) throw badRequest('invalid JSON Patch')
  return merged
}
export function patch(cluster: Cluster, call: Call): Reply {
  const before = existing(cluster, call)
  const next = patched(call, copyOf(shown(call.resource, before)))
  const flaws = (['name', 'namespace', 'uid'] as const).flatMap((field) => {
    const was = before.metadata[field]
    const is = at(next, 'metadata', field)
    return is === was || (is ?? '') === (was ?? '') ? [] : [invalidValue(`metadata.${field}`, is, 'field is immutable')]
  })
  if (flaws.length > 0) throw invalid(call.resource, call.name, flaws)
  return replace(cluster, call, before, next)
}

export function existing(cluster: Cluster, call: Call): Stored {
  const found = cluster.store.peek(call.resource.stored, call.namespace, call.name)
  if (!found) throw notFound(call.resource, call.name)
  return found
}

/** The end of every change: version check, what this (sub)resource may touch, validation, field managers, and the store. */
function replace(cluster: Cluster, call: Call, before: Stored, wanted: Plain): Reply {
  const { resource } = call
  const version = textAt(wanted, 'metadata', 'resourceVersion')
  if (version && version !== before.metadata.resourceVersion) throw modified(resource, call.name)
  const next = asStored(resource, withDefaults(touching(call, before, wanted)))
  checkUpdate(resource, before, next, call.subresource)
  admitChange(cluster, resource, before, next)
  return keep(cluster, call, before, next)
}
export function keep(cluster: Cluster, call: Call, before: Stored, next: Stored): Reply {
  const { resource, name } = call
  const changed = !equal(withField(before, ['metadata', 'resourceVersion'], undefined), withField(next, ['metadata', 'resourceVersion'], undefined))
  const managed = changed ? recordManager(before, next, mark(cluster, call)) : before
  if (call.dryRun) return { status: 200, text: objectText(resource, cluster.store.preview(managed)) }
  cluster.store.update(managed)
  const done = cluster.store.peek(resource.stored, call.namespace, name)
  if (done?.metadata.deletionTimestamp && textsAt(done, 'metadata', 'finalizers').length === 0 && textsAt(before, 'metadata', 'finalizers').length > 0) {
    cluster.store.remove(resource.stored, call.namespace, name)
    return { status: 200, text: objectText(resource, done) }
  }
  if (resource.stored === 'CustomResourceDefinition') cluster.resources.define({ ...managed })
  return reply(cluster, call, 200, name)
}

const SERVER_OWNED = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'selfLink', 'namespace', 'name'] as const
/** The main resource never changes status, `status` changes nothing else; what the server owns stays as it is. */
function touching(call: Call, before: Stored, wanted: Plain): Plain {
  const own = Object.fromEntries(SERVER_OWNED.map((field) => [field, at(before, 'metadata', field)]))
  const metadata = { ...plainAt(wanted, 'metadata'), ...own, managedFields: before.metadata.managedFields, resourceVersion: before.metadata.resourceVersion }
  if (call.subresource === 'status') {
    const kept = { ...plainAt(before, 'metadata') }
    return { ...before, metadata: kept, status: at(wanted, 'status') }
  }
  return { ...wanted, metadata, ...(keepsStatus(call.resource) ? { status: before.status } : {}) }
}

const RETURNED = ['Pod', 'Service', 'ServiceAccount', 'PersistentVolume', 'PersistentVolumeClaim', 'ResourceQuota', 'StorageClass']

export function remove(cluster: Cluster, call: Call): Reply {
  const before = existing(cluster, call)
  const options = isPlain(call.body) ? call.body : {}
  checkPreconditions(call.resource, before, options)
  if (call.dryRun) return deleted(call, before)
  const gone = removeObject(cluster, call.resource, before, graceOf(call, options))
  const policy = textAt(options, 'propagationPolicy') ?? call.query.get('propagationPolicy')
  if (policy === 'Orphan') orphan(cluster, before)
  return gone ? deleted(call, before) : { status: policy === 'Foreground' ? 202 : 200, text: objectText(call.resource, existing(cluster, call)) }
}
const graceOf = (call: Call, options: Plain): number | undefined => {
  const asked = at(options, 'gracePeriodSeconds') ?? call.query.get('gracePeriodSeconds') ?? undefined
  return asked === undefined ? undefined : Number(asked)
}

export function checkPreconditions(resource: Resource, object: Stored, options: Plain): void {
  const name = object.metadata.name
  const uid = textAt(options, 'preconditions', 'uid')
  if (uid !== undefined && uid !== object.metadata.uid)
    throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`)
  const version = textAt(options, 'preconditions', 'resourceVersion')
  if (version !== undefined && version !== object.metadata.resourceVersion) {
    throw conflict(resource, name, `Precondition failed: ResourceVersion in precondition: ${version}, ResourceVersion in object meta: ${object.metadata.resourceVersion}`)
  }
}
function deleted(call: Call, object: Stored): Reply {
  const { resource } = call
  if (RETURNED.includes(resource.stored)) return { status: 200, text: objectText(resource, object) }
  const details = { name: object.metadata.name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural, uid: object.metadata.uid }
  return { status: 200, text: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }) }
}

/** True when it is gone; false when somebody still has to finish: a finalizer, or a pod that ends slowly. */
export function removeObject(cluster: Cluster, resource: Resource, object: Stored, grace: number | undefined): boolean {
  const { store } = cluster
  const namespace = object.metadata.namespace ?? ''
  const seconds = grace ?? Number(at(object, 'spec', 'terminationGracePeriodSeconds') ?? 30)
  const slow = resource.stored === 'Pod' && seconds > 0 && store.endsSlowly?.(object) === true
  if (!slow && textsAt(object, 'metadata', 'finalizers').length === 0) {
    store.remove(resource.stored, namespace, object.metadata.name)
    return true
  }
  if (object.metadata.deletionTimestamp) return false
  const graceful = resource.stored === 'Pod' ? seconds : 0
  const deletionTimestamp = new Date(cluster.clock.now() + graceful * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  const marked = withField(withField(object, ['metadata', 'deletionTimestamp'], deletionTimestamp), ['metadata', 'deletionGracePeriodSeconds'], graceful)
  if (isStored(marked)) store.update(marked)
  return false
}

/** Dependents of an orphaning delete lose their owner at once; a garbage collector then finds nothing to collect. */
function orphan({ store }: Cluster, owner: Stored): void {
  for (const { kind, apiVersion } of store.kinds()) {
    for (const object of store.list(storedAs(apiVersion, kind), owner.metadata.namespace)) {
      const owners = listAt(object, 'metadata', 'ownerReferences')
      const others = owners.filter((each) => textAt(each, 'uid') !== owner.metadata.uid)
      const freed = withField(object, ['metadata', 'ownerReferences'], others.length > 0 ? others : undefined)
      if (others.length < owners.length && isStored(freed)) store.update(freed)
    }
  }
}

export function removeAll(cluster: Cluster, call: Call, matching: readonly Stored[]): Reply {
  if (!call.dryRun) for (const object of matching) removeObject(cluster, call.resource, object, graceOf(call, isPlain(call.body) ? call.body : {}))
  const { kind, apiVersion } = call.resource
  return { status: 200, text: JSON.stringify({ kind: `${kind}List`, apiVersion, metadata: { resourceVersion: String(cluster.store.version) }, items: matching }) }
}
