// Time, chance and the network as arguments. `app.ts` wires the real ones; tests wire a seeded world. Nothing else reaches them.

/** Milliseconds. `now` is wall time since the Unix epoch; `elapsed` never goes back and has no meaning of its own. */
export interface Clock {
  now(): number
  elapsed(): number
}

export type Cancel = () => void

/** One-shot timers. A pending timer never keeps the process alive by itself. */
export interface Timers {
  after(milliseconds: number, run: () => void): Cancel
  /** Once what is already waiting to be read has been read: the turn that a group commit collects. */
  soon(run: () => void): void
}

/** Uniform in [0, 1). */
export interface Random {
  next(): number
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}
export interface HttpResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  text(): Promise<string>
  /** The body as it arrives; text() or chunks, not both. */
  chunks(): AsyncIterable<string>
}
/** One HTTP exchange. Rejects when no answer came; any status is an answer. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>

export interface Tls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
  readonly skipVerify?: boolean
}

/** What every edge gets and nothing else may reach for. */
export interface Ports {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** A pooled client for one peer. */
  readonly http: (tls?: Tls) => Http
}

/** Resolves after the time, or rejects with the signal's reason. */
export function pause(timers: Timers, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = timers.after(milliseconds, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** A signal that aborts after the time, and a way to call it off. */
export function deadline(timers: Timers, milliseconds: number, what: string): { readonly signal: AbortSignal; readonly cancel: Cancel } {
  const controller = new AbortController()
  const cancel = timers.after(milliseconds, () => controller.abort(new Error(`${what} took longer than ${milliseconds} ms`)))
  return { signal: controller.signal, cancel }
}
