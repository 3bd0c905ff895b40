import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Alert } from '../../domain/alert.ts'
import { type Evidence, evidenceKey } from '../../domain/evidence.ts'
import type { Json, JsonObject } from '../../domain/json.ts'
import { type Unknown, unknown } from '../../domain/unknown.ts'
import { defineFact } from '../../facts/define-fact.ts'
import { realPorts } from '../../ports.ts'
import { compileBook } from './book.ts'
import { judge } from './decide.ts'
import type { Condition, Ground, RuleFile, WrittenRule } from './written.ts'

const facts = [
  defineFact({
    name: 'alert',
    group: 'alert',
    summary: '',
    ofCluster: false,
    cost: 0,
    schema: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
    read: () => unknown('test'),
  }),
  defineFact({
    name: 'pod',
    group: 'pod',
    summary: '',
    cost: 1,
    schema: z.union([
      z.object({ restarts: z.number(), reason: z.enum(['OOMKilled', 'Error']).nullable(), limit: z.string(), ageSeconds: z.number(), names: z.array(z.string()) }),
      z.null(),
    ]),
    read: () => unknown('test'),
  }),
  defineFact({ name: 'label', group: 'alert', summary: '', cost: 0, schema: z.string().nullable(), params: z.strictObject({ name: z.string() }), read: () => unknown('test') }),
  defineFact({ name: 'logs', group: 'logs', summary: '', cost: 9, schema: z.array(z.string()), read: () => unknown('test') }),
]
const actions = new Map([
  ['restart_pod', { params: z.strictObject({ grace: z.number().optional() }) }],
  ['increase_resources', { params: z.strictObject({ container: z.string().optional(), factor: z.number() }) }],
  ['notify_only', { params: z.strictObject({}) }],
])
const ground: Ground = {
  facts: new Map(facts.map((fact) => [fact.name, fact])),
  actions,
  conditions: new Map<string, Condition>([['restarting', { fact: 'pod', path: '$.restarts', operator: 'greaterThan', value: 3 }]]),
}

const alert = (name: string, labels: Record<string, string> = {}): Alert => ({
  fingerprint: name,
  status: 'firing',
  labels: { alertname: name, ...labels },
  annotations: {},
  startsAt: 0,
  endsAt: undefined,
  generatorUrl: undefined,
})
function evidence(values: Record<string, Json | Unknown>): Evidence & { readonly asked: readonly string[] } {
  const asked: string[] = []
  return {
    asked,
    seen: new Map(),
    async read(fact: string, params?: JsonObject) {
      const key = evidenceKey(fact, params)
      asked.push(key)
      await Promise.resolve()
      return Object.hasOwn(values, key) ? (values[key] ?? null) : unknown(`${key} was not given`)
    },
  }
}
const file = (rules: readonly WrittenRule[], more: Partial<RuleFile> = {}): RuleFile => ({ path: 'a.yaml', rank: 0, alerts: ['Crash'], rules, ...more })
const restarts = (more: number): Condition => ({ fact: 'pod', path: '$.restarts', operator: 'greaterThan', value: more })
const rule = (id: string, when: Condition, action = 'restart_pod', more: Partial<WrittenRule> = {}): WrittenRule => ({
  id,
  when,
  then: { action, ...(action === 'increase_resources' && { parameters: { factor: 2 } }) },
  ...more,
})
const POD = { restarts: 5, reason: 'OOMKilled', limit: '512Mi', ageSeconds: 60, names: ['web', 'proxy'] }
const decide = (files: readonly RuleFile[], values: Record<string, Json | Unknown>, alerts: readonly Alert[] = [alert('Crash')]) =>
  judge(compileBook(files, ground), alerts, evidence(values))

