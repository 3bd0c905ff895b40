// json-rules-engine knows true and false. This file gives it unknown, without a second evaluator.
//
// Each comparison has its own three answers (operators.ts). Where it cannot be told, the engine is given what the run assumes.
// Negation stands at the leaves (compile.ts), so conditions are monotone in their leaves, and two ordinary runs bracket the truth:
//   assume yes -> false : no, whatever the unknown facts are
//   assume no  -> true  : yes, whatever they are
//   otherwise           : unknown
// The second run happens only when the first said yes and met something unknown.
import { Engine, Rule, type RuleProperties, type TopLevelCondition } from 'json-rules-engine'
import type { ConditionSeen, Truth } from '../../domain/decision.ts'
import type { Evidence } from '../../domain/evidence.ts'
import type { Json } from '../../domain/json.ts'
import { isUnknown, type Unknown } from '../../domain/unknown.ts'
import type { Node, Reading, Test } from './compile.ts'
import { readPath } from './paths.ts'

/** All that a rule asks of its almanac while it is evaluated. */
interface Lookup {
  factValue(fact: string, params: unknown, path: string): Promise<unknown>
  getValue(value: unknown): Promise<unknown>
}
declare module 'json-rules-engine' {
  // Public in JavaScript since 2016 and missing in the package's declarations; decide.test.ts holds them.
  interface Rule {
    setEngine(engine: Engine): this
    evaluate(almanac: Lookup): Promise<{ readonly result: unknown }>
    prioritizeConditions(conditions: object): object
  }
  interface Engine {
    operators: { get(name: string): { evaluate(left: unknown, right: unknown): boolean } | null }
  }
}

/** What a comparison found: kept for the explanation, and for the second run. */
interface Found {
  readonly left: Json | Unknown
  readonly right: Json | Unknown
  readonly said: boolean | undefined
}
/** One comparison on its way through the engine: both sides are looked up when the engine asks for them, and told when it compares. */
class Asked {
  readonly test: Test
  readonly run: Run
  readonly value: Json | Unknown
  constructor(test: Test, run: Run, value: Json | Unknown) {
    this.test = test
    this.run = run
    this.value = value
  }
  answer(right: Json | Unknown): boolean {
    const said = this.test.operator.judge(this.value, right)
    this.run.found[this.test.index] = { left: this.value, right, said }
    if (said === undefined) this.run.metUnknown = true
    return said ?? this.run.assume
  }
}
class Side {
  readonly value: Json | Unknown
  constructor(value: Json | Unknown) {
    this.value = value
  }
}

