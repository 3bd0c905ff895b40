// get and list: selectors, paging with a consistent snapshot, and the resourceVersions a reader may ask for.
import type { Call, Cluster, Reply } from './call.ts'
import { numberAt, textAt } from './fields.ts'
import { itemText, objectText, shown } from './representation.ts'
import { type Resource, storedAs } from './resources.ts'
import { fieldMatcher, labelMatcher, type Matches } from './selectors.ts'
import { badRequest, expired, notFound, Refusal } from './status.ts'
import type { Store, Stored } from './store.ts'

export function readOne(cluster: Cluster, call: Call): Reply {
  checkVersion(cluster.store, call.query.get('resourceVersion'))
  const found = cluster.store.peek(call.resource.stored, call.namespace, call.name)
  if (!found) throw notFound(call.resource, call.name)
  return { status: 200, text: objectText(call.resource, found) }
}

/** What a list or a watch asks for, by both selectors and namespace. */
export function selection(call: Call): Matches<Stored> {
  const labels = labelMatcher(call.query.get('labelSelector') ?? '')
  const wanted = call.query.get('fieldSelector') ?? ''
  const fields = fieldMatcher(wanted, call.resource)
  const inNamespace = call.namespace === '' || !call.resource.namespaced
  const named = call.name
  return (object) =>
    (inNamespace || object.metadata.namespace === call.namespace) &&
    (named === '' || object.metadata.name === named) &&
    labels(object.metadata.labels ?? {}) &&
    (wanted === '' || fields(shown(call.resource, object)))
}

export function readList(cluster: Cluster, call: Call): Reply {
  const { store } = cluster
  const token = call.query.get('continue') ?? ''
  const matches = selection(call)
  const page = token === '' ? firstPage(store, call) : nextPage(store, call.resource, token)
  const all = page.objects.filter(matches)
  const limit = Number(call.query.get('limit') ?? 0)
  const items = limit > 0 ? all.slice(0, limit) : all
  const last = items.at(-1)
  const remaining = all.length - items.length
  const metadata = {
    resourceVersion: String(page.version),
    ...(remaining > 0 && last ? { continue: tokenOf(page.version, keyOf(last)) } : {}),
    ...(remaining > 0 && !call.query.get('labelSelector') && !call.query.get('fieldSelector') ? { remainingItemCount: remaining } : {}),
  }
  const { kind, apiVersion } = call.resource
  const texts = items.map((item) => itemText(call.resource, item)).join(',')
  return { status: 200, text: `{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[${texts}]}` }
}

interface Page {
  readonly objects: readonly Stored[]
  readonly version: number
}
const keyOf = (object: Stored): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`
const tokenOf = (version: number, start: string): string => Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString('base64url')

function firstPage(store: Store, call: Call): Page {
  const asked = call.query.get('resourceVersion')
  const match = call.query.get('resourceVersionMatch')
  if (match && !asked) throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided')
  const version = checkVersion(store, asked)
  if (match === 'Exact' && version > 0) return { objects: snapshot(store, call.resource.stored, version), version }
  return { objects: store.peekAll(call.resource.stored, call.resource.namespaced && call.namespace !== '' ? call.namespace : undefined), version: store.version }
}

/** The rest of an earlier list, as things were then. */
function nextPage(store: Store, resource: Resource, token: string): Page {
  const decoded = decode(token)
  const version = numberAt(decoded, 'rv')
  const start = textAt(decoded, 'start')
  if (version === undefined || start === undefined) throw badRequest('invalid continue token: continue key is not valid')
  if (version < store.oldest) throw expired(TOO_OLD, { continue: tokenOf(store.version, start) })
  return { objects: snapshot(store, resource.stored, version).filter((object) => keyOf(object) > start), version }
}
const TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list. Objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

function decode(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch (cause) {
    throw badRequest(`invalid continue token: continue key is not valid: ${cause instanceof Error ? cause.message : 'unreadable'}`)
  }
}

/** The kind as it was: the present, with every later change taken back. */
function snapshot(store: Store, kind: string, version: number): readonly Stored[] {
  if (version < store.oldest) throw expired(`The resourceVersion for the provided list is too old.`)
  const objects = new Map(store.peekAll(kind).map((object) => [keyOf(object), object]))
  for (const change of store.changesAfter(version).toReversed()) {
    if (storedAs(change.object.apiVersion, change.object.kind) !== kind) continue
    if (change.before) objects.set(keyOf(change.object), change.before)
    else objects.delete(keyOf(change.object))
  }
  return [...objects.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
}

const notANumber = (asked: string): string => `resourceVersion: Invalid value: ${JSON.stringify(asked)}: strconv.ParseUint: parsing ${JSON.stringify(asked)}: invalid syntax`
/** What a watch that names no version is told; it is the one place where the real server says 500 for it. */
export const watchVersion = (asked: string | null): number => {
  if (asked && !/^\d+$/.test(asked)) throw new Refusal(500, '', notANumber(asked))
  return Number(asked ?? 0)
}

/** A version from the future is answered with 504, as the real server does when its cache does not catch up. */
function checkVersion(store: Store, asked: string | null): number {
  if (!asked) return 0
  if (!/^\d+$/.test(asked)) throw badRequest(`invalid resource version: ${notANumber(asked)}`)
  const version = Number(asked)
  if (version <= store.version) return version
  const message = `Too large resource version: ${version}, current: ${store.version}`
  throw new Refusal(504, 'Timeout', `Timeout: ${message}`, {
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
    retryAfterSeconds: 1,
  })
}
