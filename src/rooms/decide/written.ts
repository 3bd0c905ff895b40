// Rule files as people write them, once their YAML is read: plain data, so that the library can be kept as JSON.
import type * as z from 'zod'
import type { Labels } from '../../domain/alert.ts'
import type { Json, JsonObject } from '../../domain/json.ts'
import type { Fact } from '../../facts/define-fact.ts'

/** A fact, or a part of one, in the place of a constant. */
export interface FactRef {
  readonly fact: string
  readonly path?: string
  readonly params?: JsonObject
}
export interface Leaf extends FactRef {
  readonly operator: string
  /** Missing only for operators that compare with nothing (`present`, `absent`). */
  readonly value?: Json
}
/** json-rules-engine's own conditions. */
export type Condition = { readonly all: readonly Condition[] } | { readonly any: readonly Condition[] } | { readonly not: Condition } | { readonly condition: string } | Leaf

export interface Then {
  readonly action: string
  /** Constants, or `{ fact, path }` wherever a value may stand. */
  readonly parameters?: JsonObject
  /** 0 to 1; 1 when it is not said. */
  readonly confidence?: number
  /** How long the owner must be good before the case is fixed, when the policy's time does not fit: `5m`. */
  readonly settle?: string
}
export interface WrittenRule {
  readonly id: string
  /** Higher is judged first; 0 when it is not said. */
  readonly priority?: number
  readonly when: Condition
  readonly then: Then
  readonly because?: string
}

export type Otherwise = 'notify' | { readonly ask: readonly string[] }

export interface RuleFile {
  /** Where it was written, as people are told. */
  readonly path: string
  /** Rules of a higher layer stand before those of a lower one: 0 library, 1 operator, 2 tenant. */
  readonly rank: number
  readonly alerts: readonly string[] | 'any'
  /** Exact; all must be there. */
  readonly labels?: Labels
  /** What becomes of the lower layers' files for the same alert. */
  readonly layer?: 'extend' | 'replace'
  /** Rules of lower layers that do not count for the alerts of this file. */
  readonly disable?: readonly string[]
  readonly rules: readonly WrittenRule[]
  readonly otherwise?: Otherwise
}

/** What rules may speak of. */
export interface Ground {
  readonly facts: ReadonlyMap<string, Fact>
  readonly actions: ReadonlyMap<string, { readonly params: z.ZodType }>
  /** `rules/conditions.yaml`: conditions with a name. */
  readonly conditions: ReadonlyMap<string, Condition>
}

/** Something wrong with a rule, and where in its document: `['rules', 0, 'when', 'all', 1, 'path']`. */
export interface Finding {
  readonly at: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
}

export const isFactRef = (value: unknown): value is FactRef =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'fact') && 'fact' in value && typeof value.fact === 'string'
