// Conditions as they are judged: named ones inlined, negations at the leaves, every fact, path, operator and value checked.
import * as z from 'zod'
import { evidenceKey } from '../../domain/evidence.ts'
import type { Json, JsonObject } from '../../domain/json.ts'
import type { Fact } from '../../facts/define-fact.ts'
import { didYouMean } from './nearest.ts'
import { DECORATORS, findOperator, type Kind, type Named, OPERATORS } from './operators.ts'
import { compilePath, type Path, shapesOf } from './paths.ts'
import { type Condition, type FactRef, type Finding, type Ground, isFactRef, type Leaf } from './written.ts'

type At = Finding['at']

/** One reading of a fact: what is asked, and where in the answer to look. */
export interface Reading {
  readonly fact: Fact
  readonly params: JsonObject | undefined
  /** As evidence keeps it. */
  readonly key: string
  readonly path: Path
  readonly text: string
}
export interface Test {
  readonly kind: 'test'
  /** Its number within the rule. */
  readonly index: number
  readonly left: Reading
  readonly right: { readonly constant: Json } | Reading
  readonly operator: Named
  readonly text: string
  readonly cost: number
}
interface Branch {
  readonly kind: 'all' | 'any'
  readonly children: readonly Node[]
  readonly cost: number
}
export type Node = Branch | Test

const MAX_DEPTH = 32
const MAX_TESTS = 200

interface Work {
  readonly ground: Ground
  readonly findings: Finding[]
  readonly tests: Test[]
}
interface Place {
  readonly at: At
  readonly negated: boolean
  readonly depth: number
  /** Named conditions that are being inlined. */
  readonly open: readonly string[]
}

/** The tree of a rule and its leaves in order; undefined when `findings` got a reason why there is none. */
export function compileCondition(when: Condition, ground: Ground, at: At, findings: Finding[]): { readonly root: Node; readonly tests: readonly Test[] } | undefined {
  const work: Work = { ground, findings, tests: [] }
  const before = findings.length
  const root = node(when, work, { at, negated: false, depth: 0, open: [] })
  return root && findings.length === before ? { root, tests: work.tests } : undefined
}

function node(condition: Condition, work: Work, place: Place): Node | undefined {
  const { at, negated, depth } = place
  if (depth > MAX_DEPTH) return found(work, at, `conditions are nested deeper than ${MAX_DEPTH}`)
  const inside = (key: string, more: Partial<Place> = {}): Place => ({ ...place, depth: depth + 1, at: [...at, key], ...more })
  if ('condition' in condition) return named(condition.condition, work, inside('condition'))
  if ('not' in condition) return node(condition.not, work, inside('not', { negated: !negated }))
  if ('all' in condition) return branch(negated ? 'any' : 'all', condition.all, work, inside('all'))
  if ('any' in condition) return branch(negated ? 'all' : 'any', condition.any, work, inside('any'))
  return test(condition, work, place)
}

/** De Morgan has chosen the kind already. Without a child `all` would hold of everything, and json-rules-engine lets `any` hold too. */
function branch(kind: Branch['kind'], conditions: readonly Condition[], work: Work, place: Place): Branch | undefined {
  if (conditions.length === 0) return found(work, place.at, 'it needs at least one condition', 'an empty list would hold of every alert')
  const children = conditions.map((condition, at) => node(condition, work, { ...place, at: [...place.at, at] })).filter((child) => child !== undefined)
  return { kind, children, cost: Math.max(0, ...children.map((child) => child.cost)) }
}

function named(name: string, work: Work, place: Place): Node | undefined {
  const condition = work.ground.conditions.get(name)
  if (place.open.includes(name)) return found(work, place.at, `condition ${[...place.open, name].join(' -> ')} refers to itself`)
  if (!condition) return found(work, place.at, `there is no condition named ${name}`, didYouMean(name, work.ground.conditions.keys()).hint)
  const inner: Work = { ...work, findings: [] }
  const compiled = node(condition, inner, { ...place, open: [...place.open, name] })
  for (const finding of inner.findings)
    found(work, place.at, finding.message.includes(' refers to itself') ? finding.message : `in condition ${name}: ${finding.message}`, finding.hint)
  return compiled
}

