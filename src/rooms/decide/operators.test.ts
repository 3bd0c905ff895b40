import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../../domain/json.ts'
import { unknown } from '../../domain/unknown.ts'
import { realPorts } from '../../ports.ts'
import { findOperator } from './operators.ts'
import { glob, loadPatterns, matches } from './patterns.ts'

beforeAll(loadPatterns)
const says = (fact: Json, operator: string, value: Json = null) => findOperator(operator)?.judge(fact, value)

describe('comparisons', () => {
  it.each<[Json, string, Json, boolean | undefined]>([
    [5, 'greaterThan', 3, true],
    ['5', 'greaterThan', 3, true],
    ['10Gi', 'lessThan', 3, undefined],
    [null, 'lessThan', 3, false],
    ['512Mi', 'lessThanQuantity', '1Gi', true],
    [536_870_912, 'greaterThanInclusiveQuantity', '512Mi', true],
    ['250m', 'equalQuantity', 0.25, true],
    ['lots', 'lessThanQuantity', '1Gi', undefined],
    [299, 'lessThanDuration', '5m', true],
    ['1h30m', 'equalDuration', 5_400, true],
    ['soon', 'lessThanDuration', '5m', undefined],
    [['a', 'b'], 'greaterThanInclusiveCount', 2, true],
    [{}, 'equalCount', 0, true],
    ['OOMKilled', 'in', ['Error', 'OOMKilled'], true],
    [null, 'notIn', ['Error'], true],
    [['a'], 'contains', 'a', true],
    [null, 'contains', 'a', false],
    [null, 'doesNotContain', 'a', true],
    [{ 'app.kubernetes.io/name': 'x' }, 'hasLabel', 'app.kubernetes.io/name', true],
    [{}, 'hasLabel', 'constructor', false],
    [null, 'absent', null, true],
    [0, 'present', null, true],
    ['panic: out of range', 'matches', '^panic:', true],
    [null, 'matches', '.', false],
    [['a', 'bc'], 'someFact:matches', '^b', true],
    [['a', 'bc'], 'everyFact:not:matches', '^b', false],
    [[], 'everyFact:equal', 1, true],
    ['b', 'someValue:equal', ['a', 'b'], true],
    [3, 'swap:greaterThan', 5, true],
    [3, 'not:greaterThan', 5, true],
  ])('%j %s %j is %j', (fact, operator, value, expected) => {
    expect(says(fact, operator, value)).toBe(expected)
  })
  it('cannot tell what an unknown is, or whether an unread member is the one, but a member that is seen is there', () => {
    expect(findOperator('notEqual')?.judge(unknown('no right'), 'a')).toBeUndefined()
    expect(findOperator('present')?.judge(unknown('no right'), null)).toBeUndefined()
    const list = [unknown('cut off'), 'a']
    expect(
      says(
        list.map((member) => (typeof member === 'string' ? member : { unknown: member.unknown })),
        'contains',
        'a',
      ),
    ).toBe(true)
    expect(
      says(
        list.map((member) => (typeof member === 'string' ? member : { unknown: member.unknown })),
        'doesNotContain',
        'b',
      ),
    ).toBeUndefined()
  })
  it('has no operator of a prototype name', () => {
    expect(findOperator('constructor')).toBeUndefined()
    expect(findOperator('toString:equal')).toBeUndefined()
  })
})

describe('globs', () => {
  it.each([
    ['web-7f9c', 'web-*', true],
    ['registry.example/team/web:1', '*/team/*', true],
    ['web', 'we?', true],
    ['web', 'w[a-f]b', true],
    ['wub', 'w[!a-f]b', true],
    ['api-1', '{web,api}-[0-9]', true],
    ['api-x', '{web,api}-[0-9]', false],
    ['a*b', 'a\\*b', true],
    ['axb', 'a\\*b', false],
    ['', '*', true],
    ['a{b', 'a\\{b', true],
  ])('%s fits %s: %s', (text, pattern, expected) => {
    expect(glob(text, pattern)).toBe(expected)
  })
  it('agrees with a regular expression for stars and question marks', () => {
    const small = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 8 })
    return fc.assert(
      fc.property(small, pattern, (text, written) => {
        const expression = new RegExp(`^${written.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`)
        expect(glob(text, written)).toBe(expression.test(text))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('hostile patterns and texts', () => {
  const took = (run: () => void): number => {
    const began = realPorts.clock.elapsed()
    run()
    return realPorts.clock.elapsed() - began
  }
  it('cost time linear in the text', () => {
    const text = 'a'.repeat(64 * 1_024)
    expect(took(() => glob(text, '*a*a*a*a*a*b'))).toBeLessThan(2_000)
    expect(took(() => matches(text, '(a+)+b'))).toBeLessThan(2_000)
  })
  it('are refused when RE2 does not take them', () => {
    expect(findOperator('matches')?.operator.problem('(?=x)')).toContain('not a regular expression that RE2 takes')
    expect(findOperator('matches')?.operator.problem('^panic')).toBeUndefined()
  })
})
