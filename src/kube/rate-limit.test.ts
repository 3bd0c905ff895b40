import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { makeRateLimit } from './rate-limit.ts'

const limited = () => {
  const ports = manualPorts()
  const passed: number[] = []
  const limit = makeRateLimit({ requestsPerSecond: 10, burst: 3, clock: ports.clock, timers: ports.timers })
  const take = async (id: number, signal?: AbortSignal) => {
    await limit.take(signal)
    passed.push(id)
  }
  return { ports, passed, take }
}

describe('the client-side rate limit', () => {
  it('lets a burst through at once and the rest at the rate, in order', async () => {
    const { ports, passed, take } = limited()
    const all = Promise.all([0, 1, 2, 3, 4].map((id) => take(id)))
    await ports.settle()
    expect(passed).toEqual([0, 1, 2])
    await ports.advance(100)
    expect(passed).toEqual([0, 1, 2, 3])
    await ports.advance(100)
    expect(passed).toEqual([0, 1, 2, 3, 4])
    await all
  })

  it('fills up again while nobody asks, but never above the burst', async () => {
    const { ports, passed, take } = limited()
    await Promise.all([0, 1, 2].map((id) => take(id)))
    await ports.advance(60_000)
    void [3, 4, 5, 6].map((id) => take(id))
    await ports.settle()
    expect(passed).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('gives the turn of a waiter that gave up to those behind it', async () => {
    const { ports, passed, take } = limited()
    const gaveUp = new AbortController()
    await Promise.all([0, 1, 2].map((id) => take(id)))
    const waiting = take(3, gaveUp.signal)
    gaveUp.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    void take(4)
    await ports.advance(100)
    expect(passed).toEqual([0, 1, 2, 4])
  })
})
