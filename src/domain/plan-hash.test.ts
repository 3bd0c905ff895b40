import { describe, expect, it } from 'vitest'
import type { Step } from './plan.ts'
import { fnv1a64, planHash } from './plan-hash.ts'

const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team-a', name: 'web', uid: 'u1' }
const patch = (value: string, why = 'w', path = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt'): Step => ({
  kind: 'patch',
  object,
  ops: [{ op: 'add', path, value }],
  why,
})
const plan = (steps: readonly Step[], parameters = {}) => ({ action: 'rollout_restart', parameters, object, steps })

describe('the hash of a plan', () => {
  it('is FNV-1a with its published vectors', () => {
    expect(fnv1a64('')).toBe('cbf29ce484222325')
    expect(fnv1a64('a')).toBe('af63dc4c8601ec8c')
    expect(fnv1a64('foobar')).toBe('85944171f73967e8')
  })

  it('stays the same when the same plan is made at another moment or told in other words', () => {
    expect(planHash(plan([patch('2026-01-01T00:00:00Z', 'one')]))).toBe(planHash(plan([patch('2026-01-02T00:00:00Z', 'two')])))
    const map = (at: string): Step => ({
      kind: 'patch',
      object,
      ops: [{ op: 'add', path: '/spec/template/metadata/annotations', value: { 'kubectl.kubernetes.io/restartedAt': at } }],
      why: '',
    })
    expect(planHash(plan([map('a')]))).toBe(planHash(plan([map('b')])))
  })

  it('does not depend on the order of keys', () => {
    expect(planHash(plan([], { a: 1, b: { c: 2, d: 3 } }))).toBe(planHash(plan([], { b: { d: 3, c: 2 }, a: 1 })))
  })

  it('changes with the value that is written, the value that was judged, the object and the parameters', () => {
    const base = planHash(plan([patch('3', 'w', '/spec/replicas')]))
    expect(planHash(plan([patch('4', 'w', '/spec/replicas')]))).not.toBe(base)
    expect(planHash(plan([{ kind: 'patch', object, ops: [{ op: 'test', path: '/spec/replicas', value: '3' }], why: 'w' }]))).not.toBe(base)
    expect(planHash({ ...plan([patch('3', 'w', '/spec/replicas')]), object: { ...object, uid: 'u2' } })).not.toBe(base)
    expect(planHash(plan([patch('3', 'w', '/spec/replicas')], { replicas: 3 }))).not.toBe(base)
  })
})
