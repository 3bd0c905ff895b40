// Room 3 of 10, a pipeline stage: rules and evidence into a decision, or the reason why rules cannot tell.
import type { Alert } from '../../domain/alert.ts'
import { alertName } from '../../domain/alert.ts'
import type { ConditionSeen, Decision, Explanation, Judgement, RuleConsidered } from '../../domain/decision.ts'
import type { Evidence } from '../../domain/evidence.ts'
import type { Bench, Book, BookRule } from './book.ts'
import type { Node } from './compile.ts'
import { isMissing, resolveParameters } from './parameters.ts'
import { loadPatterns } from './patterns.ts'
import { holds, seen, type Verdict, whyUnknown } from './three-valued.ts'

export interface JudgeOptions {
  /** Also evaluates the rules that stand behind the first yes, for people who want to know about all of them. Decides the same. */
  readonly everyRule?: boolean
}

/** What the rules of one alert say. */
interface Word {
  /** More than one: they contradict each other. */
  readonly yes: readonly BookRule[]
  /** Unknown rules that stand ahead of the yes, or anywhere when there is none. */
  readonly open: readonly BookRule[]
}

/**
 * The rules of all alerts of a case. For one alert the first yes wins, by priority, layer and place in its file; an unknown rule ahead
 * of it that would do something else leaves the case open, and so do two files, or two alerts, that want different actions.
 */
export async function judge(book: Book, alerts: readonly Alert[], evidence: Evidence, options: JudgeOptions = {}): Promise<Judgement> {
  if (book.usesPatterns) await loadPatterns()
  const benches = [...new Set(alerts.map((alert) => book.bench(alert)))]
  const sitting = new Sitting(evidence)
  const words: Word[] = []
  for (const bench of benches) words.push(await sitting.hear(bench))
  if (options.everyRule) for (const rule of benches.flatMap(rulesOf)) await sitting.verdict(rule)
  const explanation = explain(book, benches, sitting)
  const asks = unique(benches.flatMap((bench) => bench.asks))
  const yes = unique(words.flatMap((word) => word.yes))
  const open = unique(words.flatMap((word) => word.open))
  const winner = yes[0]
  if (!winner) return undecided({ alerts, benches, open, asks }, explanation)
  if (yes.some((rule) => rule.action !== winner.action)) return ambiguous('conflict', yes, [], `${list(yes.map(says))} at the same time`, explanation)
  const ahead = open.filter((rule) => rule.action !== winner.action)
  if (ahead.length > 0) return ambiguous('unknown', [...ahead, winner], [], `${says(winner)}, but ${cannotTell(ahead)}`, explanation)
  return decided(winner, sitting, explanation)
}

