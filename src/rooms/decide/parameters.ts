// Parameters of a rule's action: constants as they are, facts looked up when the rule has fired.
import * as z from 'zod'
import type { Evidence } from '../../domain/evidence.ts'
import type { Json, JsonObject } from '../../domain/json.ts'
import { isUnknown } from '../../domain/unknown.ts'
import { type Reading, reading } from './compile.ts'
import { didYouMean } from './nearest.ts'
import { readPath } from './paths.ts'
import { type FactRef, type Finding, type Ground, isFactRef, type Then } from './written.ts'

export interface Parameters {
  readonly written: JsonObject
  readonly readings: ReadonlyMap<FactRef, Reading>
}

const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The action must exist, and every constant must be one that it takes. */
export function compileParameters(then: Then, ground: Ground, at: Finding['at'], findings: Finding[]): Parameters {
  const written = then.parameters ?? {}
  const readings = new Map<FactRef, Reading>()
  collect(written, [...at, 'parameters'], (ref, where) => {
    const found = reading(ref, { ground, findings }, where)
    if (found) readings.set(ref, found)
  })
  const action = ground.actions.get(then.action)
  if (action) checkConstants(action.params, written, [...at, 'parameters'], findings)
  else findings.push({ at: [...at, 'action'], message: `there is no action named ${then.action}`, ...didYouMean(then.action, ground.actions.keys()) })
  return { written, readings }
}

function collect(value: Json, at: Finding['at'], found: (ref: FactRef, at: Finding['at']) => void): void {
  if (isFactRef(value)) found(value, at)
  else if (Array.isArray(value)) value.forEach((member: Json, key) => void collect(member, [...at, key], found))
  else if (isObject(value)) for (const [key, member] of Object.entries(value)) collect(member, [...at, key], found)
}
const hasRef = (value: Json): boolean => {
  let some = false
  collect(value, [], () => {
    some = true
  })
  return some
}

/** With facts among them only the constants can be judged here; the plan parses the whole again. */
function checkConstants(schema: z.ZodType, written: JsonObject, at: Finding['at'], findings: Finding[]): void {
  if (!(schema instanceof z.ZodObject)) return
  const parsed = schema.safeParse(written)
  for (const issue of parsed.error?.issues ?? []) {
    const [first] = issue.path
    const about = typeof first === 'string' && Object.hasOwn(written, first) ? written[first] : undefined
    if (about !== undefined && hasRef(about)) continue
    const unknownKeys = issue.code === 'unrecognized_keys' ? didYouMean(issue.keys[0] ?? '', Object.keys(schema.shape)) : {}
    const where = issue.path.filter((key) => typeof key !== 'symbol')
    findings.push({
      at: [...at, ...where, ...(issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])],
      message: `parameters: ${[where.join('.'), issue.message].filter(Boolean).join(': ')}`,
      ...unknownKeys,
    })
  }
}

/** A parameter that is absent is left out, so that the action's own default holds; one that is unknown leaves the case open. */
export async function resolveParameters({ written, readings }: Parameters, evidence: Evidence): Promise<JsonObject | Missing> {
  const values = new Map<FactRef, Json>()
  const missing: MissingFact[] = []
  for (const [ref, { fact, params, path, key }] of readings) {
    const value = readPath(await evidence.read(fact.name, params), path)
    if (isUnknown(value)) missing.push({ fact: key, why: value.unknown })
    else values.set(ref, value)
  }
  return missing.length > 0 ? new Missing(missing) : filled(written, values)
}
interface MissingFact {
  readonly fact: string
  readonly why: string
}
class Missing {
  readonly missing: readonly MissingFact[]
  constructor(missing: readonly MissingFact[]) {
    this.missing = missing
  }
}
/** A class, because an action may have a parameter of any name. */
export const isMissing = (resolved: JsonObject | Missing): resolved is Missing => resolved instanceof Missing

function filled(written: JsonObject, values: ReadonlyMap<FactRef, Json>): JsonObject {
  const entries = Object.entries(written).map(([key, value]): [string, Json] => [key, fill(value, values)])
  return Object.fromEntries(entries.filter(([key, value]) => value !== null || written[key] === null))
}
function fill(value: Json, values: ReadonlyMap<FactRef, Json>): Json {
  if (isFactRef(value)) return values.get(value) ?? null
  if (Array.isArray(value)) return value.map((member: Json) => fill(member, values))
  return isObject(value) ? filled(value, values) : value
}
