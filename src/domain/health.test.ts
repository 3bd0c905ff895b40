import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareHealth } from './health.ts'
import type { Health } from './plan.ts'

const health = (over: Partial<Health> = {}): Health => ({
  exists: true,
  desired: 3,
  ready: 3,
  available: 3,
  updated: 3,
  failing: 0,
  restarts: 0,
  rolledOut: true,
  good: false,
  why: '',
  ...over,
})
const count = fc.nat({ max: 6 })
const anyHealth: fc.Arbitrary<Health> = fc.record({
  exists: fc.boolean(),
  desired: count,
  ready: count,
  available: count,
  updated: count,
  failing: count,
  restarts: count,
  rolledOut: fc.boolean(),
  good: fc.boolean(),
  why: fc.constant(''),
})
const OPPOSITE = { better: 'worse', same: 'same', worse: 'better' } as const

describe('compareHealth', () => {
  it.each([
    ['fewer pods serve', health({ available: 3 }), health({ available: 2 })],
    ['fewer serve although fewer fail', health({ available: 3, failing: 1 }), health({ available: 2, failing: 0 })],
    ['as many serve and more fail', health({ failing: 1 }), health({ failing: 2 })],
    ['it was good and is not', health({ good: true }), health({ good: false })],
    ['it vanished', health({ available: 0, failing: 3 }), health({ exists: false, available: 0 })],
  ])('is worse when %s', (_, before, now) => {
    expect(compareHealth(before, now)).toBe('worse')
  })

  it('takes a wanted scale-down of a good workload for no loss', () => {
    expect(compareHealth(health({ good: true, desired: 5, available: 5 }), health({ good: true, desired: 2, available: 2 }))).toBe('same')
  })

  it('does not hold the surge of a rollout against it when all pods failed before and all fail now', () => {
    expect(compareHealth(health({ desired: 3, available: 0, failing: 3 }), health({ desired: 3, available: 0, failing: 4 }))).toBe('same')
  })

  it('does not count restarts', () => {
    expect(compareHealth(health({ restarts: 1 }), health({ restarts: 40 }))).toBe('same')
  })

  it('is antisymmetric', () => {
    fc.assert(fc.property(anyHealth, anyHealth, (a, b) => compareHealth(b, a) === OPPOSITE[compareHealth(a, b)]))
  })

  it('is transitive: never better by way of a third reading and not at once', () => {
    const notWorse = (a: Health, b: Health) => compareHealth(a, b) !== 'worse'
    fc.assert(fc.property(anyHealth, anyHealth, anyHealth, (a, b, c) => !(notWorse(a, b) && notWorse(b, c)) || notWorse(a, c)))
  })

  it('says same of a reading and itself, and is never worse when only more pods serve', () => {
    fc.assert(fc.property(anyHealth, count, (a, more) => compareHealth(a, a) === 'same' && compareHealth(a, { ...a, available: a.available + more }) !== 'worse'))
  })

  it('never calls losing goodness, or failing more with no more available, anything but worse', () => {
    fc.assert(
      fc.property(anyHealth, anyHealth, (a, b) => {
        if (a.exists && b.exists && a.good && !b.good) return compareHealth(a, b) === 'worse'
        const within = a.failing < b.failing && b.failing <= Math.min(a.desired, b.desired)
        if (a.exists && b.exists && !a.good && !b.good && b.available <= a.available && within) return compareHealth(a, b) === 'worse'
        return true
      }),
    )
  })
})
