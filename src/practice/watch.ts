// watch: changes as JSON lines, from a version that is still known, through selectors, with bookmarks.
import type { Timers } from '../domain/ports.ts'
import type { Call, Cluster, Reply } from './call.ts'
import { selection, watchVersion } from './reads.ts'
import { objectText } from './representation.ts'
import { type Resource, storedAs } from './resources.ts'
import type { Matches } from './selectors.ts'
import { expired } from './status.ts'
import type { Change, Store, Stored } from './store.ts'

/** The real server sends one about every minute, and one shortly before it closes a watch. */
const BOOKMARK_MS = 60_000
const LAST_BOOKMARK_MS = 2_000

const line = (type: string, object: string): string => `{"type":"${type}","object":${object}}\n`

/** A change as this watcher sees it: an object that comes to match was added to it, one that no longer does is gone. */
function seen(resource: Resource, matches: Matches<Stored>, { type, object, before }: Change): string | undefined {
  const was = before !== undefined && matches(before)
  const is = type !== 'DELETED' && matches(object)
  if (is) return line(was ? 'MODIFIED' : 'ADDED', objectText(resource, object))
  if (!was) return undefined
  return line(
    'DELETED',
    objectText(resource, type === 'DELETED' ? object : { ...before, metadata: { ...before.metadata, resourceVersion: object.metadata.resourceVersion ?? '' } }),
  )
}

function bookmark(resource: Resource, version: number, initial = false): string {
  const annotations = initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  const metadata = { resourceVersion: String(version), creationTimestamp: null, ...annotations }
  return line('BOOKMARK', JSON.stringify({ kind: resource.kind, apiVersion: resource.apiVersion, metadata }))
}

/** What a watch sends before anything changes; undefined when its version is forgotten. */
function beginning(store: Store, call: Call, matches: Matches<Stored>): readonly string[] | undefined {
  const { resource, query } = call
  const asked = query.get('resourceVersion') ?? ''
  const initial = query.get('sendInitialEvents')
  if (initial === 'true' || (initial === null && (asked === '' || asked === '0'))) {
    const all = store.peekAll(resource.stored).filter(matches)
    const end = initial === 'true' && bookmarks(call) ? [bookmark(resource, store.version, true)] : []
    return [...all.map((object) => line('ADDED', objectText(resource, object))), ...end]
  }
  const from = asked === '' ? store.version : Number(asked)
  if (from < store.oldest) return undefined
  return store.changesAfter(from).flatMap((change) => (isOf(resource, change) ? (seen(resource, matches, change) ?? []) : []))
}
const isOf = (resource: Resource, { object }: Change): boolean => storedAs(object.apiVersion, object.kind) === resource.stored
const bookmarks = (call: Call): boolean => ['true', '1'].includes(call.query.get('allowWatchBookmarks') ?? '')

export class Watches {
  readonly #open = new Set<() => void>()
  /** Ends every stream, as a restarting server does; clients come back with their last version. */
  drop(): void {
    for (const end of [...this.#open]) end()
  }
  get open(): number {
    return this.#open.size
  }

  start(cluster: Cluster, call: Call): Reply {
    const { store } = cluster
    const matches = selection(call)
    const asked = call.query.get('resourceVersion')
    watchVersion(asked)
    const first = beginning(store, call, matches)
    const encoder = new TextEncoder()
    let stop = () => {}
    const text = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const send = (lines: string) => controller.enqueue(encoder.encode(lines))
        if (!first) {
          send(line('ERROR', JSON.stringify(expired(`too old resource version: ${asked} (${store.oldest})`).body())))
          return controller.close()
        }
        if (first.length > 0) send(first.join(''))
        stop = this.#follow(cluster, call, matches, { send, close: () => controller.close() })
      },
      cancel: () => stop(),
    })
    return { status: 200, text }
  }

  #follow(cluster: Cluster, call: Call, matches: Matches<Stored>, stream: Stream): () => void {
    const { store, timers } = cluster
    const after = Number(call.query.get('resourceVersion') ?? 0)
    const unhear = store.onChange((change) => {
      const text = change.version > after && isOf(call.resource, change) ? seen(call.resource, matches, change) : undefined
      if (text) stream.send(text)
    })
    const seconds = Number(call.query.get('timeoutSeconds') ?? 0) || 1800 * (1 + cluster.random.next())
    const mark = () => stream.send(bookmark(call.resource, store.version))
    const unmark = bookmarks(call) ? marking(timers, seconds * 1000, mark) : () => {}
    const stop = () => {
      this.#open.delete(end)
      unhear()
      unmark()
      expire()
      call.signal.removeEventListener('abort', end)
    }
    const end = () => {
      stop()
      stream.close()
    }
    const expire = timers.after(seconds * 1000, end)
    this.#open.add(end)
    call.signal.addEventListener('abort', end, { once: true })
    return stop
  }
}

interface Stream {
  readonly send: (lines: string) => void
  readonly close: () => void
}

function marking(timers: Timers, lifetime: number, mark: () => void): () => void {
  const last = timers.after(Math.max(0, lifetime - LAST_BOOKMARK_MS), mark)
  let next = () => {}
  const again = () => {
    next = timers.after(BOOKMARK_MS, () => {
      mark()
      again()
    })
  }
  again()
  return () => {
    last()
    next()
  }
}
