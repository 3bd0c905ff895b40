// What a case read of the world: lazily, once per fact and parameters, and never throwing.
import type { Json, JsonObject } from './json.ts'
import type { Unknown } from './unknown.ts'

export interface Evidence {
  /** The value of a fact; Unknown when it could not be read. A fact that is absent by nature is null. */
  read(fact: string, parameters?: JsonObject): Promise<Json | Unknown>
  /** Everything read so far, for the record and the explanation. */
  readonly seen: ReadonlyMap<string, Json | Unknown>
}

/** The key under which one reading is kept. */
export const evidenceKey = (fact: string, parameters?: JsonObject): string => (parameters && Object.keys(parameters).length ? `${fact}(${JSON.stringify(parameters)})` : fact)