/** One evaluation of one rule: the engine's almanac, with an assumption. */
class Run implements Lookup {
  readonly found: (Found | undefined)[] = []
  readonly assume: boolean
  metUnknown = false
  readonly #tests: readonly Test[]
  readonly #evidence: Evidence
  constructor(tests: readonly Test[], evidence: Evidence, assume: boolean) {
    this.#tests = tests
    this.#evidence = evidence
    this.assume = assume
  }
  /** `path` carries the number of the test: fact, parameters and path are the compiled ones. */
  async factValue(_fact: string, _params: unknown, path: string): Promise<Asked> {
    const test = this.#test(path)
    return new Asked(test, this, await this.#read(test.left))
  }
  async getValue(value: unknown): Promise<Side> {
    const { right } = this.#test(value)
    return new Side('constant' in right ? right.constant : await this.#read(right))
  }
  #test(number: unknown): Test {
    const test = this.#tests[Number(number)]
    if (!test) throw new Error(`no test ${String(number)} in this rule`)
    return test
  }
  async #read({ fact, params, path }: Reading): Promise<Json | Unknown> {
    return readPath(await this.#evidence.read(fact.name, params), path)
  }
}

/** Carries the operator that every rule is evaluated with, and nothing else: no facts, no rules, no state of a run. */
const ENGINE = new Engine()
ENGINE.operators = {
  get: () => ({ evaluate: (left, right) => left instanceof Asked && right instanceof Side && left.answer(right.value) }),
}

/**
 * The engine copies the whole condition tree for each evaluation, to write results into the copy, and sorts every list of it again:
 * two thirds of the time that deciding takes. We read no results there (`Run.found` has them), so all evaluations may share one tree.
 */
class SharedRule extends Rule {
  readonly #sets = new WeakMap<object, object>()
  constructor(properties: RuleProperties) {
    super(properties)
    this.conditions = uncopied(this.conditions)
    this.setEngine(ENGINE)
  }
  override prioritizeConditions(conditions: object): object {
    const sets = this.#sets.get(conditions) ?? super.prioritizeConditions(conditions)
    this.#sets.set(conditions, sets)
    return sets
  }
}
/** The `clone` package copies what `for in` shows and keeps the prototype: what stands there unseen is not copied, and is still found. */
function uncopied(root: TopLevelCondition): TopLevelCondition {
  const unseen = Object.fromEntries(Object.entries(root).map(([key, value]) => [key, { value }]))
  return Object.create(Object.create(null, unseen))
}

/** A condition that holds or does not, ready for the engine. */
export class Judged {
  readonly root: Node
  readonly tests: readonly Test[]
  #rule: Rule | undefined
  constructor(root: Node, tests: readonly Test[]) {
    this.root = root
    this.tests = tests
  }
  /** Found when it is first asked for: most rules of a book never are. */
  get rule(): Rule {
    this.#rule ??= ofShape(this.root)
    return this.#rule
  }
}

/** The engine sees only how comparisons hang together and in which order they are read, so rules of one shape are one to it. */
const SHAPES = new Map<string, Rule>()
const MAX_SHAPES = 5_000

function ofShape(root: Node): Rule {
  const conditions: TopLevelCondition = root.kind === 'test' ? { all: [leafOf(root)] } : branchOf(root)
  const shape = JSON.stringify(conditions)
  const rule = SHAPES.get(shape) ?? new SharedRule({ conditions, event: { type: 'holds' } })
  if (SHAPES.size >= MAX_SHAPES) SHAPES.clear()
  SHAPES.set(shape, rule)
  return rule
}

/** The engine reads all conditions of one priority at once: a priority of its own for each cost makes reading lazy, cheap facts first. */
const priorityOf = (node: Node): number => Math.max(1, 1_000 - node.cost)
type Engines = Extract<TopLevelCondition, { all: unknown }>['all'][number]
const leafOf = (test: Test): Engines => ({ fact: 'by number', operator: 'of the test', value: test.index, path: String(test.index), priority: priorityOf(test) })
function branchOf(branch: Extract<Node, { kind: 'all' | 'any' }>): TopLevelCondition {
  const children = branch.children.map((child): Engines => (child.kind === 'test' ? leafOf(child) : branchOf(child)))
  return branch.kind === 'all' ? { all: children, priority: priorityOf(branch) } : { any: children, priority: priorityOf(branch) }
}

export interface Verdict {
  readonly truth: Truth
  /** By number of the test; undefined where it was not needed. */
  readonly found: readonly (Found | undefined)[]
}

export async function holds(judged: Judged, evidence: Evidence): Promise<Verdict> {
  const hopeful = new Run(judged.tests, evidence, true)
  const first = await judged.rule.evaluate(hopeful)
  if (first.result !== true) return { truth: 'no', found: hopeful.found }
  if (!hopeful.metUnknown) return { truth: 'yes', found: hopeful.found }
  const strict = new Run(judged.tests, evidence, false)
  const second = await judged.rule.evaluate(strict)
  return { truth: second.result === true ? 'yes' : 'unknown', found: judged.tests.map(({ index }) => hopeful.found[index] ?? strict.found[index]) }
}

/** The condition tree as people read it: each comparison with what was found, each branch with what follows from it. */
export function seen(node: Node, { found }: Pick<Verdict, 'found'>): ConditionSeen {
  if (node.kind === 'test') return testSeen(node, found[node.index])
  const children = node.children.map((child) => seen(child, { found }))
  return { text: node.kind === 'all' ? 'all of' : 'any of', truth: together(node.kind, children), children }
}
function testSeen({ text, right }: Test, found: Found | undefined): ConditionSeen {
  if (!found) return { text, truth: 'not read' }
  const compared = 'fact' in right && !isUnknown(found.right) ? `${text} (${JSON.stringify(brief(found.right))})` : text
  const value = isUnknown(found.left) ? {} : { found: brief(found.left) }
  if (found.said !== undefined) return { text: compared, truth: found.said ? 'yes' : 'no', ...value }
  return { text: compared, truth: 'unknown', ...value, unknown: whyUnknown(found.left) ?? whyUnknown(found.right) ?? 'the values cannot be compared so' }
}
/** Of a value, or of the member of a list that could not be read. */
export function whyUnknown(value: Json | Unknown): string | undefined {
  if (isUnknown(value)) return value.unknown
  const member: unknown = Array.isArray(value) ? value.find(isUnknown) : undefined
  return isUnknown(member) ? member.unknown : undefined
}
/** Kleene over what was read; a short-circuited child changes nothing. */
function together(kind: 'all' | 'any', children: readonly ConditionSeen[]): ConditionSeen['truth'] {
  const truths = children.map((child) => child.truth)
  const decisive = kind === 'all' ? 'no' : 'yes'
  if (truths.includes(decisive)) return decisive
  if (truths.includes('unknown')) return 'unknown'
  return truths.every((truth) => truth === 'not read') ? 'not read' : kind === 'all' ? 'yes' : 'no'
}

const BRIEF = 300
/** Explanations are kept with the case: long findings are cut. */
function brief(value: Json): Json {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length <= BRIEF ? value : `${text.slice(0, BRIEF)}…`
}
