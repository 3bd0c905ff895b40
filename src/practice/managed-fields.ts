// metadata.managedFields: who set which field, computed for every write as structured merge diff does for updates.
import type { Call, Cluster } from './call.ts'
import { equal, isPlain, listAt, type Plain, plainAt, textAt } from './fields.ts'
import { shown } from './representation.ts'
import type { Stored } from './store.ts'

/** FieldsV1: `f:name` for a field, `k:{…}` for a list item by its key, `v:…` for an item of a set, `.` for the thing itself. */
type Fields = { readonly [key: string]: Fields }

interface Mark {
  readonly manager: string
  readonly apiVersion: string
  readonly subresource: string
  readonly now: number
}

/** Lists whose items are told apart by fields of theirs; every other list is one value. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  conditions: ['type'],
  ownerReferences: ['uid'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
}
const SETS = ['finalizers']
/** Maps that are one value although they look granular. */
const ATOMIC = [
  'selector',
  'nodeSelector',
  'labelSelector',
  'scopeSelector',
  'podSelector',
  'resourceRef',
  'fieldRef',
  'secretKeyRef',
  'configMapKeyRef',
  'scaleTargetRef',
  'involvedObject',
]
/** Structures that exist even when empty, so that nobody is said to have set them. */
const ALWAYS_THERE = ['metadata', 'spec', 'status', 'template', 'strategy', 'updateStrategy', 'containers']
const UNMANAGED = ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields', 'selfLink']

/** The parts of a value by the names FieldsV1 gives them; undefined when it is one value. */
function parts(value: unknown, name: string): ReadonlyMap<string, unknown> | undefined {
  if (isPlain(value)) return ATOMIC.includes(name) ? undefined : new Map(Object.entries(value).map(([key, item]) => [`f:${key}`, item]))
  if (!Array.isArray(value)) return undefined
  if (SETS.includes(name)) return new Map(value.map((item) => [`v:${JSON.stringify(item)}`, null]))
  const keys = name === 'ports' ? portKeys(value) : KEYS[name]
  if (!keys || !value.every(isPlain)) return undefined
  return new Map(value.map((item) => [`k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, item[key]])))}`, item]))
}
const portKeys = (value: readonly unknown[]): readonly string[] =>
  value.some((item) => isPlain(item) && 'containerPort' in item) ? ['containerPort', 'protocol'] : ['port', 'protocol']
const nameOf = (key: string, above: string): string => (key.startsWith('f:') ? key.slice(2) : above)

/** Every part of `value` as a tree. */
function everything(value: unknown, name: string): Fields {
  const inner = parts(value, name)
  if (!inner || inner.size === 0) return {}
  const fields = [...inner].map(([key, item]): [string, Fields] => [key, key.startsWith('v:') ? {} : everything(item, nameOf(key, key.startsWith('k:') ? '' : name))])
  return Object.fromEntries(ALWAYS_THERE.includes(name) ? fields : [['.', {}], ...fields])
}
/** What is new or different in `after`, as a tree; undefined when nothing is. */
function changed(before: unknown, after: unknown, name: string): Fields | undefined {
  if (equal(before, after)) return undefined
  const was = parts(before, name)
  const is = parts(after, name)
  if (!is) return after === undefined ? undefined : {}
  if (!was) return everything(after, name)
  const fields = [...is].flatMap(([key, item]): [string, Fields][] => {
    const found = was.has(key) ? changed(was.get(key), item, nameOf(key, '')) : key.startsWith('v:') ? {} : everything(item, nameOf(key, ''))
    return found ? [[key, found]] : []
  })
  return fields.length > 0 ? Object.fromEntries(fields) : undefined
}

const isLeaf = (fields: Fields): boolean => Object.keys(fields).every((key) => key === '.')
const asFields = (value: unknown): Fields => (isPlain(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]): [string, Fields] => [key, asFields(inner)])) : {})

