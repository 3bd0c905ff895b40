// Client-side rate limit: a token bucket, first come first served, so that one sidecar never floods the API server.
import { type Clock, pause, type Timers } from '../domain/ports.ts'

export interface RateLimit {
  /** Resolves when a request may be sent; rejects with the signal's reason, giving its turn back. */
  take(signal?: AbortSignal): Promise<void>
}

export function makeRateLimit(options: { readonly requestsPerSecond: number; readonly burst: number; readonly clock: Clock; readonly timers: Timers }): RateLimit {
  const { requestsPerSecond, burst, clock, timers } = options
  let tokens = burst
  let refilledAt = clock.elapsed()
  const refill = (): void => {
    const now = clock.elapsed()
    tokens = Math.min(burst, tokens + ((now - refilledAt) / 1_000) * requestsPerSecond)
    refilledAt = now
  }
  return {
    async take(signal) {
      refill()
      // Below zero is the queue: each waiter has reserved the token that falls due at its own time.
      tokens -= 1
      if (tokens >= 0) return
      try {
        await pause(timers, (-tokens / requestsPerSecond) * 1_000, signal)
      } catch (reason) {
        tokens += 1
        throw reason
      }
    },
  }
}