function test(leaf: Leaf, work: Work, { at, negated }: Place): Test | undefined {
  if (work.tests.length >= MAX_TESTS) return found(work, at, `a rule may not have more than ${MAX_TESTS} conditions`)
  const left = reading(leaf, work, at)
  const operator = operatorOf(leaf.operator, work, [...at, 'operator'])
  const right = isFactRef(leaf.value) ? reading(leaf.value, work, [...at, 'value']) : { constant: leaf.value ?? null }
  if (!left || !operator || !right) return undefined
  checkTest({ leaf, left, operator }, work, at)
  const asked = negated ? findOperator(`not:${leaf.operator}`) : operator
  if (!asked) return undefined
  const comparison = 'constant' in right ? (leaf.value === undefined ? '' : ` ${JSON.stringify(right.constant)}`) : ` ${right.text}`
  const cost = Math.max(left.fact.cost, 'fact' in right ? right.fact.cost : 0)
  const made: Test = { kind: 'test', index: work.tests.length, left, right, operator: asked, text: `${left.text} ${asked.name.replaceAll(':', ' ')}${comparison}`, cost }
  work.tests.push(made)
  return made
}

/** One object for each thing that can be read, however many rules read it. */
const READINGS = new WeakMap<Ground, Map<string, Reading>>()

