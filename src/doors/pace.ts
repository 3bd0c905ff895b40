// Counting by address, in bounded memory: failed logins within a window, and a token bucket for those who are let in.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../domain/ports.ts'

/** An attacker with more addresses than this pushes out the oldest counts, never the memory limit. */
const ADDRESSES = 10_000

export interface Failures {
  /** Milliseconds until this address may try again; 0 when it may. */
  blockedFor(key: string): number
  /** Counts one; true when this one begins the block. */
  failed(key: string): boolean
}

export interface FailureLimit {
  readonly limit: number
  readonly windowMs: number
}

export function countFailures({ limit, windowMs }: FailureLimit, clock: Clock): Failures {
  const seen = new LRUCache<string, { readonly since: number; count: number }>({ max: ADDRESSES })
  const counted = (key: string) => {
    const found = seen.get(key)
    return found && clock.elapsed() - found.since < windowMs ? found : undefined
  }
  return {
    blockedFor(key) {
      const found = counted(key)
      return found && found.count >= limit ? windowMs - (clock.elapsed() - found.since) : 0
    },
    failed(key) {
      const found = counted(key) ?? { since: clock.elapsed(), count: 0 }
      found.count += 1
      seen.set(key, found)
      return found.count === limit
    },
  }
}

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Takes one token; otherwise the milliseconds until there is one. */
export function tokenBuckets({ perSecond, burst }: Rate, clock: Clock): (key: string) => number {
  const buckets = new LRUCache<string, { tokens: number; at: number }>({ max: ADDRESSES })
  return (key) => {
    const now = clock.elapsed()
    const bucket = buckets.get(key) ?? { tokens: burst, at: now }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond)
    bucket.at = now
    buckets.set(key, bucket)
    if (bucket.tokens < 1) return ((1 - bucket.tokens) / perSecond) * 1_000
    bucket.tokens -= 1
    return 0
  }
}
