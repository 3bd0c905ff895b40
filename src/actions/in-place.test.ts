import { describe, expect, it } from 'vitest'
import { NO_BLAST, type Plan } from '../domain/plan.ts'
import { changedSince, pointerKey, sameValue, valueAt } from './in-place.ts'

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team-a', name: 'web', uid: 'u1' }
const planned = (path: string, value: string | number): Plan => ({
  action: 'x',
  parameters: {},
  summary: '',
  safety: 'reversible',
  object: ref,
  steps: [
    {
      kind: 'patch',
      object: ref,
      ops: [
        { op: 'test', path, value: 'old' },
        { op: 'replace', path, value },
      ],
      why: '',
    },
  ],
  undo: [],
  undoWhen: 'worse',
  artefacts: [],
  blast: NO_BLAST,
  before: { exists: true, desired: 1, ready: 1, available: 1, updated: 1, failing: 0, restarts: 0, rolledOut: true, good: true, why: '' },
  removes: [],
})
const limits = '/spec/containers/0/resources/limits/memory'
const sized = (memory: string) => ({ spec: { containers: [{ resources: { limits: { memory } } }] } })

describe('changedSince', () => {
  it('finds a value that is no longer the one that was written', () => {
    expect(changedSince(planned('/spec/replicas', 3), { spec: { replicas: 3 } })).toBeUndefined()
    expect(changedSince(planned('/spec/replicas', 3), { spec: { replicas: 2 } })).toContain('/spec/replicas')
    expect(changedSince(planned('/spec/replicas', 3), {})).toContain('/spec/replicas')
  })
  it('takes a quantity in another notation for the same, and only where quantities stand', () => {
    expect(changedSince(planned(limits, '1024Mi'), sized('1Gi'))).toBeUndefined()
    expect(changedSince(planned(limits, '1024Mi'), sized('2Gi'))).toBeDefined()
    expect(changedSince(planned('/metadata/labels/version', '1.0'), { metadata: { labels: { version: '1' } } })).toBeDefined()
  })
})

it('reads JSON pointers with escaped keys, and nothing from a prototype', () => {
  expect(valueAt({ a: { 'b/c~d': [1, 2] } }, `/a/${pointerKey('b/c~d')}/1`)).toBe(2)
  expect(valueAt({}, '/constructor')).toBeUndefined()
})

it('compares as JSON: order is nothing, null is absent', () => {
  expect(sameValue({ a: 1, b: [{ c: null }] }, { b: [{}], a: 1 })).toBe(true)
  expect(sameValue({ a: [1, 2] }, { a: [2, 1] })).toBe(false)
  expect(sameValue({ a: '1' }, { a: 1 })).toBe(false)
  expect(sameValue([], {})).toBe(false)
})