describe('the order of rules', () => {
  it('lets the first yes of a file win, by priority and then by place', async () => {
    const first = await decide([file([rule('one', restarts(9)), rule('two', restarts(1)), rule('three', restarts(2), 'increase_resources')])], { pod: POD })
    expect(first).toMatchObject({ kind: 'act', decision: { rule: 'two', by: 'rule', action: 'restart_pod', confidence: 1, evidence: ['pod'] } })
    const urgent = await decide([file([rule('two', restarts(1)), rule('three', restarts(2), 'increase_resources', { priority: 5 })])], { pod: POD })
    expect(urgent).toMatchObject({ decision: { rule: 'three' } })
  })
  it('is ambiguous when an unknown rule stands ahead and would do something else', async () => {
    const unread: Condition = { fact: 'logs', operator: 'contains', value: 'panic' }
    const other = await decide([file([rule('unread', unread, 'increase_resources'), rule('sure', restarts(1))])], { pod: POD, logs: unknown('no right') })
    expect(other).toMatchObject({
      kind: 'ambiguous',
      why: 'unknown',
      candidates: ['increase_resources', 'restart_pod'],
      explanation: { unknownFacts: [{ fact: 'logs', why: 'no right' }] },
    })
    const same = await decide([file([rule('unread', unread), rule('sure', restarts(1))])], { pod: POD, logs: unknown('no right') })
    expect(same).toMatchObject({ kind: 'act', decision: { rule: 'sure' } })
    const behind = await decide([file([rule('sure', restarts(1)), rule('unread', unread, 'increase_resources')])], { pod: POD, logs: unknown('no right') })
    expect(behind).toMatchObject({ kind: 'act', decision: { rule: 'sure' } })
  })
  it('is a conflict when two files of one layer want different actions at one priority, and not at two', async () => {
    const a = file([rule('a', restarts(1))])
    const b = (priority: number) => file([rule('b', restarts(1), 'increase_resources', { priority })], { path: 'b.yaml' })
    expect(await decide([a, b(0)], { pod: POD })).toMatchObject({ kind: 'ambiguous', why: 'conflict', candidates: ['restart_pod', 'increase_resources'] })
    expect(await decide([a, b(1)], { pod: POD })).toMatchObject({ kind: 'act', decision: { rule: 'b' } })
    expect(await decide([a, file([rule('b', restarts(2))], { path: 'b.yaml' })], { pod: POD })).toMatchObject({ kind: 'act', decision: { rule: 'a' } })
  })
  it('hears the rules of every alert of a case: one action acts, two are a conflict', async () => {
    const files = [
      file([rule('a', restarts(1))]),
      file([rule('b', restarts(2), 'increase_resources')], { path: 'b.yaml', alerts: ['OOM'] }),
      file([rule('c', restarts(9))], { path: 'c.yaml', alerts: ['Quiet'] }),
    ]
    expect(await decide(files, { pod: POD }, [alert('Crash'), alert('OOM')])).toMatchObject({ kind: 'ambiguous', why: 'conflict' })
    expect(await decide(files, { pod: POD }, [alert('Quiet'), alert('Crash')])).toMatchObject({ kind: 'act', decision: { rule: 'a' } })
  })
})

describe('which files answer', () => {
  it('takes files by exact labels, and files for any alert only when no file names it', async () => {
    const files = [
      file([rule('critical', restarts(1), 'increase_resources')], { labels: { severity: 'critical' } }),
      file([rule('generic', restarts(1))], { path: 'any.yaml', alerts: 'any' }),
    ]
    expect(await decide(files, { pod: POD }, [alert('Crash', { severity: 'critical' })])).toMatchObject({ decision: { rule: 'critical' } })
    expect(await decide(files, { pod: POD }, [alert('Crash', { severity: 'warning' })])).toMatchObject({ decision: { rule: 'generic' } })
    expect(await decide(files, { pod: POD }, [alert('toString')])).toMatchObject({ decision: { rule: 'generic' } })
  })
  it('puts a higher layer first, switches its disabled rules off, and lets it replace a lower one', async () => {
    const library = file([rule('library', restarts(1)), rule('second', restarts(1), 'notify_only')], { otherwise: { ask: ['restart_pod'] } })
    const tenant = (more: Partial<RuleFile>) => file([rule('tenant', restarts(more.disable || more.layer ? 99 : 1), 'increase_resources')], { path: 't.yaml', rank: 2, ...more })
    expect(await decide([library, tenant({})], { pod: POD })).toMatchObject({ decision: { rule: 'tenant' } })
    const urgent = file([rule('urgent', restarts(1), 'restart_pod', { priority: 1 })])
    expect(await decide([urgent, tenant({})], { pod: POD })).toMatchObject({ decision: { rule: 'urgent' } })
    expect(await decide([library, tenant({ disable: ['library'] })], { pod: POD })).toMatchObject({ decision: { rule: 'second' } })
    expect(await decide([library, tenant({ layer: 'replace' })], { pod: POD })).toMatchObject({ kind: 'notify' })
  })
  it('asks what the file lets it ask when no rule holds, and tells people when it may not', async () => {
    const none = [rule('never', restarts(99), 'increase_resources')]
    expect(await decide([file(none, { otherwise: { ask: ['restart_pod', 'notify_only'] } })], { pod: POD })).toMatchObject({
      kind: 'ambiguous',
      why: 'asked',
      candidates: ['restart_pod'],
    })
    expect(await decide([file(none, { otherwise: 'notify' })], { pod: POD })).toMatchObject({ kind: 'notify', because: 'no rule for Crash holds (a.yaml)' })
    expect(await decide([], {})).toMatchObject({ kind: 'notify', because: 'no rule speaks of Crash' })
    const layered = [file(none, { otherwise: { ask: ['restart_pod'] } }), file([], { path: 't.yaml', rank: 2, otherwise: 'notify' })]
    expect(await decide(layered, { pod: POD })).toMatchObject({ kind: 'notify' })
    const unread = await decide([file(none, { otherwise: { ask: ['restart_pod'] } })], {})
    expect(unread).toMatchObject({ kind: 'ambiguous', why: 'unknown', candidates: ['increase_resources', 'restart_pod'] })
  })
})

