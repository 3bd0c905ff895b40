import { beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Json } from '../../domain/json.ts'
import { unknown } from '../../domain/unknown.ts'
import { defineFact } from '../../facts/define-fact.ts'
import { tryBook } from './book.ts'
import { loadPatterns } from './patterns.ts'
import type { Condition, Ground, RuleFile, Then } from './written.ts'

beforeAll(loadPatterns)
const read = () => unknown('test')
const UNKNOWN = z.strictObject({ unknown: z.string() })
const facts = [
  defineFact({
    name: 'rollout',
    group: 'rollout',
    summary: '',
    cost: 1,
    schema: z.object({
      ageSeconds: z.number(),
      ageMinutes: z.number(),
      reason: z.enum(['OOMKilled', 'Error']).nullable(),
      image: z.union([z.string(), UNKNOWN]),
      containers: z.array(z.object({ name: z.string() })),
      names: z.array(z.string()),
      labels: z.record(z.string(), z.string()),
    }),
    read,
  }),
  defineFact({ name: 'window', group: 'history', summary: '', cost: 1, schema: z.number(), params: z.strictObject({ window: z.string().regex(/^\d+m$/) }), read }),
]
const actions: Ground['actions'] = new Map([['scale', { params: z.strictObject({ replicas: z.int().min(1), note: z.string().optional() }) }]])
const then = (parameters: Then['parameters'] = { replicas: 2 }): Then => ({ action: 'scale', parameters })
const conditions = new Map<string, Condition>([
  ['a', { condition: 'b' }],
  ['b', { not: { condition: 'a' } }],
  ['bad', { fact: 'rolout', operator: 'equal', value: 1 }],
])
const ground: Ground = { facts: new Map(facts.map((fact) => [fact.name, fact])), actions, conditions }
const problems = (files: readonly RuleFile[]) => {
  const made = tryBook(files, ground, 'v')
  return 'book' in made ? [] : made.findings.map(({ at, message, hint }) => `${at.join('.')}: ${message}${hint ? ` (${hint})` : ''}`)
}
const file = (when: Condition, does: Then = then(), more: Partial<RuleFile> = {}): RuleFile => ({
  path: 'a.yaml',
  rank: 0,
  alerts: ['A'],
  rules: [{ id: 'r', when, then: does }],
  ...more,
})
const leaf = (path: string, operator: string, value: Json): Condition => ({ fact: 'rollout', path, operator, value })

