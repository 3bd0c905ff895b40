// JSON Patch and JSON merge patch as the API server applies them, with its few departures from the RFCs.
import { copyOf, equal, isPlain, type Plain } from './fields.ts'
import { badRequest, patchRefused } from './status.ts'

type Container = unknown[] | { [key: string]: unknown }
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

/** Defining, not assigning: a key named `__proto__` is a key like any other. */
const define = (object: object, key: string, value: unknown): void => {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

function indexIn(list: readonly unknown[], key: string, end: number): number {
  const index = /^-?\d+$/.test(key) ? Number(key) : Number.NaN
  const counted = index < 0 ? index + end : index
  if (!(counted >= 0 && counted < end)) throw patchRefused()
  return list.length === 0 && end === 0 ? 0 : counted
}

interface Place {
  readonly parent: Container
  readonly key: string
}
function placeOf(document: Container, pointer: unknown): Place {
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw patchRefused()
  const keys = pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = keys.pop() ?? ''
  let parent = document
  for (const step of keys) {
    const next = valueAt({ parent, key: step })
    if (!isContainer(next)) throw patchRefused()
    parent = next
  }
  return { parent, key }
}
function valueAt({ parent, key }: Place): unknown {
  if (Array.isArray(parent)) return parent[indexIn(parent, key, parent.length)]
  return Object.hasOwn(parent, key) ? parent[key] : undefined
}
function add({ parent, key }: Place, value: unknown): void {
  if (!Array.isArray(parent)) define(parent, key, value)
  else if (key === '-') parent.push(value)
  else parent.splice(indexIn(parent, key, parent.length + 1), 0, value)
}
function remove({ parent, key }: Place): void {
  if (Array.isArray(parent)) parent.splice(indexIn(parent, key, parent.length), 1)
  else if (Object.hasOwn(parent, key)) delete parent[key]
  else throw patchRefused()
}
/** The server's library lets `replace` set a key that an object does not have yet. */
function replace({ parent, key }: Place, value: unknown): void {
  if (Array.isArray(parent)) parent[indexIn(parent, key, parent.length)] = value
  else define(parent, key, value)
}

/** A value of null also passes for a field that is not there, which is how a client tests for absence. */
const passes = (place: Place, value: unknown): boolean => equal(valueAt(place) ?? null, value ?? null)

function apply(document: Container, operation: Plain): Container {
  const { op, path, from, value } = operation
  if (path === '' && (op === 'test' || op === 'replace')) return whole(document, op, value)
  const place = () => placeOf(document, path)
  if (op === 'test') {
    if (!passes(place(), value)) throw patchRefused()
  } else if (op === 'add') add(place(), copyOf(value ?? null))
  else if (op === 'replace') replace(place(), copyOf(value ?? null))
  else if (op === 'remove') remove(place())
  else if (op === 'copy') add(place(), copyOf(valueAt(placeOf(document, from)) ?? null))
  else if (op === 'move') {
    const source = placeOf(document, from)
    const moved = valueAt(source)
    remove(source)
    add(place(), moved)
  } else throw patchRefused()
  return document
}
function whole(document: Container, op: unknown, value: unknown): Container {
  if (op === 'test' && equal(document, value)) return document
  if (op === 'replace' && isContainer(value)) return value
  throw patchRefused()
}

/** All operations or none. One that does not apply is refused with 422, a body that is no list of operations with 400. */
export function jsonPatch(object: Plain, operations: unknown): Plain {
  if (!Array.isArray(operations) || !operations.every(isPlain)) {
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
  }
  const patched = operations.reduce<Container>(apply, { ...copyOf(object) })
  if (!isPlain(patched)) throw patchRefused()
  return patched
}

/** RFC 7396: null takes a field away, lists are replaced as a whole. */
export function mergePatch(object: unknown, patch: unknown): unknown {
  if (!isPlain(patch)) return patch
  const merged: { [key: string]: unknown } = { ...(isPlain(object) ? object : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else define(merged, key, mergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value))
  }
  return merged
}
