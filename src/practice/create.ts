// create: what becomes of an object between a client's body and the store.
import { admitNew, prepared } from './admission.ts'
import type { Call, Cluster, Reply } from './call.ts'
import { withDefaults } from './defaults.ts'
import { undecodable } from './field-types.ts'
import { at, isPlain, type Plain, plainAt, textAt, withField } from './fields.ts'
import { managed } from './managed-fields.ts'
import { qosClass } from './pod-resources.ts'
import { coreEvent, objectText } from './representation.ts'
import { countsGenerations, type Resource } from './resources.ts'
import { alreadyExists, badRequest, invalid, notFound, required } from './status.ts'
import { type Stored, timeOf } from './store.ts'
import { checkCreate } from './validation.ts'

const isStored = (value: unknown): value is Stored =>
  isPlain(value) && typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string' && textAt(value, 'metadata', 'name') !== undefined

/** Narrows what a client sent to an object that the store can keep. */
export function asStored(resource: Resource, value: Plain): Stored {
  const named = { ...value, apiVersion: resource.apiVersion, kind: resource.kind }
  const kept: Plain = resource.apiVersion === 'events.k8s.io/v1' ? coreEvent(named) : named
  if (!isStored(kept)) throw invalid(resource, '', [required('metadata.name', 'name or generateName is required')])
  return kept
}

export function create(cluster: Cluster, call: Call): Reply {
  const { resource } = call
  const { store } = cluster
  if (call.resource.namespaced) mustHaveNamespace(cluster, call.namespace)
  const object = asStored(resource, withDefaults(resource, prepared(cluster, resource, fresh(cluster, call, bodyOf(call)))))
  const { name } = object.metadata
  checkCreate(resource, object)
  admitNew(cluster, resource, object)
  if (store.peek(resource.stored, call.namespace, name)) throw alreadyExists(resource, name)
  const written = managed(cluster, call, undefined, object)
  if (call.dryRun) return { status: 201, text: objectText(resource, rehearsed(cluster, resource, written)) }
  store.create(written)
  if (resource.stored === 'CustomResourceDefinition') cluster.resources.define({ ...written })
  const kept = store.peek(resource.stored, call.namespace, name)
  if (!kept) throw notFound(resource, name)
  return { status: 201, text: objectText(resource, kept) }
}

/** What a dry run answers: the object as it would be, without a version since nothing was kept. */
function rehearsed({ store, clock }: Cluster, resource: Resource, object: Stored): Stored {
  const generation = countsGenerations(resource.stored) ? { generation: 1 } : {}
  return { ...object, metadata: { ...object.metadata, uid: store.newUid(), ...generation, creationTimestamp: timeOf(clock.now()) } }
}

/** The body, which must be an object of this resource and namespace. */
export function bodyOf(call: Call): Plain {
  const { resource, body } = call
  if (!isPlain(body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): couldn't get version/kind; json parse error`)
  const { apiVersion = resource.apiVersion, kind = resource.kind } = body
  const group = resource.group === '' ? 'core' : resource.group
  const why = `converting (${resource.version}.${String(kind)}) to (${group}.${resource.kind}): unknown conversion`
  if (kind !== resource.kind) throw badRequest(`${String(kind)} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: ${why}`)
  if (apiVersion !== resource.apiVersion) throw badRequest(`the API version in the data (${String(apiVersion)}) does not match the expected API version (${resource.apiVersion})`)
  const wrong = undecodable(resource, body)
  if (wrong !== undefined) throw badRequest(`${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: ${wrong}`)
  const namespace = textAt(body, 'metadata', 'namespace') ?? ''
  const elsewhere = resource.namespaced && namespace !== '' && namespace !== call.namespace
  if (elsewhere) throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  return body
}

const SERVER_OWNED = ['uid', 'creationTimestamp', 'deletionTimestamp', 'generation', 'managedFields', 'selfLink']
/** The object as it begins: named, in its namespace, without what only the server may say. */
function fresh(cluster: Cluster, call: Call, body: Plain): Plain {
  const sent = plainAt(body, 'metadata')
  if (sent['resourceVersion']) throw badRequest('resourceVersion should not be set on objects to be created')
  const own = Object.fromEntries(Object.entries(sent).filter(([key]) => !SERVER_OWNED.includes(key)))
  const name = textAt(sent, 'name') ?? generated(cluster, textAt(sent, 'generateName'))
  const metadata = { ...own, ...(name === undefined ? {} : { name }), ...(call.resource.namespaced ? { namespace: call.namespace } : {}) }
  return withFreshStatus(call.resource, { ...body, metadata })
}
function generated({ random }: Cluster, prefix: string | undefined): string | undefined {
  if (!prefix) return undefined
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  return prefix + Array.from({ length: 5 }, () => letters[Math.floor(random.next() * letters.length)] ?? 'x').join('')
}
/** A status is what happened, so a new object has none of its own. */
function withFreshStatus(resource: Resource, object: Plain): Plain {
  if (!resource.subresources.includes('status')) return object
  if (resource.stored === 'Pod') return withField(object, ['status'], { phase: 'Pending', qosClass: qosClass(object) })
  if (resource.stored === 'Namespace') return newNamespace(object)
  return withField(object, ['status'], resource.builtIn ? {} : undefined)
}
function newNamespace(object: Plain): Plain {
  const labelled = withField(object, ['metadata', 'labels'], { ...plainAt(object, 'metadata', 'labels'), 'kubernetes.io/metadata.name': at(object, 'metadata', 'name') })
  return { ...labelled, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }
}

/** Objects of a namespace that was never declared make it exist: manifests rarely bring their Namespace along. */
function mustHaveNamespace({ store }: Cluster, namespace: string): void {
  const known = store.peek('Namespace', '', namespace) !== undefined || store.hasNamespace(namespace)
  if (!known) throw notFound({ group: '', plural: 'namespaces', qualified: 'namespaces' }, namespace)
}