describe('what a condition may say', () => {
  it.each<[Condition]>([
    [leaf('$.ageSeconds', 'lessThanDuration', '5m')],
    [leaf('ageSeconds', 'lessThan', 5)],
    [leaf('.labels.anything', 'glob', 'web-*')],
    [leaf('containers.0.name', 'equal', 'web')],
    [leaf('names', 'someFact:matches', '^w')],
    [leaf('containers', 'greaterThanCount', 1)],
    [leaf('image', 'matches', ':latest$')],
    [leaf('reason', 'in', ['OOMKilled'])],
    [leaf('reason', 'equal', null)],
    [{ fact: 'rollout', path: 'reason', operator: 'absent' }],
    [{ fact: 'window', params: { window: '5m' }, operator: 'greaterThan', value: { fact: 'rollout', path: 'ageSeconds' } }],
  ])('takes %j', (when) => {
    expect(problems([file(when)])).toEqual([])
  })
  it.each<[Condition, string]>([
    [{ fact: 'rolout', operator: 'equal', value: 1 }, 'rules.0.when.fact: there is no fact named rolout (did you mean rollout?)'],
    [leaf('$.agSeconds', 'lessThan', 5), 'rules.0.when.path: fact rollout: there is no agSeconds in it (did you mean ageSeconds?)'],
    [leaf('$.ageSeconds.x', 'lessThan', 5), 'rules.0.when.path: fact rollout: there is nothing below ageSeconds, so no x'],
    [
      leaf('__proto__', 'present', true),
      'rules.0.when.path: fact rollout: there is no __proto__ in it (there are: ageSeconds, ageMinutes, reason, image, containers, names, labels)',
    ],
    [leaf('image.unknown', 'present', true), 'rules.0.when.path: fact rollout: there is nothing below image, so no unknown'],
    [leaf('ageSeconds', 'lessThn', 5), 'rules.0.when.operator: there is no operator named lessThn (did you mean lessThan?)'],
    [leaf('names', 'someFakt:equal', 'a'), 'rules.0.when.operator: there is no decorator named someFakt (did you mean someFact?)'],
    [leaf('ageSeconds', 'matches', '5'), 'rules.0.when.operator: rollout.ageSeconds is number; matches looks at string'],
    [leaf('ageSeconds', 'someFact:equal', 5), 'rules.0.when.operator: rollout.ageSeconds is no list, and someFact:equal looks at the members of one'],
    [leaf('ageMinutes', 'lessThanDuration', '5m'), 'rules.0.when.operator: rollout.ageMinutes is in Minutes; lessThanDuration compares seconds (use lessThan with a number)'],
    [leaf('ageSeconds', 'lessThanDuration', 'soon'), 'rules.0.when.value: lessThanDuration on rollout.ageSeconds: it compares with a duration such as 90s, 5m or 1h30m'],
    [leaf('reason', 'equal', 'OOMKiled'), 'rules.0.when.value: equal on rollout.reason: it is never "OOMKiled"; it is one of OOMKilled, Error'],
    [leaf('reason', 'in', []), 'rules.0.when.value: in on rollout.reason: it compares with a list that has at least one member'],
    [leaf('names', 'contains', 5), 'rules.0.when.value: contains on rollout.names: it is never 5'],
    [{ fact: 'window', operator: 'greaterThan', value: 1 }, 'rules.0.when.params: params of fact window: window: Invalid input: expected string, received undefined'],
    [{ fact: 'rollout', params: { x: 1 }, path: 'ageSeconds', operator: 'greaterThan', value: 1 }, 'rules.0.when.params: fact rollout takes no params'],
    [{ all: [] }, 'rules.0.when.all: it needs at least one condition (an empty list would hold of every alert)'],
    [{ any: [leaf('names', 'present', true), { not: { any: [] } }] }, 'rules.0.when.any.1.not.any: it needs at least one condition (an empty list would hold of every alert)'],
    [{ condition: 'a' }, 'rules.0.when.condition: condition a -> b -> a refers to itself'],
    [{ condition: 'bad' }, 'rules.0.when.condition: in condition bad: there is no fact named rolout (did you mean rollout?)'],
    [{ condition: 'c' }, 'rules.0.when.condition: there is no condition named c (did you mean a?)'],
  ])('refuses %j', (when, problem) => {
    expect(problems([file(when)])).toEqual([problem])
  })
  it('refuses conditions nested without end', () => {
    let deep: Condition = leaf('names', 'present', true)
    for (let at = 0; at < 40; at++) deep = { not: deep }
    expect(problems([file(deep)])[0]).toContain('nested deeper than 32')
  })
})

describe('what a rule may do', () => {
  const always = leaf('names', 'present', true)
  it.each<[Then, string | undefined]>([
    [then({ replicas: 2 }), undefined],
    [then({ replicas: { fact: 'rollout', path: 'ageSeconds' } }), undefined],
    [then({ replicas: 0 }), 'rules.0.then.parameters.replicas: parameters: replicas: Too small: expected number to be >=1'],
    [then({}), 'rules.0.then.parameters.replicas: parameters: replicas: Invalid input: expected number, received undefined'],
    [then({ replicas: 2, replica: 3 }), 'rules.0.then.parameters.replica: parameters: Unrecognized key: "replica" (did you mean replicas?)'],
    [then({ replicas: { fact: 'rollout', path: 'age' } }), 'rules.0.then.parameters.replicas.path: fact rollout: there is no age in it'],
    [{ action: 'scal' }, 'rules.0.then.action: there is no action named scal (did you mean scale?)'],
    [{ ...then(), settle: 'soon' }, 'rules.0.then.settle: it is a duration such as 5m'],
  ])('%j: %s', (does, problem) => {
    const found = problems([file(always, does)])
    expect(found[0]?.replace(/ \(there are.*/, '').startsWith(problem ?? 'never') ?? false).toBe(problem !== undefined)
    expect(found.length).toBe(problem === undefined ? 0 : 1)
  })
  it('refuses one id twice, an unknown action to ask for, and a disabled rule that is not there', () => {
    const two = file(always, then(), { path: 'b.yaml', rank: 2, disable: ['q'], otherwise: { ask: ['scal'] } })
    expect(problems([file(always), two])).toEqual([
      'otherwise.ask.0: there is no action named scal (did you mean scale?)',
      'rules.0.id: rule r exists already, in a.yaml (an id names one rule of the whole book)',
      'disable.0: no lower layer has a rule q for these alerts (did you mean r?)',
    ])
  })
})