describe('parameters', () => {
  const grow = (container: Json): RuleFile =>
    file([{ id: 'grow', when: restarts(1), then: { action: 'increase_resources', confidence: 0.8, settle: '5m', parameters: { factor: 1.5, container } } }])
  const fromLabel = { fact: 'label', params: { name: 'container' } }
  it('are looked up where a rule names a fact, and left out where the fact is absent', async () => {
    expect(await decide([grow(fromLabel)], { pod: POD, 'label({"name":"container"})': 'web' })).toMatchObject({
      decision: { parameters: { factor: 1.5, container: 'web' }, confidence: 0.8, settleMs: 300_000 },
    })
    const absent = await decide([grow(fromLabel)], { pod: POD, 'label({"name":"container"})': null })
    expect(absent.kind === 'act' && absent.decision.parameters).toEqual({ factor: 1.5 })
  })
  it('that are unknown leave the case open', async () => {
    expect(await decide([grow(fromLabel)], { pod: POD })).toMatchObject({
      kind: 'ambiguous',
      why: 'unknown',
      candidates: ['increase_resources'],
      explanation: { unknownFacts: [{ fact: 'label({"name":"container"})' }] },
    })
  })
})

describe('what is read', () => {
  const book = compileBook([file([rule('cheap-first', { all: [{ fact: 'logs', operator: 'contains', value: 'panic' }, restarts(9)] })])], ground)
  it('is only what can decide: the dear fact is not asked for once the cheap one says no', async () => {
    const read = evidence({ pod: POD, logs: ['panic'] })
    await judge(book, [alert('Crash')], read)
    expect(read.asked).toEqual(['pod'])
  })
  it('is below an absent thing absent, and own properties only', async () => {
    expect(await decide([file([rule('gone', { fact: 'pod', path: 'restarts', operator: 'absent' })])], { pod: null })).toMatchObject({ kind: 'act' })
    const hostile: Condition = { fact: 'alert', path: '$.labels.constructor', operator: 'present' }
    expect(await decide([file([rule('hostile', hostile)])], { alert: { name: 'Crash', labels: {} } })).toMatchObject({ kind: 'notify' })
    expect(await decide([file([rule('part', restarts(1))])], { pod: {} })).toMatchObject({
      kind: 'ambiguous',
      explanation: { unknownFacts: [{ fact: 'pod', why: 'nothing at restarts' }] },
    })
  })
  it('counts as evidence of the cluster only where it agrees', async () => {
    const either: Condition = { any: [{ fact: 'alert', path: 'name', operator: 'equal', value: 'Crash' }, restarts(99)] }
    expect(await decide([file([rule('word', either)])], { alert: { name: 'Crash', labels: {} }, pod: POD })).toMatchObject({ decision: { evidence: [] } })
    const logs: Condition = { fact: 'logs', operator: 'contains', value: 'panic' }
    const carried = await decide([file([rule('carried', { any: [restarts(99), logs] })])], { pod: POD, logs: ['panic'] })
    expect(carried).toMatchObject({ decision: { evidence: ['logs'] } })
    expect(await decide([file([rule('absence', { not: restarts(99) })])], { pod: POD })).toMatchObject({ decision: { evidence: ['pod'] } })
  })
})

describe('the explanation', () => {
  it('says of every rule what was found, and of rules behind the first yes that they were not read', async () => {
    const rules = [
      rule('cold', { all: [{ condition: 'restarting' }, { fact: 'pod', path: 'reason', operator: 'equal', value: 'Error' }] }),
      rule('hot', restarts(1)),
      rule('late', restarts(2)),
    ]
    const judged = await decide([file(rules)], { pod: POD })
    expect(judged.explanation.considered).toEqual([
      {
        rule: 'cold',
        file: 'a.yaml',
        action: 'restart_pod',
        truth: 'no',
        conditions: {
          text: 'all of',
          truth: 'no',
          children: [
            { text: 'pod.restarts greaterThan 3', truth: 'yes', found: 5 },
            { text: 'pod.reason equal "Error"', truth: 'no', found: 'OOMKilled' },
          ],
        },
      },
      { rule: 'hot', file: 'a.yaml', action: 'restart_pod', truth: 'yes', conditions: { text: 'pod.restarts greaterThan 1', truth: 'yes', found: 5 } },
      { rule: 'late', file: 'a.yaml', action: 'restart_pod', truth: 'not read', conditions: { text: 'pod.restarts greaterThan 2', truth: 'not read' } },
    ])
    const all = await judge(compileBook([file(rules)], ground), [alert('Crash')], evidence({ pod: POD }), { everyRule: true })
    expect(all).toMatchObject({ decision: { rule: 'hot' }, explanation: { considered: [{}, {}, { rule: 'late', truth: 'yes' }] } })
  })
})

