// How long a decision takes, and what it would take with all rules in one json-rules-engine Engine: the same rules, the same alerts,
// the same facts, interleaved in one run.
import { Engine, type RuleProperties } from 'json-rules-engine'
import * as z from 'zod'
import type { Alert } from '../src/domain/alert.ts'
import type { Evidence } from '../src/domain/evidence.ts'
import type { Json } from '../src/domain/json.ts'
import { unknown } from '../src/domain/unknown.ts'
import { defineFact } from '../src/facts/define-fact.ts'
import { type Book, compileBook } from '../src/rooms/decide/book.ts'
import { judge } from '../src/rooms/decide/decide.ts'
import type { Ground, RuleFile } from '../src/rooms/decide/written.ts'
import { percentile, round, times } from './figures.ts'

const nothing = () => unknown('the bench hands its facts in')
const FACTS = [
  defineFact({
    name: 'pod',
    group: 'pod',
    summary: '',
    cost: 1,
    schema: z.object({ restarts: z.number(), waitingReason: z.string().nullable(), lastTermination: z.object({ reason: z.string(), exitCode: z.number() }).nullable() }),
    read: nothing,
  }),
  defineFact({ name: 'rollout', group: 'rollout', summary: '', cost: 5, schema: z.object({ ageSeconds: z.number(), previousRevisionWasHealthy: z.boolean() }), read: nothing }),
  defineFact({ name: 'siblings', group: 'pod', summary: '', cost: 1, schema: z.object({ total: z.number(), ready: z.number() }), read: nothing }),
]
const VALUES: Readonly<Record<string, Json>> = {
  pod: { restarts: 7, waitingReason: 'CrashLoopBackOff', lastTermination: { reason: 'Error', exitCode: 1 } },
  rollout: { ageSeconds: 600, previousRevisionWasHealthy: true },
  siblings: { total: 3, ready: 1 },
}
const ground: Ground = {
  facts: new Map(FACTS.map((fact) => [fact.name, fact])),
  actions: new Map(['restart_pod', 'rollback_deployment', 'increase_resources', 'notify_only'].map((name) => [name, { params: z.strictObject({}) }])),
  conditions: new Map(),
}

/** Five rules an alert, three or four conditions a rule: three that do not hold, one that does, one behind it. */
const rulesOf = (alert: string) => {
  const pod = (path: string, operator: string, value: Json) => ({ fact: 'pod', path: `$.${path}`, operator, value })
  const rollout = (path: string, operator: string, value: Json) => ({ fact: 'rollout', path: `$.${path}`, operator, value })
  const siblings = (path: string, operator: string, value: Json) => ({ fact: 'siblings', path: `$.${path}`, operator, value })
  const rule = (id: string, action: string, all: ReturnType<typeof pod>[]) => ({ id: `${alert}-${id}`, when: { all }, then: { action } })
  return [
    rule('oom', 'increase_resources', [pod('lastTermination.reason', 'equal', 'OOMKilled'), pod('restarts', 'greaterThan', 1), rollout('ageSeconds', 'greaterThan', 3_600)]),
    rule('image', 'notify_only', [pod('waitingReason', 'equal', 'ImagePullBackOff'), rollout('ageSeconds', 'lessThan', 3_600), siblings('ready', 'greaterThan', 0)]),
    rule('one-of-many', 'restart_pod', [siblings('total', 'greaterThan', 5), siblings('ready', 'greaterThan', 4), pod('restarts', 'lessThan', 3)]),
    rule('new-revision', 'rollback_deployment', [
      rollout('ageSeconds', 'lessThan', 3_600),
      rollout('previousRevisionWasHealthy', 'equal', true),
      pod('waitingReason', 'equal', 'CrashLoopBackOff'),
      siblings('ready', 'lessThan', 3),
    ]),
    rule('old', 'notify_only', [rollout('ageSeconds', 'greaterThan', 86_400), pod('restarts', 'greaterThan', 3), siblings('total', 'greaterThan', 1)]),
  ]
}
const files = (rules: number): RuleFile[] =>
  Array.from(
    { length: rules / 5 },
    (_, index) => ({ path: `bench/alert-${index}.yaml`, layer: 'extend', rank: 0, alerts: [`Alert${index}`], rules: rulesOf(`Alert${index}`) }) satisfies RuleFile,
  )