const rulesOf = (bench: Bench): readonly BookRule[] => bench.stages.flatMap((stage) => stage.lines.flat())
const unique = <T>(items: readonly T[]): readonly T[] => [...new Set(items)]
const list = (words: readonly string[]): string => (words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`)
const says = (rule: BookRule): string => `${rule.id} says ${rule.action}`
const cannotTell = (rules: readonly BookRule[]): string => `${list(rules.map((rule) => `${rule.id} (${rule.action})`))} cannot be told`

/** One case before the book: each rule is evaluated once, whichever alerts it answers for. */
class Sitting {
  readonly evidence: Evidence
  readonly #verdicts = new Map<BookRule, Verdict>()
  constructor(evidence: Evidence) {
    this.evidence = evidence
  }
  known(rule: BookRule): Verdict | undefined {
    return this.#verdicts.get(rule)
  }
  async verdict(rule: BookRule): Promise<Verdict> {
    const known = this.#verdicts.get(rule)
    if (known) return known
    const made = await holds(rule.judged, this.evidence)
    this.#verdicts.set(rule, made)
    return made
  }
  async hear({ stages }: Bench): Promise<Word> {
    const open: BookRule[] = []
    for (const stage of stages) {
      const yes: BookRule[] = []
      for (const line of stage.lines) yes.push(...(await this.#first(line, open)))
      if (yes.length > 0) return { yes, open }
    }
    return { yes: [], open }
  }
  async #first(line: readonly BookRule[], open: BookRule[]): Promise<readonly BookRule[]> {
    for (const rule of line) {
      const { truth } = await this.verdict(rule)
      if (truth === 'yes') return [rule]
      if (truth === 'unknown') open.push(rule)
    }
    return []
  }
}

async function decided(winner: BookRule, sitting: Sitting, explanation: Explanation): Promise<Judgement> {
  const parameters = await resolveParameters(winner.parameters, sitting.evidence)
  if (isMissing(parameters)) {
    const why = list(parameters.missing.map((fact) => `${fact.fact} (${fact.why})`))
    const unknownFacts = [...explanation.unknownFacts, ...parameters.missing.filter(({ fact }) => !explanation.unknownFacts.some((known) => known.fact === fact))]
    return ambiguous('unknown', [winner], [], `${says(winner)}, but its parameters need ${why}`, { ...explanation, unknownFacts })
  }
  const verdict = sitting.known(winner)
  const { because, confidence, settleMs, action } = winner
  const evidence = verdict ? unique(agreeing(winner.judged.root, verdict)) : []
  const decision: Decision = { by: 'rule', rule: winner.id, action, parameters, confidence, because, evidence, ...(settleMs !== undefined && { settleMs }) }
  return { kind: 'act', decision, explanation }
}

/** Facts of the cluster that carry the decision: those of comparisons that hold, within branches that hold. */
function agreeing(node: Node, verdict: Verdict): readonly string[] {
  if (node.kind !== 'test') return seen(node, verdict).truth === 'yes' ? node.children.flatMap((child) => agreeing(child, verdict)) : []
  if (verdict.found[node.index]?.said !== true) return []
  const facts = 'fact' in node.right ? [node.left.fact, node.right.fact] : [node.left.fact]
  return facts.filter((fact) => fact.ofCluster).map((fact) => fact.name)
}

interface Undecided {
  readonly alerts: readonly Alert[]
  readonly benches: readonly Bench[]
  readonly open: readonly BookRule[]
  readonly asks: readonly string[]
}
function undecided({ alerts, benches, open, asks }: Undecided, explanation: Explanation): Judgement {
  if (open.length > 0) return ambiguous('unknown', open, asks, `no rule holds for certain, and ${cannotTell(open)}`, explanation)
  const files = unique(benches.flatMap((bench) => bench.files))
  const names = list(unique(alerts.map(alertName)))
  const because = files.length > 0 ? `no rule for ${names} holds (${files.join(', ')})` : `no rule speaks of ${names}`
  return asks.length > 0 ? ambiguous('asked', [], asks, because, explanation) : { kind: 'notify', because, explanation }
}

/** notify_only is always meant, so it is no candidate; where nothing else is left there is nothing to ask. */
function ambiguous(why: 'unknown' | 'conflict' | 'asked', rules: readonly BookRule[], asks: readonly string[], because: string, explanation: Explanation): Judgement {
  const candidates = unique([...rules.map((rule) => rule.action), ...asks]).filter((action) => action !== 'notify_only')
  return candidates.length > 0 ? { kind: 'ambiguous', why, candidates, because, explanation } : { kind: 'notify', because, explanation }
}

function explain(book: Book, benches: readonly Bench[], sitting: Sitting): Explanation {
  const rules = unique(benches.flatMap(rulesOf))
  const considered = rules.map((rule): RuleConsidered => {
    const verdict = sitting.known(rule)
    return { rule: rule.id, file: rule.file, action: rule.action, truth: verdict?.truth ?? 'not read', conditions: conditionsOf(rule, verdict) }
  })
  const unknowns = new Map<string, string>()
  for (const rule of rules) for (const [fact, why] of unknownOf(rule, sitting.known(rule))) if (!unknowns.has(fact)) unknowns.set(fact, why)
  return { considered, unknownFacts: [...unknowns].map(([fact, why]) => ({ fact, why })), book: book.version }
}

/** The root says what the rule says: Kleene over the comparisons that were read, and the two runs of the engine, agree. */
function conditionsOf(rule: BookRule, verdict: Verdict | undefined): ConditionSeen {
  return verdict ? { ...seen(rule.judged.root, verdict), truth: verdict.truth } : seen(rule.judged.root, { found: [] })
}
function unknownOf(rule: BookRule, verdict: Verdict | undefined): readonly (readonly [string, string])[] {
  return rule.judged.tests.flatMap(({ index, left, right }) => {
    const found = verdict?.found[index]
    if (!found || found.said !== undefined) return []
    const sides = [{ key: left.key, value: found.left }, ...('fact' in right ? [{ key: right.key, value: found.right }] : [])]
    const unread = sides.flatMap(({ key, value }): (readonly [string, string])[] => {
      const why = whyUnknown(value)
      return why === undefined ? [] : [[key, why]]
    })
    return unread.length > 0 ? unread : [[left.key, `${left.text} cannot be compared so`]]
  })
}
