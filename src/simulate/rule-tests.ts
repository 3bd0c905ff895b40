// Runs the tests of rules against the book, and says which rules have no hit or no near miss. `rules test` and vitest share it.
import { caseId, type Located, type Next, type Opened } from '../domain/case-file.ts'
import type { Judgement } from '../domain/decision.ts'
import type { Json } from '../domain/json.ts'
import { ownerKey } from '../domain/target.ts'
import { unknown } from '../domain/unknown.ts'
import type { Fact } from '../facts/define-fact.ts'
import { gatherEvidence } from '../facts/evidence.ts'
import type { Reader } from '../kube/wire.ts'
import type { Book } from '../rooms/decide/book.ts'
import { judge } from '../rooms/decide/decide.ts'
import { folderReader, forbidding } from './folder-reader.ts'
import { pastOf } from './past.ts'
import { type Expected, fits, type RuleTest, readTests, type TestFileProblem } from './rule-test-file.ts'

export interface RuleTesting {
  readonly book: Book
  readonly facts: readonly Fact[]
  readonly locate: (read: Reader, namespace: string) => (file: Opened) => Promise<Next<Located>>
}

export interface RuleTestResult {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly passed: boolean
  /** What differs, one sentence each; empty when it passed. */
  readonly differences: readonly string[]
  /** undefined when no rule was asked, because the alert has no target. */
  readonly judgement: Judgement | undefined
}
export interface RuleTestRun {
  readonly results: readonly RuleTestResult[]
  readonly problems: readonly TestFileProblem[]
}

export async function runRuleTests(files: readonly string[], testing: RuleTesting): Promise<RuleTestRun> {
  const results: RuleTestResult[] = []
  const problems: TestFileProblem[] = []
  for (const file of files) {
    const read = await readTests(file)
    problems.push(...read.problems)
    for (const test of read.tests) results.push(await runRuleTest(test, testing))
  }
  return { results, problems }
}

export async function runRuleTest(test: RuleTest, { book, facts, locate }: RuleTesting): Promise<RuleTestResult> {
  const [alert] = test.alerts
  const namespace = alert.labels['exported_namespace'] ?? alert.labels['namespace'] ?? 'default'
  const read = forbidding(await folderReader(test, { namespace, now: test.now }), test.forbidden)
  const located = await locate(read, namespace)({ at: 'opened', id: caseId('test'), openedAt: test.now, alerts: test.alerts })
  const about = { file: test.file, line: test.line, name: test.name }
  if (located.at !== 'located') return result(about, test.expect, { decision: 'notify', because: located.because }, undefined)
  const { attempts, counts } = pastOf(test.history)
  const firing = async () => (test.noAlertmanager ? unknown('Alertmanager cannot be asked') : test.activeAlerts)
  const evidence = gatherEvidence(facts, { alerts: test.alerts, target: located.target, read, attempts, counts, firing, now: test.now })
  const judgement = await judge(book, test.alerts, evidence, { everyRule: true })
  return result(about, test.expect, { ...foundOf(judgement), target: ownerKey(located.target.owner) }, judgement)
}

function foundOf(judgement: Judgement): { readonly [key: string]: Json } {
  const unknownFacts = judgement.explanation.unknownFacts.map(({ fact }) => fact)
  if (judgement.kind === 'notify') return { decision: 'notify', because: judgement.because, rule: null, unknownFacts }
  if (judgement.kind === 'ambiguous') return { decision: 'ambiguous', because: judgement.because, why: judgement.why, candidates: judgement.candidates, rule: null, unknownFacts }
  const { action, rule, parameters, confidence, because } = judgement.decision
  return { decision: action === 'notify_only' ? 'notify' : 'act', action, rule: rule ?? null, parameters, confidence, because, unknownFacts }
}

function result(
  about: Pick<RuleTestResult, 'file' | 'line' | 'name'>,
  expect: Expected,
  found: { readonly [key: string]: Json },
  judgement: Judgement | undefined,
): RuleTestResult {
  const asList = (value: Json | undefined) => (Array.isArray(value) ? [...value].sort() : value)
  const differs = Object.entries(expect).filter(([key, value]) => {
    if (key === 'candidates') return !fits(asList(value), asList(found[key]))
    if (key === 'unknownFacts') return Array.isArray(value) && value.some((fact) => !(Array.isArray(found[key]) && found[key].includes(fact)))
    return !fits(value, found[key])
  })
  const differences = differs.map(
    ([key, value]) =>
      `${key}: expected ${JSON.stringify(value)}, got ${JSON.stringify(found[key] ?? null)}${key === 'decision' || key === 'rule' ? ` (${String(found['because'])})` : ''}`,
  )
  return { ...about, passed: differences.length === 0, differences, judgement }
}

export interface Uncovered {
  readonly rule: string
  readonly file: string
  readonly missing: 'hit' | 'near miss'
}

/** A hit: a test in which the rule decided. A near miss: one in which it was judged and did not hold. */
export function uncovered(book: Book, results: readonly RuleTestResult[]): readonly Uncovered[] {
  const judgements = results.flatMap((one) => one.judgement ?? [])
  const hits = new Set(judgements.flatMap((judgement) => (judgement.kind === 'act' ? (judgement.decision.rule ?? []) : [])))
  const misses = new Set(judgements.flatMap(({ explanation }) => explanation.considered.filter(({ truth }) => truth === 'no' || truth === 'unknown').map(({ rule }) => rule)))
  return book.rules.flatMap(({ id, file }) => [
    ...(hits.has(id) ? [] : [{ rule: id, file, missing: 'hit' as const }]),
    ...(misses.has(id) ? [] : [{ rule: id, file, missing: 'near miss' as const }]),
  ])
}
