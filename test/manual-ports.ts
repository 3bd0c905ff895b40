// Time, chance and the network for tests: nothing passes until `advance` says so, and chance is a seed.
import type { Http, Ports, Random } from '../src/domain/ports.ts'
import { realPorts } from '../src/ports.ts'

export interface ManualPorts extends Ports {
  /** Lets that much time pass: due timers run in order of their time, and what they started is drained before the next one runs. */
  advance(milliseconds: number): Promise<void>
  /** Drains what is already under way without letting time pass. */
  settle(): Promise<void>
  /** Advances in steps until the condition holds; throws when it does not within the limit. */
  until(condition: () => boolean | Promise<boolean>, limitMs?: number, stepMs?: number): Promise<void>
  /** Moves the wall clock only, as NTP or an operator would. */
  jump(milliseconds: number): void
  /** How many timers wait. */
  readonly waiting: number
}

export interface ManualOptions {
  readonly start?: number
  readonly seed?: number
  readonly http?: Http
}

/** 2026-01-15T12:00:00Z, a Thursday. */
export const START = 1_768_478_400_000

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** mulberry32: small, and the same everywhere. */
function seeded(seed: number): Random {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let t = Math.imul(state ^ (state >>> 15), state | 1)
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
      return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
    },
  }
}

const noNetwork: Http = ({ url }) => Promise.reject(new Error(`this test has no network, and something asked for ${url}`))

export function manualPorts({ start = START, seed = 1, http = noNetwork }: ManualOptions = {}): ManualPorts {
  const timers = new Set<Timer>()
  let elapsed = 0
  let wall = start
  let order = 0
  let soon = 0

  const turn = () => new Promise<void>((resolve) => realPorts.timers.soon(resolve))
  // In-process servers read bodies over a few turns of the event loop, so one quiet turn is no proof.
  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet = soon === 0 ? quiet + 1 : 0) await turn()
  }
  const next = (until: number): Timer | undefined =>
    [...timers].filter((timer) => timer.at <= until).reduce<Timer | undefined>((a, b) => (!a || b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a), undefined)
  const pass = (to: number): void => {
    wall += to - elapsed
    elapsed = to
  }
  async function advance(milliseconds: number): Promise<void> {
    const until = elapsed + milliseconds
    await settle()
    for (let timer = next(until); timer; timer = next(until)) {
      timers.delete(timer)
      pass(Math.max(elapsed, timer.at))
      timer.run()
      await settle()
    }
    pass(until)
  }

  return {
    // Whole milliseconds, as Date.now gives them.
    clock: { now: () => Math.floor(wall), elapsed: () => elapsed },
    timers: {
      after(milliseconds, run) {
        const timer = { at: elapsed + Math.max(0, milliseconds), order: ++order, run }
        timers.add(timer)
        return () => timers.delete(timer)
      },
      soon(run) {
        soon++
        realPorts.timers.soon(() => {
          soon--
          run()
        })
      },
    },
    random: seeded(seed),
    http: () => http,
    advance,
    settle,
    async until(condition, limitMs = 60_000, stepMs = 50) {
      const limit = elapsed + limitMs
      await settle()
      while (!(await condition())) {
        if (elapsed >= limit) throw new Error(`not so within ${limitMs} ms: ${condition}`)
        await advance(stepMs)
      }
    },
    jump(milliseconds) {
      wall += milliseconds
    },
    get waiting() {
      return timers.size
    },
  }
}
