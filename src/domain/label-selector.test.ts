import { expect, it } from 'vitest'
import { formatSelector, matchesSelector } from './label-selector.ts'

const labels = { app: 'web', tier: 'front' }

it('matches nothing without a selector and everything with an empty one', () => {
  expect(matchesSelector(undefined, labels)).toBe(false)
  expect(matchesSelector({}, labels)).toBe(true)
})

it('wants every label and every expression', () => {
  const selects = (key: string, operator: string, values?: string[]) =>
    matchesSelector({ matchLabels: { app: 'web' }, matchExpressions: [{ key, operator, ...(values && { values }) }] }, labels)
  expect(selects('tier', 'In', ['front'])).toBe(true)
  expect(selects('tier', 'In', ['back'])).toBe(false)
  expect(selects('tier', 'NotIn', ['front'])).toBe(false)
  expect(selects('zone', 'NotIn', ['a'])).toBe(true)
  expect(selects('tier', 'Exists')).toBe(true)
  expect(selects('tier', 'DoesNotExist')).toBe(false)
  expect(selects('tier', 'Near')).toBe(false)
  expect(matchesSelector({ matchLabels: { app: 'api' } }, labels)).toBe(false)
})

it('writes itself as the API takes it', () => {
  const expressions = [
    { key: 'tier', operator: 'In', values: ['a', 'b'] },
    { key: 'old', operator: 'DoesNotExist' },
    { key: 'x', operator: 'Exists' },
    { key: 'y', operator: 'NotIn', values: ['z'] },
  ]
  expect(formatSelector({ matchLabels: { app: 'web' }, matchExpressions: expressions })).toBe('app=web,tier in (a,b),!old,x,y notin (z)')
})
