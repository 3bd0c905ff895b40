import { describe, expect, it } from 'vitest'
import { plannedCase } from '../../../test/gate-case.ts'
import { manualPorts } from '../../../test/manual-ports.ts'
import { close } from '../../domain/case-file.ts'
import { Fault } from '../../domain/fault.ts'
import { logChannel } from './log.ts'
import { noticeOf } from './notice.ts'
import { type Channel, type TellDeps, tell } from './tell.ts'

const NOTICE = noticeOf(close(plannedCase(), 'told', 'NO_RULE', 'b'))
const away = () => new Fault('CHAT_UNREACHABLE', 'away')

/** Fails so often, then takes it. */
function channel(name: string, failures: readonly unknown[] = [], carries = true) {
  const at: number[] = []
  const ports = manualPorts()
  const made: Channel = {
    name,
    carries: () => carries,
    async send() {
      at.push(ports.clock.elapsed())
      const failure = failures[at.length - 1]
      if (failure !== undefined) throw failure
    },
  }
  return { made, at, ports }
}
function room(one: ReturnType<typeof channel>, others: readonly Channel[] = [], over: Partial<TellDeps> = {}) {
  const failed: string[] = []
  const deps: TellDeps = {
    channels: [one.made, ...others],
    timers: one.ports.timers,
    random: one.ports.random,
    retries: 3,
    onFailed: (name, _, error) => failed.push(`${name} ${String(error)}`),
    ...over,
  }
  return { told: tell(deps)(NOTICE), failed }
}

describe('telling', () => {
  it('tries each channel for itself: one that fails silences no other', async () => {
    const broken = channel('chat', Array(9).fill(away()))
    const good = channel('event')
    const { told, failed } = room(broken, [good.made])
    await broken.ports.advance(600_000)
    expect(await told).toEqual({ sent: ['event'], failed: ['chat'] })
    expect(failed).toEqual(['chat Fault: away'])
  })

  it('tries again a bounded number of times, later each time', async () => {
    const broken = channel('chat', Array(9).fill(away()))
    const { told } = room(broken)
    await broken.ports.advance(600_000)
    await told
    expect(broken.at).toHaveLength(4)
    const [a = 0, b = 0, c = 0, d = 0] = broken.at
    expect(b - a).toBeGreaterThanOrEqual(500)
    expect(c - b).toBeGreaterThanOrEqual(1_000)
    expect(d - c).toBeLessThanOrEqual(4_000)
  })

  it('gets through when a channel comes back', async () => {
    const shaky = channel('chat', [away(), away()])
    const { told, failed } = room(shaky)
    await shaky.ports.advance(60_000)
    expect(await told).toEqual({ sent: ['chat'], failed: [] })
    expect(failed).toEqual([])
  })

  it('waits as long as the other side asked', async () => {
    const busy = channel('chat', [new Fault('CHAT_UNREACHABLE', 'slow down', { retryAfterMs: 30_000 })])
    const { told } = room(busy)
    await busy.ports.advance(60_000)
    await told
    expect(busy.at).toEqual([0, 30_000])
  })

  it('does not repeat what was refused, nor a defect, and counts both', async () => {
    for (const failure of [new Fault('CHAT_REFUSED', 'gone'), new TypeError('a defect')]) {
      const broken = channel('chat', [failure])
      const { told, failed } = room(broken)
      expect(await told).toEqual({ sent: [], failed: ['chat'] })
      expect(broken.at).toHaveLength(1)
      expect(failed).toHaveLength(1)
    }
  })

  it('ends its waiting when it is called off', async () => {
    const broken = channel('chat', Array(9).fill(away()))
    const stop = new AbortController()
    const { told } = room(broken, [], { signal: stop.signal })
    await broken.ports.settle()
    stop.abort(new Error('stopping'))
    expect(await told).toEqual({ sent: [], failed: ['chat'] })
    expect(broken.at).toHaveLength(1)
  })

  it('leaves out channels that do not carry such a notice', async () => {
    const { told } = room(channel('event', [], false))
    expect(await told).toEqual({ sent: [], failed: [] })
  })
})

describe('the log', () => {
  it('warns of what people must know, and only of that', async () => {
    const lines: unknown[] = []
    const log = logChannel({ warn: (fields, message) => lines.push([message, fields]) })
    expect(log.carries(NOTICE)).toBe(true)
    expect(log.carries(noticeOf(close(plannedCase(), 'fixed', 'VERIFIED', 'b')))).toBe(false)
    await log.send(NOTICE)
    expect(lines).toEqual([[NOTICE.title, expect.objectContaining({ case: 'case-now', kind: 'told', reason: 'NO_RULE' })]])
  })
})
