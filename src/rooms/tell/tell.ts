// Room 9 of 10, a pipeline stage: tells people. Every channel is tried for itself, a few times; what fails is counted and never thrown.
import { isFault } from '../../domain/fault.ts'
import { pause, type Random, type Timers } from '../../domain/ports.ts'
import type { Notice } from './notice.ts'

export interface Channel {
  readonly name: string
  /** Whether this channel carries such a notice at all. */
  readonly carries: (notice: Notice) => boolean
  /** Throws a Fault when it could not be sent. */
  readonly send: (notice: Notice) => Promise<void>
}

export interface TellDeps {
  readonly channels: readonly Channel[]
  readonly timers: Timers
  readonly random: Random
  /** After the first try. */
  readonly retries: number
  /** Given up: for metric and log. */
  readonly onFailed: (channel: string, notice: Notice, error: unknown) => void
  /** Ends the waiting between tries, at shutdown. */
  readonly signal?: AbortSignal
}

export interface Told {
  readonly sent: readonly string[]
  readonly failed: readonly string[]
}

const FIRST_MS = 1_000
const LONGEST_MS = 60_000

export const tell =
  (deps: TellDeps) =>
  async (notice: Notice): Promise<Told> => {
    const carrying = deps.channels.filter((channel) => channel.carries(notice))
    const results = await Promise.all(carrying.map(async (channel) => ({ name: channel.name, sent: await tried(channel, notice, deps) })))
    return { sent: results.filter(({ sent }) => sent).map(({ name }) => name), failed: results.filter(({ sent }) => !sent).map(({ name }) => name) }
  }

async function tried(channel: Channel, notice: Notice, deps: TellDeps): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      await channel.send(notice)
      return true
    } catch (error) {
      // One channel's defect must not silence the others, so whatever it is counts as failed.
      const again = isFault(error) && error.retryable && attempt < deps.retries && (await waited(attempt, error.retryAfterMs, deps))
      if (again) continue
      deps.onFailed(channel.name, notice, error)
      return false
    }
  }
}

/** False when it is called off. Full jitter: sidecars that lost the same receiver do not come back all at once. */
async function waited(attempt: number, asked: number | undefined, { timers, random, signal }: TellDeps): Promise<boolean> {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt)
  const milliseconds = Math.min(LONGEST_MS, Math.max(asked ?? 0, Math.ceil(longest * (0.5 + random.next() / 2))))
  try {
    await pause(timers, milliseconds, signal)
    return true
  } catch {
    return false
  }
}
