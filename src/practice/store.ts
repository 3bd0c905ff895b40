// The practice cluster's memory: objects by kind, namespace and name, with resourceVersions, generations and a bounded change log.
import type { Clock } from '../domain/ports.ts'
import type { AnyObject } from '../kube/wire.ts'

export type Stored = AnyObject & { readonly apiVersion: string; readonly kind: string; readonly metadata: NonNullable<AnyObject['metadata']> & { readonly name: string } }

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Stored
  readonly version: number
}

/** How many changes a watch may lag behind before it is told 410. */
const LOG = 5_000

const keyOf = (kind: string, namespace: string, name: string): string => `${kind} ${namespace} ${name}`
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** Objects go in and out as copies: nobody can change the store but through it. Everything is synchronous. */
export class Store {
  readonly #objects = new Map<string, Stored>()
  readonly #log: Change[] = []
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #clock: Clock
  #version = 1
  #uids = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get version(): number {
    return this.#version
  }
  /** The oldest version from which changes can still be replayed. */
  get oldest(): number {
    return this.#log.length < LOG ? 0 : (this.#log[0]?.version ?? 0)
  }
  changesAfter(version: number): readonly Change[] {
    return this.#log.filter((change) => change.version > version)
  }
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get(kind: string, namespace: string, name: string): Stored | undefined {
    const found = this.#objects.get(keyOf(kind, namespace, name))
    return found && structuredClone(found)
  }
  list(kind: string, namespace?: string): Stored[] {
    return [...this.#objects.values()].filter((o) => o.kind === kind && (namespace === undefined || (o.metadata.namespace ?? '') === namespace)).map((o) => structuredClone(o))
  }
  kinds(): { readonly apiVersion: string; readonly kind: string }[] {
    return [...new Map([...this.#objects.values()].map((o) => [`${o.apiVersion} ${o.kind}`, { apiVersion: o.apiVersion, kind: o.kind }])).values()]
  }

  /** Adds an object; uid, creationTimestamp, generation and resourceVersion are given here, unless the manifest carries the first two. */
  create(object: Stored): Stored {
    const key = keyOf(object.kind, object.metadata.namespace ?? '', object.metadata.name)
    if (this.#objects.has(key)) throw new Error(`${key} exists`)
    const metadata = {
      uid: this.#uid(),
      creationTimestamp: new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
      ...object.metadata,
      generation: object.metadata.generation ?? 1,
    }
    return this.#put('ADDED', key, { ...structuredClone(object), metadata })
  }
  /** Replaces an object. A changed spec raises the generation; an unchanged object keeps its resourceVersion and tells nobody. */
  update(object: Stored): Stored {
    const key = keyOf(object.kind, object.metadata.namespace ?? '', object.metadata.name)
    const before = this.#objects.get(key)
    if (!before) throw new Error(`${key} does not exist`)
    const generation = (before.metadata.generation ?? 1) + (same(before.spec, object.spec) ? 0 : 1)
    const { resourceVersion: _, ...metadata } = object.metadata
    const { resourceVersion, ...old } = before.metadata
    const next = { ...structuredClone(object), metadata: { ...structuredClone(metadata), uid: before.metadata.uid ?? '', generation } }
    if (same({ ...before, metadata: old }, next)) return structuredClone(before)
    return this.#put('MODIFIED', key, next)
  }
  remove(kind: string, namespace: string, name: string): Stored | undefined {
    const key = keyOf(kind, namespace, name)
    const before = this.#objects.get(key)
    if (!before) return undefined
    this.#objects.delete(key)
    this.#tell({ type: 'DELETED', object: { ...before, metadata: { ...before.metadata, resourceVersion: String(++this.#version) } }, version: this.#version })
    return structuredClone(before)
  }

  #uid(): string {
    return `00000000-0000-4000-8000-${(++this.#uids).toString(16).padStart(12, '0')}`
  }
  #put(type: 'ADDED' | 'MODIFIED', key: string, object: Stored): Stored {
    const stored: Stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    this.#objects.set(key, stored)
    this.#tell({ type, object: stored, version: this.#version })
    return structuredClone(stored)
  }
  #tell(change: Change): void {
    this.#log.push(change)
    if (this.#log.length > LOG) this.#log.shift()
    for (const listener of this.#listeners) listener(change)
  }
}
