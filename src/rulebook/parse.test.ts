import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRules } from './parse.ts'
import { renderProblem } from './problem.ts'

const GOOD = `# yaml-language-server: $schema=../rule.schema.json
alerts: [KubePodCrashLooping]
rules:
  - id: crash-began-with-new-revision
    when:
      all:
        - { fact: rollout, path: $.ageSeconds, operator: lessThan, value: 3600 }
        - not: { fact: rollout, operator: absent }
    then: { action: rollback_deployment, confidence: 0.9, parameters: { to: { fact: rollout, path: $.previous } } }
    because: the trouble began with the newest revision
otherwise: { ask: [restart_pod] }
`
const problemsOf = async (text: string) => (await parseRules(text, 'x.yaml')).problems.map((problem) => `${problem.line}:${problem.column} ${problem.path}: ${problem.message}`)
const changed = (from: string, to: string): string => {
  expect(GOOD).toContain(from)
  return GOOD.replace(from, to)
}

describe('a rule file', () => {
  it('is read as it is written', async () => {
    const { value, problems } = await parseRules(GOOD, 'x.yaml')
    expect(problems).toEqual([])
    expect(value).toMatchObject({
      alerts: ['KubePodCrashLooping'],
      otherwise: { ask: ['restart_pod'] },
      rules: [{ id: 'crash-began-with-new-revision', when: { all: [{ value: 3600 }, { not: {} }] } }],
    })
  })
  it.each([
    ['value: 3600 }', 'value: 3600, vaule: 1 }', '7:81 rules.0.when.all.0.vaule: there is no key vaule here'],
    ['operator: lessThan, ', '', '7:11 rules.0.when.all.0.operator: operator: Invalid input: expected string, received undefined'],
    ['      all:', '      al:', '5:5 rules.0.when: a condition is one of { all: […] }, { any: […] }, { not: … }, { condition: name } and { fact, path, operator, value }'],
    ['confidence: 0.9', 'confidence: 9', '9:42 rules.0.then.confidence: confidence: Too big: expected number to be <=1'],
    ['alerts: [KubePodCrashLooping]', 'alerts: some', '2:1 alerts: alerts: a list of alert names, or any'],
    ['otherwise: { ask: [restart_pod] }', 'otherwise: ask', '11:1 otherwise: otherwise: notify, or { ask: [actions] }'],
    ['id: crash-began', 'id: Crash began', '4:5 rules.0.id: id: lower case words joined by hyphens'],
    ['action: rollback_deployment,', 'steps: [],', '9:13 rules.0.then.steps: steps in sequence are not supported by this version'],
  ])('with %j as %j is a problem at its place', async (from, to, problem) => {
    expect(await problemsOf(changed(from, to))).toContain(problem)
  })
  it('names the line of broken YAML, of a key twice, and of a second document', async () => {
    expect((await problemsOf('alerts: [a\nrules: ]'))[0]).toMatch(/^2:\d+ : /)
    expect((await problemsOf('alerts: [a]\nalerts: [b]\n'))[0]).toMatch(/^2:1 : Map keys must be unique/)
    expect((await problemsOf(`${GOOD}---\n${GOOD}`))[0]).toMatch(/^12:\d+ : /)
  })
})

describe('hostile files', () => {
  it('that are too large, too deep, or multiply by aliases are refused quickly', async () => {
    expect((await problemsOf(`# ${'x'.repeat(300_000)}`))[0]).toContain('at most 262144 are read')
    expect((await problemsOf('['.repeat(100_000)))[0]).toBeDefined()
    const deep = `alerts: [a]\nrules:\n  - id: a\n    when: ${'{ not: '.repeat(400)}x${' }'.repeat(400)}\n`
    expect(await problemsOf(deep)).toEqual(['1:1 : it is nested deeper than 80'])
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]', ...'bcdefghi'.split('').map((name, at) => `${name}: &${name} [${`*${'abcdefghi'[at]}, `.repeat(9)}]`)].join('\n')
    expect((await problemsOf(bomb))[0]).toContain('alias')
  })
  it('never throw', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ maxLength: 200 }),
          fc.json().map((json) => json),
          fc.constantFrom(GOOD, '', 'null', '- 1', '__proto__: {}', 'rules: {}', 'alerts: any\nrules: [null]'),
        ),
        fc.nat(300),
        async (text, cut) => {
          await parseRules(text, 'x.yaml')
          await parseRules(GOOD.slice(0, cut) + text, 'x.yaml')
        },
      ),
      { numRuns: 150 },
    )
  })
})

it('a problem is shown with its line and a caret, without control characters', async () => {
  const text = changed('fact: rollout, path', 'fact: rollout, \u001bpat')
  const { problems } = await parseRules(changed('value: 3600', 'value: 3600, extra: 1'), 'x.yaml')
  const [problem] = problems
  expect(problem && renderProblem(problem, changed('value: 3600', 'value: 3600, extra: 1'))).toBe(
    [
      'x.yaml:7:81: error: there is no key extra here',
      '    7 |         - { fact: rollout, path: $.ageSeconds, operator: lessThan, value: 3600, extra: 1 }',
      `      | ${' '.repeat(80)}^`,
    ].join('\n'),
  )
  expect(problem && renderProblem(problem, text)).not.toContain('\u001b')
})
