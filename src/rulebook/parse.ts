// YAML text into a rule file, or into problems that say where they stand. Hostile text costs what its size costs and no more.
import type { Document, LineCounter, Node } from 'yaml'
import type * as z from 'zod'
import type { Condition, Finding } from '../rooms/decide/written.ts'
import type { Problem } from './problem.ts'
import { meantBranch, PLAIN, type WrittenFile } from './schema.ts'

type Yaml = typeof import('yaml')
type At = Finding['at']

/** Where a place of the document stands in its text: from 1, or 0 when it has no text. */
export type Locate = (at: At) => { readonly line: number; readonly column: number }
export const NOWHERE: Locate = () => ({ line: 0, column: 0 })

export interface Parsed<T> {
  /** Undefined when there are problems. */
  readonly value: T | undefined
  readonly problems: readonly Problem[]
  readonly locate: Locate
}

const MAX_BYTES = 256 * 1_024
/** How many nodes the aliases of one document may stand for. */
const MAX_ALIASES = 100

/** Every level of a broken condition is looked at again for its own message: without a bound, that would be quadratic. */
const MAX_DEPTH = 80

export const parseRules = (text: string, file: string): Promise<Parsed<WrittenFile>> => parse(text, file, PLAIN.file)
export const parseConditions = (text: string, file: string): Promise<Parsed<Readonly<Record<string, Condition>>>> => parse(text, file, PLAIN.conditions)

async function parse<T>(text: string, file: string, schema: z.ZodType<T>): Promise<Parsed<T>> {
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_BYTES) return broken(file, `the file has ${bytes} bytes; at most ${MAX_BYTES} are read`)
  // 24 MB of parser for files that most sidecars do not have.
  const yaml = await import('yaml')
  const read = readYaml(yaml, text, file)
  if ('problems' in read) return { value: undefined, problems: read.problems, locate: NOWHERE }
  const locate = locateIn(yaml, read.document, read.lines)
  const at = (finding: Finding): Problem => problemAt(file, locate, finding)
  if (deeperThan(read.data, MAX_DEPTH)) return broken(file, `it is nested deeper than ${MAX_DEPTH}`, { line: 1, column: 1 })
  const steps = stepsIn(read.data)
  if (steps.length > 0) return { value: undefined, problems: steps.map(at), locate }
  const parsed = schema.safeParse(read.data)
  if (parsed.success) return { value: parsed.data, problems: [], locate }
  return { value: undefined, problems: parsed.error.issues.flatMap((issue) => findingsOf(issue, read.data)).map(at), locate }
}

export function problemAt(file: string, locate: Locate, finding: Finding): Problem {
  return { severity: 'error', file, ...locate(finding.at), path: finding.at.join('.'), message: finding.message, ...(finding.hint !== undefined && { hint: finding.hint }) }
}
function broken<T>(file: string, message: string, place = { line: 0, column: 0 }): Parsed<T> {
  return { value: undefined, problems: [{ severity: 'error', file, ...place, path: '', message }], locate: NOWHERE }
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((child: unknown) => deeperThan(child, levels - 1))
}

interface Read {
  readonly document: Document
  readonly lines: LineCounter
  readonly data: unknown
}
/** The parser recurses, and aliases multiply: what it cannot take is a problem of the file and not of the process. */
function readYaml(yaml: Yaml, text: string, file: string): Read | { readonly problems: readonly Problem[] } {
  const lines = new yaml.LineCounter()
  try {
    const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core' })
    const problems = document.errors.map((error): Problem => {
      const { line, col } = lines.linePos(error.pos[0])
      return { severity: 'error', file, line, column: col, path: '', message: error.message }
    })
    if (problems.length > 0) return { problems }
    return { document, lines, data: document.toJS({ maxAliasCount: MAX_ALIASES }) }
  } catch (error) {
    return {
      problems: broken(file, error instanceof RangeError ? 'it is nested too deeply' : error instanceof Error ? error.message : String(error), { line: 1, column: 1 }).problems,
    }
  }
}

/** The node at the place, or the nearest one above it; for a key that should not be there, the key. */
function locateIn(yaml: Yaml, document: Document, lines: LineCounter): Locate {
  return (at) => {
    let node: unknown = document.contents
    let start = startOf(node)
    for (const step of at) {
      const pair = yaml.isMap(node) ? node.items.find((item) => yaml.isScalar(item.key) && String(item.key.value) === String(step)) : undefined
      const next = pair ? (pair.value ?? pair.key) : yaml.isSeq(node) ? node.items[Number(step)] : undefined
      if (next === undefined || next === null) break
      start = startOf(pair?.key ?? next) ?? start
      node = yaml.isAlias(next) ? next.resolve(document) : next
    }
    if (start === undefined) return { line: 1, column: 1 }
    const { line, col } = lines.linePos(start)
    return { line, column: col }
  }
}
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'range' in value
const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)

/** Issues of a union are those of the branch that was meant. */
function findingsOf(issue: z.core.$ZodIssue, data: unknown): readonly Finding[] {
  const at = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ at: [...at, key], message: `there is no key ${key} here` }))
  if (issue.code !== 'invalid_union') return [{ at, message: `${at.at(-1) ?? 'the file'}: ${issue.message}` }]
  const value = valueAt(data, at)
  const branch = meantBranch(value)
  const parsed = branch?.safeParse(value)
  if (parsed?.error) return parsed.error.issues.flatMap((inner) => findingsOf({ ...inner, path: [...issue.path, ...inner.path] }, data))
  return [{ at, message: unionMessage(at) }]
}
function unionMessage(at: At): string {
  const key = at.findLast((step) => typeof step === 'string')
  if (key === 'alerts') return 'alerts: a list of alert names, or any'
  if (key === 'otherwise') return 'otherwise: notify, or { ask: [actions] }'
  return 'a condition is one of { all: […] }, { any: […] }, { not: … }, { condition: name } and { fact, path, operator, value }'
}
function valueAt(data: unknown, at: At): unknown {
  return at.reduce<unknown>((value, step) => (typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined), data)
}

/** Workflows have their own place in the design; a rule that has one must not lose it silently. */
function stepsIn(data: unknown): readonly Finding[] {
  const rules = valueAt(data, ['rules'])
  if (!Array.isArray(rules)) return []
  return rules.flatMap((rule: unknown, index) =>
    valueAt(rule, ['then', 'steps']) === undefined
      ? []
      : [{ at: ['rules', index, 'then', 'steps'], message: 'steps in sequence are not supported by this version', hint: 'name one action: then: { action, parameters }' }],
  )
}