function union(a: Fields, b: Fields): Fields {
  const merged = Object.entries(b).map(([key, inner]): [string, Fields] => [key, union(a[key] ?? {}, inner)])
  return { ...a, ...Object.fromEntries(merged) }
}
/** `a` without what `b` names; branches that end empty go too. */
function minus(a: Fields, b: Fields): Fields {
  return Object.fromEntries(
    Object.entries(a).flatMap(([key, inner]): [string, Fields][] => {
      const taken = b[key]
      if (taken === undefined) return [[key, inner]]
      if (key === '.' || isLeaf(inner) || isLeaf(taken)) return []
      const left = minus(inner, taken)
      return isLeaf(left) ? [] : [[key, left]]
    }),
  )
}
/** `a` as far as the object still has it. */
function present(a: Fields, value: unknown, name: string): Fields {
  const inner = parts(value, name)
  return Object.fromEntries(
    Object.entries(a).flatMap(([key, fields]): [string, Fields][] => {
      if (key === '.') return [[key, fields]]
      if (!inner?.has(key)) return []
      const left = present(fields, inner.get(key), nameOf(key, ''))
      return isLeaf(left) && !isLeaf(fields) ? [] : [[key, left]]
    }),
  )
}

const managedPart = (object: Plain | undefined): Plain => {
  if (!object) return {}
  const { apiVersion: _, kind: __, ...rest } = object
  const kept = Object.fromEntries(Object.entries(plainAt(object, 'metadata')).filter(([key]) => !UNMANAGED.includes(key)))
  return { ...rest, metadata: kept }
}
/** The root itself belongs to nobody. */
function ofRoot(fields: Fields): Fields {
  const { '.': _, ...rest } = fields
  return rest
}

interface Entry {
  readonly manager: string
  readonly operation: string
  readonly subresource: string
  readonly fields: Fields
  readonly raw: Plain
}
const entriesOf = (object: Plain | undefined): readonly Entry[] =>
  listAt(object, 'metadata', 'managedFields')
    .filter(isPlain)
    .map((raw) => ({
      manager: textAt(raw, 'manager') ?? '',
      operation: textAt(raw, 'operation') ?? '',
      subresource: textAt(raw, 'subresource') ?? '',
      fields: asFields(raw['fieldsV1']),
      raw,
    }))
const rawOf = (mark: Mark, fields: Fields): Plain => ({
  manager: mark.manager,
  operation: 'Update',
  apiVersion: mark.apiVersion,
  time: new Date(mark.now).toISOString().replace(/\.\d+Z$/, 'Z'),
  fieldsType: 'FieldsV1',
  fieldsV1: fields,
  ...(mark.subresource === '' ? {} : { subresource: mark.subresource }),
})

/** The object with its managers: the writer takes over what it changed, everybody loses what is gone. */
export function managed(cluster: Cluster, call: Call, before: Stored | undefined, next: Stored): Stored {
  const mark = { manager: call.fieldManager, apiVersion: call.resource.apiVersion, subresource: call.subresource, now: cluster.clock.now() }
  const managedFields = managersOf(before && shown(call.resource, before), shown(call.resource, next), mark)
  if (managedFields.length > 0) return { ...next, metadata: { ...next.metadata, managedFields } }
  const { managedFields: _, ...metadata } = next.metadata
  return { ...next, metadata }
}
function managersOf(before: Plain | undefined, next: Plain, mark: Mark): unknown[] {
  const after = managedPart(next)
  const taken = ofRoot(changed(managedPart(before), after, '') ?? {})
  const entries = entriesOf(before)
  const mine = entries.find((entry) => entry.manager === mark.manager && entry.operation === 'Update' && entry.subresource === mark.subresource)
  const others = entries.filter((entry) => entry !== mine).map((entry) => ({ entry, fields: present(minus(entry.fields, taken), after, '') }))
  const kept = others
    .filter(({ fields }) => Object.keys(fields).length > 0)
    .map(({ entry, fields }) => (equal(fields, entry.fields) ? entry.raw : { ...entry.raw, fieldsV1: fields }))
  const own = present(union(mine?.fields ?? {}, taken), after, '')
  const entry = mine && equal(own, mine.fields) ? mine.raw : rawOf(mark, own)
  return Object.keys(own).length > 0 ? [...kept, entry] : kept
}
