import { describe, expect, it } from 'vitest'
import { countFailures, tokenBuckets } from './pace.ts'

const world = () => {
  const time = { ms: 0 }
  return { time, clock: { now: () => time.ms, elapsed: () => time.ms } }
}

describe('failures', () => {
  it('block when they reach the limit within the window, until it ends', () => {
    const { time, clock } = world()
    const failures = countFailures({ limit: 2, windowMs: 1_000 }, clock)
    expect([failures.failed('a'), failures.blockedFor('a')]).toEqual([false, 0])
    time.ms = 400
    expect([failures.failed('a'), failures.blockedFor('a'), failures.failed('a')]).toEqual([true, 600, false])
    time.ms = 1_000
    expect([failures.blockedFor('a'), failures.failed('a')]).toEqual([0, false])
  })
  it('are counted for a bounded number of addresses', () => {
    const failures = countFailures({ limit: 1, windowMs: 1_000 }, world().clock)
    failures.failed('first')
    for (let n = 0; n < 10_000; n++) failures.failed(`a${n}`)
    expect(failures.blockedFor('first')).toBe(0)
    expect(failures.blockedFor('a9999')).toBeGreaterThan(0)
  })
})

describe('a token bucket', () => {
  it('lets a burst through, then the rate, and never saves more than the burst', () => {
    const { time, clock } = world()
    const wait = tokenBuckets({ perSecond: 10, burst: 3 }, clock)
    expect([wait('a'), wait('a'), wait('a'), wait('a')]).toEqual([0, 0, 0, 100])
    time.ms = 50
    expect(wait('a')).toBe(50)
    time.ms = 100
    expect([wait('a'), wait('a')]).toEqual([0, 100])
    time.ms = 100_000
    expect([wait('a'), wait('a'), wait('a'), wait('a')]).toEqual([0, 0, 0, 100])
  })
})
