// Reader of one namespace: live by GET, or from what the watches hold where they hold it completely.
import { Fault, isFault } from '../domain/fault.ts'
import { makeDiscovery, pathOf } from './discovery.ts'
import { type Getter, getOnly, isRecord } from './getter.ts'
import type { Held } from './held.ts'
import { parseLabelSelector } from './selector.ts'
import type { Query, Transport } from './transport.ts'
import { ADDRESSES, type AnyObject, isKind, type Kind, type Kinds, type Reader, type Selector } from './wire.ts'

const PAGE = 500

export function makeReader(transport: Transport, namespace: string, held?: Held): Reader {
  const read = getOnly(transport)
  const discovery = makeDiscovery(read)

  const get = async <K extends Kind>(kind: K, name: string): Promise<Kinds[K] | undefined> =>
    held?.holds(kind) ? held.get(kind, name) : orUndefined(async () => asKind(kind, await read.get(pathOf(ADDRESSES[kind], namespace, name))))

  return {
    namespace,
    get,
    async list(kind, selector) {
      const fits = held?.holds(kind) && selector?.fields === undefined ? parseLabelSelector(selector?.labels ?? '') : undefined
      if (held && fits) return held.list(kind).filter((object) => fits(object.metadata?.labels ?? {}))
      return (await listAll(read, kind, namespace, selector)).items
    },
    async object(ref) {
      const address = await discovery.addressOf(ref.apiVersion, ref.kind)
      if (!address) return undefined
      if (isKind(ref.kind) && ADDRESSES[ref.kind] === address) return asObject(await get(ref.kind, ref.name))
      return orUndefined(async () => asObject(await read.get(pathOf(address, namespace, ref.name))))
    },
    async logs(pod, { container, previous, tailLines, limitBytes }) {
      const text = await read.get(pathOf(ADDRESSES.Pod, namespace, pod, 'log'), { container, previous, tailLines, limitBytes })
      return typeof text === 'string' ? text : JSON.stringify(text)
    },
  }
}

export interface Listed<K extends Kind> {
  readonly items: readonly Kinds[K][]
  readonly resourceVersion: string
}

/** Every page. A continue token that expired (410) makes it begin again, once. */
export async function listAll<K extends Kind>(read: Getter, kind: K, namespace: string, selector?: Selector): Promise<Listed<K>> {
  try {
    return await pages(read, kind, namespace, selector)
  } catch (error) {
    if (!isFault(error, 'CLUSTER_GONE')) throw error
    return pages(read, kind, namespace, selector)
  }
}

async function pages<K extends Kind>(read: Getter, kind: K, namespace: string, selector: Selector = {}): Promise<Listed<K>> {
  const items: Kinds[K][] = []
  let next: string | undefined
  for (;;) {
    const query: Query = { limit: PAGE, continue: next, labelSelector: selector.labels, fieldSelector: selector.fields }
    const page = await read.get(pathOf(ADDRESSES[kind], namespace), query)
    if (!isRecord(page) || !Array.isArray(page['items'])) throw new Fault('CLUSTER_ERROR', `list ${ADDRESSES[kind].plural} ${namespace}: not a list`)
    items.push(...page['items'].map((item: unknown) => asKind(kind, item)))
    const { continue: more, resourceVersion } = listMetadata(page)
    if (!more) return { items, resourceVersion }
    next = more
  }
}

function listMetadata(page: Readonly<Record<string, unknown>>): { readonly continue: string; readonly resourceVersion: string } {
  const metadata = isRecord(page['metadata']) ? page['metadata'] : {}
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return { continue: text(metadata['continue']), resourceVersion: text(metadata['resourceVersion']) }
}

// Wire types are the API's own promise: that the kind is the one asked for is checked, the rest is taken at its word.
const isOfKind = <K extends Kind>(kind: K, value: unknown): value is Kinds[K] => isRecord(value) && value['kind'] === kind
const isObject = (value: unknown): value is AnyObject => isRecord(value) && isRecord(value['metadata'])

/** Items of a list carry neither apiVersion nor kind: they are put back. */
export function asKind<K extends Kind>(kind: K, value: unknown): Kinds[K] {
  const whole: unknown = isRecord(value) && value['kind'] === undefined ? { apiVersion: ADDRESSES[kind].apiVersion, kind, ...value } : value
  if (isOfKind(kind, whole)) return whole
  throw new Fault('CLUSTER_ERROR', `the API server answered with something that is not a ${kind}`)
}

function asObject(value: unknown): AnyObject | undefined {
  if (value === undefined || isObject(value)) return value
  throw new Fault('CLUSTER_ERROR', 'the API server answered with something that is not an object')
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isFault(error, 'CLUSTER_NOT_FOUND')) return undefined
    throw error
  }
}
