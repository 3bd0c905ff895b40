// The format of rule files (DESIGN 5), as one schema: what the parser checks, and what editors are told in rules/rule.schema.json.
import * as z from 'zod'
import type { Json, JsonObject } from '../domain/json.ts'
import { DECORATORS, OPERATORS } from '../rooms/decide/operators.ts'
import type { Condition, Ground, Otherwise, WrittenRule } from '../rooms/decide/written.ts'

const json: z.ZodType<Json> = z.json()
const params: z.ZodType<JsonObject> = z.record(z.string(), json)
const name = (what: string) => z.string().min(1).max(200).describe(what)

/** Named, so that editors offer them; whether they exist is checked against the catalogues when the book is compiled. */
export interface Names {
  readonly facts?: readonly string[]
  readonly actions?: readonly string[]
  readonly operators?: readonly string[]
}
const oneOf = (names: readonly string[] | undefined, what: string): z.ZodType<string> => (names && names.length > 0 ? z.enum(names).describe(what) : name(what))

function conditionSchemas(names: Names) {
  const condition: z.ZodType<Condition> = z.lazy(() => z.union(Object.values(branches)))
  const branches = {
    all: z.strictObject({ all: z.array(condition).min(1).describe('every one of these holds') }),
    any: z.strictObject({ any: z.array(condition).min(1).describe('at least one of these holds') }),
    not: z.strictObject({ not: condition.describe('this does not hold') }),
    condition: z.strictObject({ condition: name('the name of a condition in conditions.yaml') }),
    fact: z.strictObject({
      fact: oneOf(names.facts, 'the name of a fact'),
      params: params.exactOptional().describe('parameters of the fact'),
      path: z.string().max(300).exactOptional().describe('a dotted path into the fact, such as $.ageSeconds'),
      operator: names.operators
        ? z.union([z.enum(names.operators), z.string().regex(/^(?:[A-Za-z]+:)+[A-Za-z]+$/)]).describe('how to compare; decorators such as someFact: may stand before it')
        : name('an operator'),
      value: json.exactOptional().describe('what to compare with: a constant, or { fact, path }'),
    }),
  }
  return { condition, branches }
}

function ruleSchema(names: Names) {
  const { condition } = conditionSchemas(names)
  return z.strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'lower case words joined by hyphens')
      .max(100)
      .describe('names this rule in the whole book'),
    priority: z.int().min(-1_000).max(1_000).exactOptional().describe('higher is judged first; 0 when it is not said'),
    when: condition,
    then: z.strictObject({
      action: oneOf(names.actions, 'the action to take'),
      parameters: params.exactOptional().describe('parameters of the action: constants, or { fact, path }'),
      confidence: z.number().min(0).max(1).exactOptional().describe('how sure this is, 0 to 1; 1 when it is not said'),
      settle: z.string().exactOptional().describe('how long the owner must be good before the case is fixed, such as 5m'),
    }),
    because: z.string().min(1).max(500).exactOptional().describe('the reason, in a sentence for people'),
  })
}

const labels = z.record(z.string(), z.string()).describe('exact labels that the alert must have too')

function fileSchema(names: Names) {
  return z.strictObject({
    alerts: z.union([z.literal('any'), z.array(name('alertname')).min(1)]).describe('alert names that this file answers for; any: every alert that no file names'),
    labels: labels.exactOptional(),
    layer: z.enum(['extend', 'replace']).exactOptional().describe("what becomes of the lower layers' files for these alerts; extend when it is not said"),
    disable: z.array(name('a rule id')).exactOptional().describe('rules of lower layers that do not count for these alerts'),
    sealed: z.boolean().exactOptional().describe('in the operator layer: no tenant file may answer for these alerts'),
    rules: z.array(ruleSchema(names)).max(500).default([]),
    otherwise: z
      .union([z.literal('notify'), z.strictObject({ ask: z.array(oneOf(names.actions, 'an action')).min(1) })])
      .exactOptional()
      .describe('what to do when no rule holds: tell people, or ask the model for one of these actions'),
  })
}

const CONDITIONS = 'conditions.yaml: conditions by name, for every file of the book'

const PLAIN_CONDITIONS = conditionSchemas({})
export const PLAIN = { file: fileSchema({}), conditions: z.record(z.string(), PLAIN_CONDITIONS.condition) }

/** The branch that the author meant, by the key that is there: its own problems say more than those of a union. */
export function meantBranch(value: unknown): z.ZodType | undefined {
  const { branches } = PLAIN_CONDITIONS
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(branches).find(([key]) => Object.hasOwn(value, key))?.[1]
}

/** One rule file as it was read, whatever layer it is of. */
export interface WrittenFile {
  readonly alerts: readonly string[] | 'any'
  readonly labels?: Readonly<Record<string, string>>
  readonly layer?: 'extend' | 'replace'
  readonly disable?: readonly string[]
  readonly sealed?: boolean
  readonly rules: readonly WrittenRule[]
  readonly otherwise?: Otherwise
}

/** `rules/rule.schema.json`: for editors, with the names of this build's facts, operators and actions. */
export function ruleSchemaJson(ground: Pick<Ground, 'facts' | 'actions'>): string {
  const names = { facts: [...ground.facts.keys()].sort(), actions: [...ground.actions.keys()].sort(), operators: [...OPERATORS.keys()].sort() }
  const schema = z.toJSONSchema(fileSchema(names), { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' })
  const about = `Rules for alerts. Operators may have decorators before them: ${[...DECORATORS.keys()].join(', ')}. Named conditions are in ${CONDITIONS}.`
  return `${JSON.stringify({ ...schema, title: 'alerts-slm rule file', description: about }, undefined, 2)}\n`
}