/** Also for parameters of actions, which may name a fact too. */
export function reading(ref: FactRef, work: Pick<Work, 'ground' | 'findings'>, at: At): Reading | undefined {
  const known = READINGS.get(work.ground) ?? new Map<string, Reading>()
  READINGS.set(work.ground, known)
  const key = JSON.stringify([ref.fact, ref.path, ref.params])
  const made = known.get(key) ?? makeReading(ref, work, at)
  if (made) known.set(key, made)
  return made
}
function makeReading(ref: FactRef, work: Pick<Work, 'ground' | 'findings'>, at: At): Reading | undefined {
  const fact = work.ground.facts.get(ref.fact)
  if (!fact) return found(work, [...at, 'fact'], `there is no fact named ${ref.fact}`, didYouMean(ref.fact, work.ground.facts.keys()).hint)
  const problem = paramsProblem(fact, ref.params)
  if (problem) return found(work, [...at, 'params'], problem)
  const path = compilePath(fact.schema, ref.path)
  if ('problem' in path) return found(work, [...at, 'path'], `fact ${fact.name}: ${path.problem}`, didYouMean(ref.path?.split('.').at(-1) ?? '', path.known).hint)
  return { fact, params: ref.params, key: evidenceKey(fact.name, ref.params), path, text: textOf(fact.name, ref.params, path.text) }
}
function textOf(name: string, params: JsonObject | undefined, path: string): string {
  const written = Object.entries(params ?? {}).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${name}${written.length ? `(${written.join(', ')})` : ''}${path && `.${path}`}`
}
function paramsProblem(fact: Fact, params: JsonObject | undefined): string | undefined {
  if (!fact.params) return params && Object.keys(params).length > 0 ? `fact ${fact.name} takes no params` : undefined
  const parsed = fact.params.safeParse(params ?? {})
  return parsed.success
    ? undefined
    : `params of fact ${fact.name}: ${parsed.error.issues.map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': ')).join('; ')}`
}
function operatorOf(name: string, work: Work, at: At): Named | undefined {
  const operator = findOperator(name)
  if (operator) return operator
  const parts = name.split(':')
  const decorator = parts.slice(0, -1).find((part) => !DECORATORS.has(part))
  if (decorator !== undefined) return found(work, at, `there is no decorator named ${decorator}`, didYouMean(decorator, DECORATORS.keys()).hint)
  return found(work, at, `there is no operator named ${parts.at(-1)}`, didYouMean(parts.at(-1) ?? '', OPERATORS.keys()).hint)
}

/** What can be said of a comparison before anything is read: that it fits the kind of fact, its unit and its constant. */
function checkTest(asked: { readonly leaf: Leaf; readonly left: Reading; readonly operator: Named }, work: Work, at: At): void {
  const { leaf, left, operator } = asked
  const base = operator.name.split(':').at(-1) ?? ''
  const { decorators } = operator
  if (decorators.includes('swap')) return
  const members = decorators.some((name) => name.endsWith('Fact'))
  const ends = members ? elementsOf(left.path.ends) : left.path.ends
  const kinds = kindsOf(ends)
  if (members && ends.length === 0) found(work, [...at, 'operator'], `${left.text} is no list, and ${operator.name} looks at the members of one`)
  else if (kinds && !kinds.some((kind) => kind !== 'null' && operator.operator.on.includes(kind)))
    found(work, [...at, 'operator'], `${left.text} is ${kinds.join(' or ')}; ${base} looks at ${operator.operator.on.join(' or ')}`)
  const unit = /(Ms|Milliseconds|Minutes|Hours|Days)$/.exec(left.path.strides.at(-1)?.key ?? left.fact.name)
  if (base.endsWith('Duration') && unit)
    found(work, [...at, 'operator'], `${left.text} is in ${unit[1]}; ${base} compares seconds`, `use ${base.replace('Duration', '')} with a number`)
  if (isFactRef(leaf.value)) return
  const listed = decorators.some((name) => name.endsWith('Value'))
  if (listed && !Array.isArray(leaf.value)) found(work, [...at, 'value'], `${operator.name} compares with the members of a list`)
  for (const value of listed && Array.isArray(leaf.value) ? leaf.value : [leaf.value]) {
    const problem = operator.operator.problem(value) ?? impossible(base, value, ends)
    if (problem) found(work, [...at, 'value'], `${base} on ${left.text}: ${problem}`)
  }
}

/** A misspelt reason would make a rule that never fires, or always: the fact's schema knows what can be. */
function impossible(base: string, value: Json | undefined, ends: Path['ends']): string | undefined {
  const shapes = base === 'contains' || base === 'doesNotContain' ? elementsOf(ends) : ['equal', 'notEqual', 'in', 'notIn'].includes(base) ? ends : []
  if (shapes.length === 0) return undefined
  const odd = (Array.isArray(value) ? value : [value]).find((one) => one !== null && !shapes.some((shape) => z.safeParse(shape, one).success))
  if (odd === undefined) return undefined
  const known = shapes.flatMap((shape) => (shape instanceof z.core.$ZodEnum ? Object.values(shape._zod.def.entries).map(String) : []))
  return `it is never ${JSON.stringify(odd)}${known.length ? `; it is one of ${known.join(', ')}` : ''}`
}

const elementsOf = (ends: Path['ends']): Path['ends'] => ends.flatMap((shape) => (shape instanceof z.core.$ZodArray ? shapesOf(shape._zod.def.element) : []))

/** undefined: anything may stand there. */
function kindsOf(ends: Path['ends']): readonly Kind[] | undefined {
  const kinds = new Set(ends.flatMap(kindOf))
  return kinds.has('any') ? undefined : [...kinds].filter((kind) => kind !== 'any')
}
function kindOf(shape: z.core.$ZodType): readonly (Kind | 'any')[] {
  if (shape instanceof z.core.$ZodString) return ['string']
  if (shape instanceof z.core.$ZodNumber) return ['number']
  if (shape instanceof z.core.$ZodBoolean) return ['boolean']
  if (shape instanceof z.core.$ZodNull) return ['null']
  if (shape instanceof z.core.$ZodArray || shape instanceof z.core.$ZodTuple) return ['array']
  if (shape instanceof z.core.$ZodObject || shape instanceof z.core.$ZodRecord) return ['object']
  if (shape instanceof z.core.$ZodEnum) return Object.values(shape._zod.def.entries).map((value) => (typeof value === 'number' ? 'number' : 'string'))
  if (shape instanceof z.core.$ZodLiteral)
    return shape._zod.def.values.map((value) =>
      value === null ? 'null' : typeof value === 'number' || typeof value === 'boolean' ? (typeof value === 'number' ? 'number' : 'boolean') : 'string',
    )
  return ['any']
}

function found(work: Pick<Work, 'findings'>, at: At, message: string, hint?: string): undefined {
  work.findings.push({ at, message, ...(hint !== undefined && { hint }) })
  return undefined
}