const alertOf = (index: number, of: number): Alert => ({
  fingerprint: String(index),
  status: 'firing',
  labels: { alertname: `Alert${index % of}`, namespace: 'team-a', pod: `web-${index}` },
  annotations: {},
  startsAt: 0,
  endsAt: undefined,
  generatorUrl: undefined,
})
const evidence = (): Evidence => ({ read: async (fact) => VALUES[fact] ?? null, seen: new Map() })

/** `names`: how many different alerts take turns. */
const decideOnce = (book: Book, names: number) => async (index: number) => {
  const judged = await judge(book, [alertOf(index, names)], evidence())
  if (judged.kind !== 'act' || judged.decision.action !== 'rollback_deployment') throw new Error(`the bench decided ${judged.kind}`)
}

/** All rules in one Engine, as its documentation shows it: an alert name condition in each rule, first answer wins. */
function naive(rules: number, plain: boolean): (index: number) => Promise<void> {
  const options = plain
    ? {
        pathResolver: (value: object, path: string) =>
          path
            .slice(2)
            .split('.')
            .reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Object.entries(at).find(([name]) => name === key)?.[1] : undefined), value),
      }
    : {}
  const engine = new Engine([], options)
  for (const file of files(rules))
    for (const rule of file.rules) {
      const properties: RuleProperties = {
        name: rule.id,
        conditions: {
          all: [{ fact: 'alertname', operator: 'equal', value: file.alerts[0] }, ...('all' in rule.when ? rule.when.all : [])].map((leaf) => ({
            ...leaf,
            operator: 'operator' in leaf ? leaf.operator : 'equal',
            fact: 'fact' in leaf ? leaf.fact : '',
            value: 'value' in leaf ? leaf.value : null,
          })),
        },
        event: { type: rule.then.action },
      }
      engine.addRule(properties)
    }
  return async (index) => {
    const { events } = await engine.run({ alertname: `Alert${index % (rules / 5)}`, ...VALUES })
    if (events[0]?.type !== 'rollback_deployment') throw new Error('the naive engine decided otherwise')
  }
}
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

export async function decideBench(quick: boolean) {
  const count = quick ? 4_000 : 20_000
  const sizes = [50, 500, 5_000] as const
  const books = new Map(sizes.map((size) => [size, compileBook(files(size), ground)]))
  const book = (size: (typeof sizes)[number]) => books.get(size) ?? compileBook(files(size), ground)
  // The same ten alerts against each book; spread: a thousand names in turn, which no processor cache holds.
  const ours = (size: (typeof sizes)[number]) => decideOnce(book(size), 10)
  const spread = decideOnce(book(5_000), 1_000)
  for (const size of sizes) await times(2_000, ours(size))
  await times(2_000, spread)
  // Rounds take turns, so that a slow second of the machine falls on all of them.
  const taken = new Map<number, number[]>(sizes.map((size) => [size, []]))
  const spreadTimes: number[] = []
  for (let round_ = 0; round_ < 4; round_++) {
    for (const size of sizes) taken.get(size)?.push(...(await times(count / 4, ours(size))))
    spreadTimes.push(...(await times(count / 4, spread)))
  }
  const at = (size: number) => taken.get(size) ?? []

  const defaults = naive(500, false)
  const plain = naive(500, true)
  await times(3, defaults)
  await times(10, plain)
  const naiveTimes: number[] = []
  const plainTimes: number[] = []
  const oursBeside: number[] = []
  for (let turn = 0; turn < 5; turn++) {
    naiveTimes.push(...(await times(quick ? 6 : 20, defaults)))
    plainTimes.push(...(await times(quick ? 20 : 60, plain)))
    oursBeside.push(...(await times(1_000, ours(500))))
  }
  return {
    decideP50Ms: round(percentile(at(50), 0.5), 4),
    decideP99Ms: round(percentile(at(50), 0.99), 4),
    decide5000P50Ms: round(percentile(at(5_000), 0.5), 4),
    rules5000Over50: round(percentile(at(5_000), 0.5) / percentile(at(50), 0.5), 2),
    rules5000Over50Spread: round(percentile(spreadTimes, 0.5) / percentile(at(50), 0.5), 2),
    naiveEngineP50MsAt500: round(percentile(naiveTimes, 0.5), 3),
    naiveEngineRatioAt500: round(mean(naiveTimes) / mean(oursBeside), 1),
    naivePlainResolverRatioAt500: round(mean(plainTimes) / mean(oursBeside), 1),
  }
}
