// Who keeps which field of an object: metadata.managedFields, read by JSON pointer, and the fields that a change really changes.

export interface FieldsEntry {
  readonly manager: string
  readonly operation: string
  readonly fields: FieldSet
}
interface FieldSet {
  readonly [key: string]: FieldSet
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isFieldSet = (value: unknown): value is FieldSet => isMap(value) && Object.values(value).every(isFieldSet)

/** The entries of managedFields; undefined when one of them cannot be understood. */
export function readManagedFields(raw: readonly unknown[]): readonly FieldsEntry[] | undefined {
  const entries: FieldsEntry[] = []
  for (const item of raw) {
    if (!isMap(item)) return undefined
    const { manager, operation, fieldsV1 } = item
    if (typeof manager !== 'string' || typeof operation !== 'string' || !isFieldSet(fieldsV1)) return undefined
    entries.push({ manager, operation, fields: fieldsV1 })
  }
  return entries
}

const segmentsOf = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
const escaped = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1')

/** The value at a JSON pointer; undefined where there is none. */
export function valueAt(root: unknown, pointer: string): unknown {
  return segmentsOf(pointer).reduce<unknown>((value, segment) => child(value, segment), root)
}
const child = (value: unknown, segment: string): unknown => {
  if (Array.isArray(value)) return value[Number(segment)]
  return isMap(value) && Object.hasOwn(value, segment) ? value[segment] : undefined
}

/**
 * Maps whose keys have owners of their own: an owner of the empty map does not own what others put into it. Every other
 * leaf that is met on the way down is one value, and its owner owns all of it.
 */
const GRANULAR = new Set(['metadata', 'spec', 'template', 'annotations', 'labels', 'resources', 'limits', 'requests'])

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
/** `k:{"name":"app"}` names the element whose fields say so, `v:"x"` the element with that value, `i:3` the place. */
function names(key: string, element: unknown, place: string): boolean {
  if (key.startsWith('i:')) return key.slice(2) === place
  if (key.startsWith('v:')) return same(parsed(key.slice(2)), element)
  if (!key.startsWith('k:') || !isMap(element)) return false
  const wanted = parsed(key.slice(2))
  return isMap(wanted) && Object.entries(wanted).every(([field, value]) => same(element[field], value))
}

function owns(set: FieldSet, value: unknown, segments: readonly string[], name: string): boolean {
  const [next, ...rest] = segments
  if (next === undefined) return true
  const keys = Object.keys(set)
  if (keys.length === 0) return !GRANULAR.has(name)
  const key = Array.isArray(value) ? keys.find((k) => names(k, value[Number(next)], next)) : `f:${next}`
  const below = key === undefined ? undefined : set[key]
  return below !== undefined && owns(below, child(value, next), rest, next)
}

/** True when the entry owns the field, something above it as one value, or something below it. */
export const ownsField = (entry: FieldsEntry, object: unknown, pointer: string): boolean => owns(entry.fields, object, segmentsOf(pointer), '')

/** Pointers of the fields that differ; lists are compared element by element only where their elements keep their names. */
export function changedFields(before: unknown, after: unknown, pointer: string): readonly string[] {
  if (same(before, after)) return []
  const pairs = pairedLists(before, after)
  if (pairs) return pairs.flatMap(([was, becomes], place) => changedFields(was, becomes, `${pointer}/${place}`))
  const [was, becomes] = [asMap(before), asMap(after)]
  if (!was || !becomes) return [pointer]
  const keys = [...new Set([...Object.keys(was), ...Object.keys(becomes)])]
  if (keys.length === 0) return [pointer]
  return keys.flatMap((key) => changedFields(was[key], becomes[key], `${pointer}/${escaped(key)}`))
}
/** What is absent is an empty map for a map that comes or goes. */
const asMap = (value: unknown): Readonly<Record<string, unknown>> | undefined => (value === undefined ? {} : isMap(value) ? value : undefined)

const nameOf = (element: unknown): unknown => (isMap(element) ? element['name'] : undefined)

function pairedLists(before: unknown, after: unknown): readonly (readonly [unknown, unknown])[] | undefined {
  if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) return undefined
  const pairs = before.map((element: unknown, place) => [element, after[place]] as const)
  return pairs.every(([was, becomes]) => typeof nameOf(was) === 'string' && nameOf(was) === nameOf(becomes)) ? pairs : undefined
}
