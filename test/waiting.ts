// Waiting for something that other processes do: looked at again until it is there, or the test fails with what was there instead.
import { pause } from '../src/domain/ports.ts'
import { realPorts } from '../src/ports.ts'

export interface Waiting {
  readonly withinMs?: number
  readonly everyMs?: number
  /** What to show when it does not come. */
  readonly explain?: () => string
}

/** The first answer that is neither undefined nor false. */
export async function until<T>(what: string, look: () => T | Promise<T>, { withinMs = 30_000, everyMs = 20, explain }: Waiting = {}): Promise<Exclude<T, undefined | false>> {
  const end = realPorts.clock.elapsed() + withinMs
  for (;;) {
    const found = await look()
    if (isThere(found)) return found
    if (realPorts.clock.elapsed() > end) throw new Error(`not within ${withinMs} ms: ${what}${explain ? `\n${explain()}` : ''}`)
    await pause(realPorts.timers, everyMs)
  }
}
const isThere = <T>(found: T): found is Exclude<T, undefined | false> => found !== undefined && found !== false
