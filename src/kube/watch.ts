// Watches of one namespace: list, then follow; list again on 410, start again after anything else, never stop by themselves.
import { Fault, isFault } from '../domain/fault.ts'
import { type Clock, pause, type Random, type Timers } from '../domain/ports.ts'
import { pathOf } from './discovery.ts'
import { faultOfEvent } from './errors.ts'
import { getOnly, isRecord } from './getter.ts'
import { type Held, Shelf } from './held.ts'
import { listAll } from './reader.ts'
import type { Transport } from './transport.ts'
import { ADDRESSES, type Kind } from './wire.ts'

/** What the facts read of nearly every case. */
export const WATCHED: readonly Kind[] = ['Pod', 'Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'HorizontalPodAutoscaler', 'PodDisruptionBudget']

export interface WatchState {
  readonly kind: Kind
  readonly synced: boolean
  /** We may not watch it: readers ask the API server, and it is tried again each minute. */
  readonly forbidden: boolean
  readonly restarts: number
  /** ms; a bookmark counts: it shows that the watch is alive. */
  readonly lastEventAt: number | undefined
}

export interface Watches {
  readonly held: Held
  /** Resolves when every kind is held, or known to be out of reach (forbidden, not served). Rejects when stopped before. */
  synced(): Promise<void>
  state(): readonly WatchState[]
  stop(): void
}

export interface WatchOptions {
  readonly transport: Transport
  readonly namespace: string
  readonly kinds?: readonly Kind[]
  readonly timers: Timers
  readonly random: Random
  readonly clock: Clock
  readonly onRestart?: (kind: Kind, why: Fault) => void
  /** Without an event or a bookmark for so long the connection is taken for dead. Bookmarks come about every minute. */
  readonly inactivityMs?: number
}

const BACKOFF_MS = { first: 500, longest: 30_000 }
const FORBIDDEN_MS = 60_000
/** The API server ends the watch by itself after this time, give or take a half, so that not all come back at once. */
const TIMEOUT_SECONDS = 300
/** A watch that ends so soon is trouble, whatever it says: otherwise a proxy that closes at once makes us spin. */
const TOO_SHORT_MS = 1_000

/** Failures in a row after which the version that we resume from is not trusted any more. */
const STUCK = 3

export function watchNamespace(options: WatchOptions): Watches {
  const stopping = new AbortController()
  const kinds = [...new Set(options.kinds ?? WATCHED)]
  const watches = new Map<Kind, KindWatch>(kinds.map((kind) => [kind, new KindWatch(kind, options, stopping.signal)]))
  const all = Promise.all([...watches.values()].map((watch) => watch.settled))
  all.catch(() => {}) // Nobody need ask.
  for (const watch of watches.values()) void watch.run()
  return {
    held: {
      holds: (kind) => watches.get(kind)?.synced === true,
      get: (kind, name) => watches.get(kind)?.shelf.get(kind, name),
      list: (kind) => watches.get(kind)?.shelf.list(kind) ?? [],
    },
    synced: async () => {
      await all
    },
    state: () => [...watches.values()].map((watch) => watch.state()),
    stop: () => stopping.abort(new Fault('CLUSTER_UNREACHABLE', 'the watches were stopped')),
  }
}

class KindWatch {
  readonly shelf: Shelf
  readonly settled: Promise<void>
  synced = false
  #forbidden = false
  #restarts = 0
  #failures = 0
  #lastEventAt: number | undefined
  #version: string | undefined
  readonly #options: WatchOptions
  readonly #signal: AbortSignal
  readonly #settle: () => void

  constructor(kind: Kind, options: WatchOptions, signal: AbortSignal) {
    this.shelf = new Shelf(kind)
    this.#options = options
    this.#signal = signal
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.settled = promise
    this.#settle = resolve
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  }

  state(): WatchState {
    return { kind: this.shelf.kind, synced: this.synced, forbidden: this.#forbidden, restarts: this.#restarts, lastEventAt: this.#lastEventAt }
  }

  /** Ends only when it is stopped. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#once()
      } catch (error) {
        if (this.#signal.aborted) break
        const fault = isFault(error) ? error : new Fault('INTERNAL', `the watch of ${this.shelf.kind} failed`, { cause: error })
        await pause(this.#options.timers, this.#waitAfter(fault), this.#signal).catch(() => {})
      }
    }
    this.synced = false
    this.shelf.clear()
  }

  async #once(): Promise<void> {
    const { clock, transport, namespace } = this.#options
    if (this.#version === undefined) await this.#list()
    const began = clock.elapsed()
    const dead = new AbortController()
    const patience = this.#patience(dead)
    try {
      const stream = transport.stream({
        path: pathOf(ADDRESSES[this.shelf.kind], namespace),
        query: { watch: true, allowWatchBookmarks: true, resourceVersion: this.#version, timeoutSeconds: Math.round(TIMEOUT_SECONDS * (0.5 + this.#options.random.next())) },
        signal: AbortSignal.any([this.#signal, dead.signal]),
        onOpen: () => this.#connected(),
      })
      for await (const event of stream) {
        patience.renew()
        this.#take(event)
      }
    } finally {
      patience.end()
    }
    if (clock.elapsed() - began < TOO_SHORT_MS) throw new Fault('CLUSTER_UNREACHABLE', `the watch of ${this.shelf.kind} ended as soon as it had begun`)
    this.#failures = 0
  }

  async #list(): Promise<void> {
    const { transport, namespace } = this.#options
    const listed = await listAll(getOnly(transport), this.shelf.kind, namespace)
    this.shelf.replace(listed.items)
    this.#version = listed.resourceVersion
    this.#lastEventAt = this.#options.clock.now()
    this.#connected()
  }

  #connected(): void {
    this.synced = true
    this.#forbidden = false
    this.#settle()
  }

  #take(event: unknown): void {
    if (!isRecord(event)) throw new Fault('CLUSTER_ERROR', `the watch of ${this.shelf.kind} sent something that is no event`)
    const { type, object } = event
    if (type === 'ERROR') throw faultOfEvent(pathOf(ADDRESSES[this.shelf.kind], this.#options.namespace), object)
    if (type === 'ADDED' || type === 'MODIFIED') this.shelf.put(object)
    if (type === 'DELETED') this.shelf.drop(object)
    this.#version = versionOf(object) ?? this.#version
    this.#lastEventAt = this.#options.clock.now()
    this.#failures = 0
  }

  /** What a failure means for what we hold, and how long to wait before the next try. */
  #waitAfter(fault: Fault): number {
    const jitter = 0.5 + this.#options.random.next() / 2
    this.synced = false
    this.#restarts++
    this.#failures++
    this.#options.onRestart?.(this.shelf.kind, fault)
    // A resource that is not served, or not to us, is no reason to wait with everything else.
    this.#forbidden = fault.code === 'CLUSTER_FORBIDDEN'
    if (this.#forbidden || fault.code === 'CLUSTER_NOT_FOUND') {
      this.#version = undefined
      this.shelf.clear()
      this.#settle()
      return FORBIDDEN_MS * (0.9 + this.#options.random.next() * 0.2)
    }
    // Too old (410), refused as invalid, or stuck on something that we cannot read: only a new list gets us further.
    if (['CLUSTER_GONE', 'CLUSTER_INVALID', 'INTERNAL'].includes(fault.code) || this.#failures >= STUCK) this.#version = undefined
    if (fault.code === 'CLUSTER_GONE' && this.#failures === 1) return 0
    return Math.max(fault.retryAfterMs ?? 0, Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** Math.min(this.#failures - 1, 10)) * jitter)
  }

  #patience(dead: AbortController): { renew(): void; end(): void } {
    const { timers, inactivityMs = 120_000 } = this.#options
    const start = () => timers.after(inactivityMs, () => dead.abort(new Error(`nothing heard for ${inactivityMs} ms`)))
    let cancel = start()
    return {
      renew() {
        cancel()
        cancel = start()
      },
      end: () => cancel(),
    }
  }
}

function versionOf(object: unknown): string | undefined {
  const metadata = isRecord(object) && isRecord(object['metadata']) ? object['metadata'] : {}
  return typeof metadata['resourceVersion'] === 'string' ? metadata['resourceVersion'] : undefined
}
