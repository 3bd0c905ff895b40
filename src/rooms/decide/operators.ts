// Every operator of a condition: what it compares, with what, and its answer: true, false, or undefined where it cannot be told.
import { parseDuration } from '../../domain/duration.ts'
import type { Json } from '../../domain/json.ts'
import { parseQuantity } from '../../domain/quantity.ts'
import { isUnknown, type Unknown } from '../../domain/unknown.ts'
import { glob, matches, patternProblem } from './patterns.ts'

type Said = boolean | undefined
export type Judge = (fact: Json | Unknown, value: Json | Unknown) => Said
export type Kind = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object'

export interface Operator {
  readonly summary: string
  /** Kinds of fact that it can say anything of. An absent fact (null) has no size, no text and no members: the answer is no. */
  readonly on: readonly Kind[]
  /** What is wrong with a constant to compare with; undefined when nothing is. */
  readonly problem: (value: Json | undefined) => string | undefined
  readonly judge: Judge
}

const isArray = (value: Json | Unknown): value is readonly Json[] => Array.isArray(value)
const isPlain = (value: Json | undefined): value is string | number | boolean | null => value === null || (value !== undefined && typeof value !== 'object')
const compares =
  (judge: (fact: Json, value: Json) => Said): Judge =>
  (fact, value) =>
    isUnknown(fact) || isUnknown(value) ? undefined : judge(fact, value)
const sure = (judge: (fact: Json, value: Json) => Said): Judge => compares((fact, value) => (fact === null ? false : judge(fact, value)))

function number(value: Json): number | undefined {
  if (typeof value === 'number') return value
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  return Number.isFinite(read) ? read : undefined
}
/** Facts carry spans of time as seconds, as Prometheus does. */
const duration = (value: Json): number | undefined => (typeof value === 'string' ? seconds(value) : number(value))
function seconds(text: string): number | undefined {
  const milliseconds = parseDuration(text)
  return milliseconds === undefined ? undefined : milliseconds / 1_000
}
const quantity = (value: Json): number | undefined => (typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined)
function count(value: Json): number | undefined {
  if (isArray(value)) return value.length
  return typeof value === 'object' && value !== null ? Object.keys(value).length : number(value)
}

interface Scale {
  readonly read: (value: Json) => number | undefined
  readonly on: readonly Kind[]
  readonly wants: string
}
const SCALES: Readonly<Record<string, Scale>> = {
  '': { read: number, on: ['number', 'string'], wants: 'a number' },
  Quantity: { read: quantity, on: ['number', 'string'], wants: 'a quantity such as 512Mi or 250m' },
  Duration: { read: duration, on: ['number', 'string'], wants: 'a duration such as 90s, 5m or 1h30m' },
  Count: { read: count, on: ['array', 'object', 'number'], wants: 'a whole number' },
}
const ORDERS: Readonly<Record<string, readonly [words: string, holds: (a: number, b: number) => boolean]>> = {
  lessThan: ['less than', (a, b) => a < b],
  lessThanInclusive: ['at most', (a, b) => a <= b],
  greaterThan: ['more than', (a, b) => a > b],
  greaterThanInclusive: ['at least', (a, b) => a >= b],
  equal: ['exactly', (a, b) => a === b],
}

function ordered({ read, on, wants }: Scale, words: string, holds: (a: number, b: number) => boolean): Operator {
  return {
    summary: `the fact is ${words} the value, ${wants}`,
    on,
    problem: (value) => (value === undefined || value === null || read(value) === undefined ? `it compares with ${wants}` : undefined),
    judge: sure((fact, value) => {
      if (value === null) return false
      const [a, b] = [read(fact), read(value)]
      return a === undefined || b === undefined ? undefined : holds(a, b)
    }),
  }
}
function scales(): readonly (readonly [string, Operator])[] {
  const all = Object.entries(SCALES).flatMap(([scale, how]) => Object.entries(ORDERS).map(([order, [words, holds]]) => [`${order}${scale}`, ordered(how, words, holds)] as const))
  return all.filter(([name]) => name !== 'equal')
}

const wantsPlain = (value: Json | undefined) => (isPlain(value) ? undefined : 'it compares with one text, number, boolean or null')
const wantsList = (value: Json | undefined) => (value !== undefined && isArray(value) && value.length > 0 ? undefined : 'it compares with a list that has at least one member')
const wantsText = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? undefined : 'it compares with a text')
const wantsNothing = (value: Json | undefined) => (value === undefined || value === true ? undefined : 'it compares with nothing: leave the value out')
const wantsPattern = (value: Json | undefined) => {
  const problem = typeof value === 'string' && value !== '' ? patternProblem(value) : 'it compares with a regular expression (RE2)'
  return problem && `not a regular expression that RE2 takes: ${problem}`
}
/** A list may have members that could not be read: it surely contains what is seen, and surely lacks nothing. */
const contains: Judge = (fact, value) => (fact === null ? false : some(fact, (member) => same(member, value)))
const same: Judge = compares((fact, value) => fact === value)
const isIn: Judge = compares((fact, value) => (isArray(value) ? some(value, (member) => same(fact, member)) : undefined))
const not = (said: Said): Said => (said === undefined ? undefined : !said)
const text = (judge: (fact: string, value: string) => Said): Judge =>
  sure((fact, value) => (typeof fact === 'string' && typeof value === 'string' ? judge(fact, value) : undefined))

