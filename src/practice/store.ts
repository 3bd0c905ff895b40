// The practice cluster's memory: objects by kind, namespace and name, with resourceVersions, generations and a bounded change log.
import type { Clock } from '../domain/ports.ts'
import type { AnyObject } from '../kube/wire.ts'
import { copyOf, equal } from './fields.ts'
import { countsGenerations, storedAs } from './resources.ts'

export type Stored = AnyObject & { readonly apiVersion: string; readonly kind: string; readonly metadata: NonNullable<AnyObject['metadata']> & { readonly name: string } }

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Stored
  /** The object as it was: what a watch needs to see that one left its selector. */
  readonly before?: Stored
  readonly version: number
}

/** How many changes a watch may lag behind before it is told 410. */
const LOG = 5_000

interface Shelf {
  readonly objects: Map<string, Stored>
  /** Keys in the order in which the API lists them; undefined when an object came or went. */
  order: readonly string[] | undefined
}

const keyOf = (object: Stored): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`
const kindOf = (object: Stored): string => storedAs(object.apiVersion, object.kind)
/** As Kubernetes writes times: whole seconds. */
export const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')

/**
 * Objects go in and out as copies: nobody can change the store but through it. Everything is synchronous.
 * `kind` is the kind's own name; a custom kind that shares its name with a built-in one is `<kind>.<group>`.
 */
export class Store {
  readonly #shelves = new Map<string, Shelf>()
  readonly #log: Change[] = []
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #untold: Change[] = []
  readonly #clock: Clock
  #version = 1
  #oldest = 0
  #uids = 0

  /**
   * Asked when a pod is deleted through the API: true keeps it with a deletionTimestamp until somebody removes it, as a
   * kubelet would. Without an answer pods go at once.
   */
  endsSlowly: ((pod: Stored) => boolean) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get version(): number {
    return this.#version
  }
  /** The oldest version from which changes can still be replayed. */
  get oldest(): number {
    return this.#oldest
  }
  changesAfter(version: number): readonly Change[] {
    const first = this.#log.findIndex((change) => change.version > version)
    return first < 0 ? [] : this.#log.slice(first)
  }
  /** Forgets the history, as etcd's compaction does: older watches are told 410. */
  compact(): void {
    this.#log.length = 0
    this.#oldest = this.#version
  }
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get(kind: string, namespace: string, name: string): Stored | undefined {
    return copyOf(this.peek(kind, namespace, name))
  }
  list(kind: string, namespace?: string): Stored[] {
    return this.peekAll(kind, namespace).map((object) => copyOf(object))
  }
  /** The kept object itself, for those who only read: it must not be changed. */
  peek(kind: string, namespace: string, name: string): Stored | undefined {
    return this.#shelves.get(kind)?.objects.get(`${namespace}/${name}`)
  }
  /** The kept objects themselves, by namespace and name, for those who only read. */
  peekAll(kind: string, namespace?: string): readonly Stored[] {
    const shelf = this.#shelves.get(kind)
    if (!shelf) return []
    shelf.order ??= [...shelf.objects.keys()].sort()
    const all = shelf.order.flatMap((key) => shelf.objects.get(key) ?? [])
    return namespace === undefined ? all : all.filter((object) => (object.metadata.namespace ?? '') === namespace)
  }
  hasNamespace(namespace: string): boolean {
    return [...this.#shelves.values()].some((shelf) => [...shelf.objects.values()].some((object) => object.metadata.namespace === namespace))
  }
  kinds(): { readonly apiVersion: string; readonly kind: string }[] {
    const every = [...this.#shelves.values()].flatMap((shelf) => [...shelf.objects.values()])
    return [...new Map(every.map((o) => [`${o.apiVersion} ${o.kind}`, { apiVersion: o.apiVersion, kind: o.kind }])).values()]
  }

  /** Adds an object; uid, creationTimestamp, generation and resourceVersion are given here, unless the manifest carries the first two. */
  create(object: Stored): Stored {
    if (this.#shelves.get(kindOf(object))?.objects.has(keyOf(object))) throw new Error(`${kindOf(object)} ${keyOf(object)} exists`)
    const metadata = {
      uid: this.newUid(),
      creationTimestamp: timeOf(this.#clock.now()),
      ...object.metadata,
      ...(countsGenerations(kindOf(object)) ? { generation: object.metadata.generation ?? 1 } : {}),
    }
    return this.#put('ADDED', { ...copyOf(object), metadata })
  }
  /** Replaces an object. A changed spec raises the generation; an unchanged object keeps its resourceVersion and tells nobody. */
  update(object: Stored): Stored {
    const { before, next } = this.#compared(object)
    return next ? this.#put('MODIFIED', next, before) : copyOf(before)
  }
  /** What update would keep. */
  preview(object: Stored): Stored {
    const { before, next } = this.#compared(object)
    return copyOf(next ? { ...next, metadata: { ...next.metadata, resourceVersion: before.metadata.resourceVersion ?? '' } } : before)
  }
  #compared(object: Stored): { readonly before: Stored; readonly next?: Stored } {
    const before = this.peek(kindOf(object), object.metadata.namespace ?? '', object.metadata.name)
    if (!before) throw new Error(`${kindOf(object)} ${keyOf(object)} does not exist`)
    const more = equal(before.spec ?? null, object.spec ?? null) ? 0 : 1
    const generation = countsGenerations(kindOf(object)) ? { generation: (before.metadata.generation ?? 1) + more } : {}
    const { resourceVersion: _, ...metadata } = object.metadata
    const { resourceVersion, ...old } = before.metadata
    const next = { ...copyOf(object), metadata: { ...copyOf(metadata), uid: before.metadata.uid ?? '', ...generation } }
    return equal({ ...before, metadata: old }, next) ? { before } : { before, next }
  }
  remove(kind: string, namespace: string, name: string): Stored | undefined {
    const before = this.peek(kind, namespace, name)
    const shelf = this.#shelves.get(kind)
    if (!before || !shelf) return undefined
    shelf.objects.delete(keyOf(before))
    shelf.order = undefined
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(++this.#version) } }
    this.#tell({ type: 'DELETED', object, before, version: this.#version })
    return copyOf(before)
  }
  newUid(): string {
    return `00000000-0000-4000-8000-${(++this.#uids).toString(16).padStart(12, '0')}`
  }

  #put(type: 'ADDED' | 'MODIFIED', object: Stored, before?: Stored): Stored {
    const stored: Stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    const kind = kindOf(stored)
    const shelf = this.#shelves.get(kind) ?? { objects: new Map<string, Stored>(), order: undefined }
    if (type === 'ADDED') shelf.order = undefined
    shelf.objects.set(keyOf(stored), stored)
    this.#shelves.set(kind, shelf)
    this.#tell({ type, object: stored, version: this.#version, ...(before ? { before } : {}) })
    return copyOf(stored)
  }
  /** A listener may write: what it changes is told when everyone has heard of this change, so that all hear the same order. */
  #tell(change: Change): void {
    this.#log.push(change)
    if (this.#log.length > LOG) this.#oldest = this.#log.shift()?.version ?? this.#oldest
    this.#untold.push(change)
    if (this.#untold.length > 1) return
    for (let next = this.#untold[0]; next; this.#untold.shift(), next = this.#untold[0]) {
      for (const listener of [...this.#listeners]) listener(next)
    }
  }
}
