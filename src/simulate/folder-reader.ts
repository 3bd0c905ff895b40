// A cluster out of plain manifests, read as the real one is: the practice cluster's store and selectors, without a request in between.
import { Fault } from '../domain/fault.ts'
import { ADDRESSES, type AnyObject, isKind, type Kind, type Kinds, type Reader } from '../kube/wire.ts'

export interface FolderState {
  /** Lists are taken apart; an object without a namespace is in the reader's. */
  readonly manifests: readonly unknown[]
  /** By `<pod>.<container>` and `<pod>.<container>.previous`. */
  readonly logs: ReadonlyMap<string, string>
}
export interface FolderView {
  readonly namespace: string
  readonly now: number
}

type Plain = Readonly<Record<string, unknown>>
const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)
const CLUSTER_WIDE = /^(Namespace|Node|PersistentVolume|StorageClass|PriorityClass|CustomResourceDefinition|Cluster\w+)$/

function flat(manifest: unknown): readonly unknown[] {
  if (!isPlain(manifest) || !Array.isArray(manifest['items'])) return [manifest]
  const kind = typeof manifest['kind'] === 'string' ? manifest['kind'].replace(/List$/, '') : ''
  const inherited = kind === '' ? {} : { apiVersion: manifest['apiVersion'], kind }
  return manifest['items'].flatMap((item: unknown) => flat(isPlain(item) ? { ...inherited, ...item } : item))
}
function placed(manifest: unknown, namespace: string): unknown {
  if (!isPlain(manifest) || typeof manifest['kind'] !== 'string' || CLUSTER_WIDE.test(manifest['kind'])) return manifest
  const metadata = isPlain(manifest['metadata']) ? manifest['metadata'] : {}
  return { ...manifest, metadata: { namespace, ...metadata } }
}

// The kind is checked, the rest is taken at its word, as the live reader does with what the API server sends.
const isOfKind = <K extends Kind>(kind: K, value: unknown): value is Kinds[K] => isPlain(value) && value['kind'] === kind
const isObject = (value: unknown): value is AnyObject => isPlain(value) && isPlain(value['metadata'])

export async function folderReader({ manifests, logs }: FolderState, { namespace, now }: FolderView): Promise<Reader> {
  const { makePractice } = await import('../practice/server.ts')
  const { fieldMatcher, labelMatcher } = await import('../practice/selectors.ts')
  const { Resources, storedAs } = await import('../practice/resources.ts')
  const { shown } = await import('../practice/representation.ts')
  const still = { clock: { now: () => now, elapsed: () => 0 }, timers: { after: () => () => undefined, soon: () => undefined }, random: { next: () => 0 } }
  const practice = makePractice({ ports: still })
  practice.load(manifests.flatMap(flat).map((manifest) => placed(manifest, namespace)))
  const resources = new Resources()

  const homeOf = (apiVersion: string, kind: string) => {
    const namespaced = isKind(kind) ? ADDRESSES[kind].namespaced : !CLUSTER_WIDE.test(kind)
    return { stored: storedAs(apiVersion, kind), namespace: namespaced ? namespace : '', resource: resources.meet(apiVersion, kind, namespaced) }
  }
  const one = (apiVersion: string, kind: string, name: string): unknown => {
    const home = homeOf(apiVersion, kind)
    const found = practice.store.get(home.stored, home.namespace, name)
    return found && { ...shown(home.resource, found), apiVersion, kind }
  }
  return {
    namespace,
    async get(kind, name) {
      const found = one(ADDRESSES[kind].apiVersion, kind, name)
      return isOfKind(kind, found) ? found : undefined
    },
    async list(kind, selector) {
      const { apiVersion } = ADDRESSES[kind]
      const home = homeOf(apiVersion, kind)
      const select = understood(() => ({ labels: labelMatcher(selector?.labels ?? ''), fields: fieldMatcher(selector?.fields ?? '', home.resource) }))
      const all = practice.store.list(home.stored, home.namespace).map((found) => ({ ...shown(home.resource, found), apiVersion, kind }))
      return all
        .filter((found) => select.fields(found))
        .filter((found) => isOfKind(kind, found))
        .filter((found) => select.labels(found.metadata?.labels ?? {}))
    },
    async object({ apiVersion, kind, name }) {
      const found = one(apiVersion, kind, name)
      return isObject(found) ? found : undefined
    },
    async logs(pod, { container, previous, tailLines, limitBytes }) {
      const text = logs.get(`${pod}.${container}${previous ? '.previous' : ''}`)
      if (text === undefined) throw new Fault('CLUSTER_NOT_FOUND', `there is no ${previous ? 'earlier ' : ''}log of ${pod}/${container}`)
      return Buffer.from(text.trimEnd().split('\n').slice(-tailLines).join('\n')).subarray(-limitBytes).toString()
    },
  }
}

function understood<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new Fault('CLUSTER_INVALID', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** As a cluster refuses what no Role grants: `kinds`, and `logs`. */
export function forbidding(read: Reader, kinds: readonly string[]): Reader {
  const check = (kind: string): void => {
    if (kinds.includes(kind)) throw new Fault('CLUSTER_FORBIDDEN', `${kind} may not be read`)
  }
  return {
    namespace: read.namespace,
    async get(kind, name) {
      check(kind)
      return read.get(kind, name)
    },
    async list(kind, selector) {
      check(kind)
      return read.list(kind, selector)
    },
    async object(ref) {
      check(ref.kind)
      return read.object(ref)
    },
    async logs(pod, options) {
      check('logs')
      return read.logs(pod, options)
    },
  }
}