const PLAIN: readonly Kind[] = ['string', 'number', 'boolean', 'null']
const ANY: readonly Kind[] = [...PLAIN, 'array', 'object']

export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['equal', { summary: 'the fact is exactly the value', on: PLAIN, problem: wantsPlain, judge: same }],
  ['notEqual', { summary: 'the fact is not the value', on: PLAIN, problem: wantsPlain, judge: (a, b) => not(same(a, b)) }],
  ['in', { summary: 'the fact is one of the values', on: PLAIN, problem: wantsList, judge: isIn }],
  ['notIn', { summary: 'the fact is none of the values', on: PLAIN, problem: wantsList, judge: (a, b) => not(isIn(a, b)) }],
  ['contains', { summary: 'the list has the value as a member', on: ['array'], problem: wantsPlain, judge: contains }],
  ['doesNotContain', { summary: 'the list does not have the value as a member', on: ['array'], problem: wantsPlain, judge: (a, b) => not(contains(a, b)) }],
  ...scales(),
  ['matches', { summary: 'the text has a place that fits the regular expression (RE2; anchor with ^ and $)', on: ['string'], problem: wantsPattern, judge: text(matches) }],
  ['glob', { summary: 'the whole text fits the pattern of *, ?, [a-z] and {a,b}', on: ['string'], problem: wantsText, judge: text(glob) }],
  ['hasLabel', { summary: 'the map has the key, whatever its value', on: ['object'], problem: wantsText, judge: sure((map, key) => hasKey(map, key)) }],
  ['present', { summary: 'there is such a thing', on: ANY, problem: wantsNothing, judge: (fact) => (isUnknown(fact) ? undefined : fact !== null) }],
  ['absent', { summary: 'there is no such thing', on: ANY, problem: wantsNothing, judge: (fact) => (isUnknown(fact) ? undefined : fact === null) }],
])

function hasKey(map: Json, key: Json): Said {
  return typeof map === 'object' && !isArray(map) && typeof key === 'string' ? map !== null && Object.hasOwn(map, key) : undefined
}

/** Kleene's or and and over members; a thing that is no list cannot be told. */
function some(list: Json | Unknown, judge: (member: Json | Unknown) => Said): Said {
  if (!isArray(list)) return undefined
  const said = list.map(judge)
  return said.includes(true) ? true : said.includes(undefined) ? undefined : false
}
const every = (list: Json | Unknown, judge: (member: Json | Unknown) => Said): Said => not(some(list, (member) => not(judge(member))))

/** json-rules-engine's decorators, written before the operator: `someFact:glob`, `not:in`. */
export const DECORATORS: ReadonlyMap<string, (judge: Judge) => Judge> = new Map<string, (judge: Judge) => Judge>([
  ['not', (judge) => (fact, value) => not(judge(fact, value))],
  ['someFact', (judge) => (fact, value) => (fact === null ? false : some(fact, (member) => judge(member, value)))],
  ['everyFact', (judge) => (fact, value) => (fact === null ? false : every(fact, (member) => judge(member, value)))],
  ['someValue', (judge) => (fact, value) => some(value, (member) => judge(fact, member))],
  ['everyValue', (judge) => (fact, value) => every(value, (member) => judge(fact, member))],
  ['swap', (judge) => (fact, value) => judge(value, fact)],
])

export interface Named {
  readonly name: string
  readonly decorators: readonly string[]
  readonly operator: Operator
  readonly judge: Judge
}

const byName = new Map<string, Named>()

/** An operator with its decorators; undefined when there is none of that name. */
export function findOperator(name: string): Named | undefined {
  const known = byName.get(name) ?? compose(name)
  if (known) byName.set(name, known)
  return known
}
function compose(name: string): Named | undefined {
  const parts = name.split(':')
  const operator = OPERATORS.get(parts.at(-1) ?? '')
  const decorators = parts.slice(0, -1)
  if (!operator || parts.length > 6) return undefined
  let judge = operator.judge
  for (const decorator of decorators.toReversed()) {
    const decorate = DECORATORS.get(decorator)
    if (!decorate) return undefined
    judge = decorate(judge)
  }
  return { name, decorators, operator, judge }
}