describe('three values', () => {
  type Tree = { readonly leaf: number; readonly not: boolean } | { readonly op: 'all' | 'any' | 'not' | 'named'; readonly children: readonly Tree[] }
  const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5, depthSize: 'medium' },
      fc.record({ leaf: fc.nat(7), not: fc.boolean() }),
      fc.record({ op: fc.constantFrom('all' as const, 'any' as const), children: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
      fc.record({ op: fc.constantFrom('not' as const, 'named' as const), children: fc.array(tie('tree'), { minLength: 1, maxLength: 1 }) }),
    ),
  })).tree
  const leafFacts = Array.from({ length: 8 }, (_, at) =>
    defineFact({ name: `f${at}`, group: 'pod', summary: '', cost: (at * 3) % 5, schema: z.object({ is: z.boolean() }), read: () => unknown('test') }),
  )
  function write(at: Tree, named: Map<string, Condition>): Condition {
    if ('leaf' in at) return { fact: `f${at.leaf}`, path: '$.is', operator: at.not ? 'not:equal' : 'equal', value: true }
    const children = at.children.map((child) => write(child, named))
    if (at.op === 'all') return { all: children }
    if (at.op === 'any') return { any: children }
    const only = children[0] ?? { all: [] }
    if (at.op === 'not') return { not: only }
    named.set(`n${named.size}`, only)
    return { condition: `n${named.size - 1}` }
  }
  type Value = boolean | undefined
  /** Strong Kleene logic, written down once more and differently. */
  function kleene(at: Tree, values: readonly Value[]): Value {
    if ('leaf' in at) {
      const value = values[at.leaf]
      return value === undefined ? undefined : value !== at.not
    }
    const ranks = at.children.map((child) => ({ rank: kleene(child, values) })).map(({ rank }) => (rank === undefined ? 1 : rank ? 2 : 0))
    const rank = at.op === 'all' ? Math.min(...ranks) : at.op === 'any' ? Math.max(...ranks) : at.op === 'not' ? 2 - (ranks[0] ?? 0) : (ranks[0] ?? 0)
    return rank === 1 ? undefined : rank === 2
  }
  const values = fc.array(fc.constantFrom(true, false, undefined), { minLength: 8, maxLength: 8 })

  it('agree with strong Kleene logic on any tree, and a yes or no stands whatever the unknown leaves turn out to be', async () => {
    await fc.assert(
      fc.asyncProperty(tree, values, async (shape, known) => {
        const conditions = new Map<string, Condition>()
        const when = write(shape, conditions)
        const book = compileBook([file([rule('r', when)])], { ...ground, facts: new Map(leafFacts.map((fact) => [fact.name, fact])), conditions })
        const truthOf = async (given: readonly Value[]) => {
          const said = await judge(book, [alert('Crash')], evidence(Object.fromEntries(given.flatMap((value, at) => (value === undefined ? [] : [[`f${at}`, { is: value }]])))))
          return said.explanation.considered[0]?.truth
        }
        const truth = await truthOf(known)
        const expected = kleene(shape, known)
        expect(truth).toBe(expected === undefined ? 'unknown' : expected ? 'yes' : 'no')
        if (truth === 'unknown') return
        for (const fill of [true, false]) expect(await truthOf(known.map((value, at) => value ?? (at % 2 === 0) === fill))).toBe(truth)
      }),
      { numRuns: 400 },
    )
  })

  it('are right in a thousand evaluations that overlap', async () => {
    const book = compileBook(
      [file([rule('both', { all: [restarts(3), { fact: 'logs', operator: 'contains', value: 'panic' }] }), rule('second', { not: restarts(3) }, 'increase_resources')])],
      ground,
    )
    const one = async (number: number) => {
      const slow: Evidence = {
        seen: new Map(),
        read: (fact) =>
          new Promise((resolve) => realPorts.timers.soon(() => resolve(fact === 'logs' ? (number % 3 === 0 ? unknown('late') : ['panic']) : { ...POD, restarts: number % 7 }))),
      }
      return judge(book, [alert('Crash')], slow)
    }
    const all = await Promise.all(Array.from({ length: 1_000 }, (_, number) => one(number)))
    all.forEach((judged, number) => {
      const many = number % 7 > 3
      const expected = !many ? 'increase_resources' : number % 3 === 0 ? 'ambiguous' : 'restart_pod'
      expect(judged.kind === 'act' ? judged.decision.action : judged.kind).toBe(expected)
    })
  })
})
