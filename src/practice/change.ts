// update and patch: what may change, at which version, and who is said to have changed it.
import { admitChange } from './admission.ts'
import type { Call, Cluster, Reply } from './call.ts'
import { asStored, bodyOf, create } from './create.ts'
import { withDefaults } from './defaults.ts'
import { undecodable } from './field-types.ts'
import { at, copyOf, equal, isPlain, listAt, type Plain, plainAt, textAt, textsAt, withField } from './fields.ts'
import { managed } from './managed-fields.ts'
import { jsonPatch, mergePatch } from './patch.ts'
import { objectText, shown } from './representation.ts'
import type { Resource } from './resources.ts'
import { badRequest, conflict, invalid, invalidValue, modified, notFound, unsupportedMediaType, unsupportedPatch } from './status.ts'
import type { Stored } from './store.ts'
import { strategicMerge } from './strategic-patch.ts'
import { checkUpdate } from './validation.ts'

export function existing(cluster: Cluster, call: Call): Stored {
  const found = cluster.store.peek(call.resource.stored, call.namespace, call.name)
  if (!found) throw notFound(call.resource, call.name)
  return found
}

/** Kinds that an update creates where they are missing. */
const CREATED_BY_UPDATE = ['Lease', 'Event', 'Endpoints', 'LimitRange', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'Service']
/** Kinds of which the real server takes no update that names no version. */
const VERSIONED = ['Lease', 'PodDisruptionBudget', 'CustomResourceDefinition']
const needsVersion = (resource: Resource): boolean => !resource.builtIn || VERSIONED.includes(resource.stored)

export function update(cluster: Cluster, call: Call): Reply {
  const { resource, name } = call
  const body = bodyOf(call)
  const named = textAt(body, 'metadata', 'name') ?? name
  if (named !== name) throw badRequest(`the name of the object (${named}) does not match the name on the URL (${name})`)
  const version = textAt(body, 'metadata', 'resourceVersion')
  const there = cluster.store.peek(resource.stored, call.namespace, name) !== undefined
  if (!there && CREATED_BY_UPDATE.includes(resource.stored) && !version) return create(cluster, { ...call, verb: 'create' })
  const before = existing(cluster, call)
  if (!version && needsVersion(resource)) {
    throw invalid({ ...resource, kind: resource.plural }, name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')])
  }
  const uid = textAt(body, 'metadata', 'uid')
  if (uid && uid !== before.metadata.uid) throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`)
  return replace(cluster, call, before, withField(body, ['metadata', 'name'], name))
}

const MERGE = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'

function strategicPatch(object: Plain, patch: unknown): Plain {
  if (!isPlain(patch)) throw badRequest('json: cannot unmarshal array into Go value of type map[string]interface {}')
  return strategicMerge(object, patch)
}

export function patched(call: Call, object: Plain): Plain {
  if (call.contentType === JSON_PATCH) return jsonPatch(object, call.body)
  if (call.contentType === STRATEGIC && call.resource.builtIn) return strategicPatch(object, call.body)
  if (call.contentType !== MERGE) throw call.resource.builtIn ? unsupportedPatch() : unsupportedMediaType([JSON_PATCH, MERGE, 'application/apply-patch+yaml'])
  if (!isPlain(call.body)) throw badRequest('error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}')
  const merged = mergePatch(object, call.body)
  return isPlain(merged) ? merged : {}
}
/** What a patch makes and nothing can decode has neither kind nor name. */
const NAMELESS = { group: '', kind: '', plural: '', qualified: '' }

export function patch(cluster: Cluster, call: Call): Reply {
  const before = existing(cluster, call)
  const next = patched(call, copyOf(shown(call.resource, before)))
  const wrong = undecodable(call.resource, next)
  if (wrong !== undefined) throw invalid(NAMELESS, '', [invalidValue('patch', JSON.stringify(next), wrong)])
  const flaws = (['name', 'namespace', 'uid'] as const).flatMap((field) => {
    const is = at(next, 'metadata', field)
    return (is ?? '') === (before.metadata[field] ?? '') ? [] : [invalidValue(`metadata.${field}`, is, 'field is immutable')]
  })
  if (flaws.length > 0) throw invalid(call.resource, call.name, flaws)
  return replace(cluster, call, before, next)
}

/** The end of every change: version check, what this (sub)resource may touch, validation, admission, and the store. */
function replace(cluster: Cluster, call: Call, before: Stored, wanted: Plain): Reply {
  const { resource } = call
  const version = textAt(wanted, 'metadata', 'resourceVersion')
  if (version && version !== before.metadata.resourceVersion) throw modified(resource, call.name)
  const next = touching(call, before, asStored(resource, withDefaults(resource, wanted)))
  checkUpdate(resource, before, next, call.subresource)
  admitChange(cluster, resource, before, next)
  return keep(cluster, call, before, next)
}

const SERVER_OWNED = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'selfLink',
  'namespace',
  'name',
  'managedFields',
  'resourceVersion',
] as const
/** The main resource never changes status, `status` and `resize` change nothing else; what the server owns stays as it is. */
function touching(call: Call, before: Stored, wanted: Stored): Stored {
  if (call.subresource === 'status') return { ...before, status: wanted.status }
  if (call.subresource === 'resize') return { ...before, spec: resized(before.spec, wanted.spec) }
  const own = Object.fromEntries(SERVER_OWNED.map((field) => [field, at(before, 'metadata', field)]))
  const changed = { ...wanted, metadata: { ...wanted.metadata, ...own } }
  return call.resource.subresources.includes('status') ? { ...changed, status: before.status } : changed
}
/** Of a resized pod only the containers' resources count. */
function resized(before: unknown, wanted: unknown): Plain {
  const lists = (['containers', 'initContainers'] as const).filter((list) => Array.isArray(at(before, list)))
  return lists.reduce<Plain>(
    (spec, list) =>
      withField(
        spec,
        [list],
        listAt(before, list).map((container) => {
          const asked = listAt(wanted, list).find((each) => textAt(each, 'name') === textAt(container, 'name'))
          return asked === undefined ? container : withField(container, ['resources'], plainAt(asked, 'resources'))
        }),
      ),
    plainAt(before),
  )
}

const withoutVersion = (object: Stored): Plain => withField(object, ['metadata', 'resourceVersion'], undefined)
/** Stores the change, unless nothing changed or it was only tried. A finished deletion ends here. */
export function keep(cluster: Cluster, call: Call, before: Stored, next: Stored): Reply {
  const { resource, name, namespace } = call
  const { store } = cluster
  const written = equal(withoutVersion(before), withoutVersion(next)) ? before : managed(cluster, call, before, next)
  if (call.dryRun) return { status: 200, text: objectText(resource, store.preview(written)) }
  store.update(written)
  if (resource.stored === 'CustomResourceDefinition') cluster.resources.define({ ...written })
  const kept = existing(cluster, call)
  const finished = kept.metadata.deletionTimestamp && textsAt(kept, 'metadata', 'finalizers').length === 0 && textsAt(before, 'metadata', 'finalizers').length > 0
  if (finished) store.remove(resource.stored, namespace, name)
  return { status: 200, text: objectText(resource, kept) }
}
