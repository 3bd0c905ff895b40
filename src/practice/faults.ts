// Failures on purpose: a status instead of an answer, a delay, silence, or a connection that breaks before or after the write.
import { pause, type Timers } from '../domain/ports.ts'
import { Cut } from './listen.ts'
import { Refusal } from './status.ts'

interface FaultMatch {
  readonly method?: string
  /** A text is a prefix of the path. */
  readonly path?: RegExp | string
  readonly user?: string
}
export type FaultKind =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number; readonly reason?: string; readonly message?: string }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'cut-before' }
  | { readonly kind: 'cut-after' }

export interface FaultRule {
  readonly match: FaultMatch
  /** How often it strikes; for ever when left out. */
  readonly times?: number
  readonly then: FaultKind
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly user: string
}
interface Live extends FaultRule {
  left: number
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function matches({ match }: FaultRule, asked: Asked): boolean {
  const { path } = match
  const onPath = path === undefined || (typeof path === 'string' ? asked.path.startsWith(path) : path.test(asked.path))
  return onPath && (match.method ?? asked.method) === asked.method && (match.user ?? asked.user) === asked.user
}

export class Faults {
  readonly #rules: Live[] = []
  readonly #timers: Timers
  readonly #dropWatches: () => void
  constructor(timers: Timers, dropWatches: () => void) {
    this.#timers = timers
    this.#dropWatches = dropWatches
  }
  /** Gives a function that takes the fault back. */
  add(rule: FaultRule): () => void {
    const live = { ...rule, left: rule.times ?? Number.POSITIVE_INFINITY }
    this.#rules.push(live)
    return () => {
      live.left = 0
    }
  }
  clear(): void {
    this.#rules.length = 0
  }
  /** Closes every open watch, as a restarting API server does. */
  dropWatches(): void {
    this.#dropWatches()
  }

  /** Every fault that strikes this request, in the order in which they were added; a delay lets the next one follow. */
  strike(asked: Asked): readonly FaultKind[] {
    const struck: FaultKind[] = []
    for (const rule of this.#rules) {
      if (rule.left <= 0 || !matches(rule, asked)) continue
      rule.left -= 1
      struck.push(rule.then)
      if (rule.then.kind !== 'delay') break
    }
    return struck
  }

  async suffer(fault: FaultKind, signal: AbortSignal): Promise<void> {
    if (fault.kind === 'delay') return pause(this.#timers, fault.ms, signal)
    if (fault.kind === 'hang') return silence(signal)
    if (fault.kind === 'cut-before') throw new Cut()
    if (fault.kind === 'status') throw refusalOf(fault)
  }
}

/** Never answers; ends only when the client goes away. */
const silence = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
const refusalOf = ({ status, reason, message, retryAfter }: FaultKind & { readonly kind: 'status' }): Refusal =>
  new Refusal(status, reason ?? REASONS[status] ?? 'Unknown', message ?? `injected ${status}`, retryAfter === undefined ? {} : { details: {}, retryAfterSeconds: retryAfter })
