// What the watches hold in memory: projections of one namespace's objects, each kind complete or not to be used.
import { isRecord } from './getter.ts'
import { asKind } from './reader.ts'
import type { Kind, Kinds } from './wire.ts'

/**
 * Objects without `metadata.managedFields` and without the last-applied annotation (they are most of an object's
 * bytes): who needs to know which manager owns a field reads live. Objects are frozen, for everyone shares them.
 */
export interface Held {
  /** The kind is complete and its watch is connected; otherwise ask the API server. */
  holds(kind: Kind): boolean
  get<K extends Kind>(kind: K, name: string): Kinds[K] | undefined
  list<K extends Kind>(kind: K): readonly Kinds[K][]
}

/** One kind's objects by name. */
export class Shelf {
  readonly kind: Kind
  #objects = new Map<string, unknown>()
  constructor(kind: Kind) {
    this.kind = kind
  }
  replace(objects: readonly unknown[]): void {
    this.#objects = new Map(objects.map((object) => [this.#name(object), this.#project(object)]))
  }
  put(object: unknown): void {
    this.#objects.set(this.#name(object), this.#project(object))
  }
  drop(object: unknown): void {
    this.#objects.delete(this.#name(object))
  }
  clear(): void {
    this.#objects.clear()
  }
  get<K extends Kind>(kind: K, name: string): Kinds[K] | undefined {
    const found = this.#objects.get(name)
    return found === undefined ? undefined : asKind(kind, found)
  }
  list<K extends Kind>(kind: K): readonly Kinds[K][] {
    return [...this.#objects.values()].map((object) => asKind(kind, object))
  }
  #name(object: unknown): string {
    const known: { readonly metadata?: { readonly name?: string } } = asKind(this.kind, object)
    return known.metadata?.name ?? ''
  }
  #project(object: unknown): unknown {
    return frozen(asKind(this.kind, withoutBallast(object)))
  }
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

function withoutBallast(object: unknown): unknown {
  if (!isRecord(object) || !isRecord(object['metadata'])) return object
  const { managedFields: _, annotations, ...metadata } = object['metadata']
  const kept = isRecord(annotations) ? Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED)) : undefined
  return { ...object, metadata: { ...metadata, ...(kept && { annotations: kept }) } }
}

/** All the way down: a reader that changed a shared object would change it for every later case. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const child of Object.values(value)) frozen(child)
  }
  return value
}
