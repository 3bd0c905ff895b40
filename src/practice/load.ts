// Plain manifests into the store, as they are: status kept, owners by name, in any order.
import type { Cluster } from './call.ts'
import { asStored } from './create.ts'
import { withDefaults } from './defaults.ts'
import { isPlain, listAt, type Plain, textAt, withField } from './fields.ts'
import type { Resource } from './resources.ts'
import type { Stored } from './store.ts'

const isList = (manifest: Plain): boolean => (textAt(manifest, 'kind') ?? '').endsWith('List') && Array.isArray(manifest['items'])
/** Items of a typed list (`PodList`) carry no kind of their own. */
function flat(manifest: unknown): readonly Plain[] {
  if (!isPlain(manifest)) return []
  if (!isList(manifest)) return [manifest]
  const kind = (textAt(manifest, 'kind') ?? '').slice(0, -'List'.length)
  const inherited = kind === '' ? {} : { apiVersion: manifest['apiVersion'], kind }
  return listAt(manifest, 'items').flatMap((item) => flat(isPlain(item) ? { ...inherited, ...item } : item))
}

/** Definitions first, so that the kinds they describe get their own plural; owners before owned, so that uids are known. */
export function load(cluster: Cluster, manifests: readonly unknown[]): void {
  const all = manifests.flatMap(flat)
  for (const each of all) if (each['kind'] === 'CustomResourceDefinition') cluster.resources.define(each)
  // A kind that nobody described is namespaced when any object of it has a namespace, whichever comes first.
  for (const each of all) if (textAt(each, 'metadata', 'namespace') !== undefined) meet(cluster, each)
  const objects = all.map((each) => placed(cluster, each))
  for (const each of objects) put(cluster, each)
  for (const each of objects) adopt(cluster, each)
}

const meet = ({ resources }: Cluster, manifest: Plain): Resource =>
  resources.meet(textAt(manifest, 'apiVersion') ?? 'v1', textAt(manifest, 'kind') ?? '', textAt(manifest, 'metadata', 'namespace') !== undefined)

interface Placed {
  readonly resource: Resource
  readonly object: Stored
}
function placed(cluster: Cluster, manifest: Plain): Placed {
  const namespace = textAt(manifest, 'metadata', 'namespace')
  const resource = meet(cluster, manifest)
  const placed = withField(manifest, ['metadata', 'namespace'], resource.namespaced ? (namespace ?? 'default') : undefined)
  return { resource, object: asStored(resource, withDefaults(resource, placed)) }
}
function put({ store }: Cluster, { resource, object }: Placed): void {
  const known = store.peek(resource.stored, object.metadata.namespace ?? '', object.metadata.name)
  if (known) store.update({ ...object, metadata: { ...object.metadata, uid: known.metadata.uid ?? '' } })
  else store.create(object)
}
/** An ownerReference without a uid gets that of the object it names. */
function adopt({ store, resources }: Cluster, { resource, object: { metadata } }: Placed): void {
  const object = store.get(resource.stored, metadata.namespace ?? '', metadata.name)
  if (!object?.metadata.ownerReferences?.some((owner) => !owner.uid)) return
  const ownerReferences = object.metadata.ownerReferences.map((owner) => {
    const home = resources.ofKind(owner.apiVersion, owner.kind)
    const found = home && store.peek(home.stored, home.namespaced ? (metadata.namespace ?? '') : '', owner.name)
    return owner.uid ? owner : { ...owner, uid: found?.metadata.uid ?? '' }
  })
  store.update({ ...object, metadata: { ...object.metadata, ownerReferences } })
}
