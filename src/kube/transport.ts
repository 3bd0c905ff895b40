// Transport to the API server: one place for headers, rate limit, deadline, Retry-After and the translation into faults.
import { Fault, isFault } from '../domain/fault.ts'
import { type Clock, deadline, type Http, type HttpRequest, type HttpResponse, pause, type Random, type Timers } from '../domain/ports.ts'
import { type Asked, faultOfAnswer, faultOfSilence } from './errors.ts'
import { makeRateLimit } from './rate-limit.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface TransportRequest {
  readonly method: HttpRequest['method']
  readonly path: string
  readonly query?: Query
  /** Sent as JSON. */
  readonly body?: unknown
  readonly contentType?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface TransportAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Parsed when the API server says it is JSON, else the text. */
  readonly body: unknown
}

export interface StreamRequest {
  readonly path: string
  readonly query?: Query
  readonly signal?: AbortSignal
  /** The API server accepted the request; what follows comes as it happens. */
  readonly onOpen?: () => void
}

export interface Transport {
  /** Resolves with a success only. GETs wait for a short Retry-After and ask again; everything else is sent exactly once. */
  send(request: TransportRequest): Promise<TransportAnswer>
  /** One JSON value a line. */
  stream(request: StreamRequest): AsyncIterable<unknown>
  /** The API server's clock, carried on from its last Date header; undefined before the first answer. */
  serverTime(): number | undefined
  readonly ports: { readonly clock: Clock; readonly timers: Timers; readonly random: Random }
}

export const DEFAULT_RATE = { requestsPerSecond: 20, burst: 40 } as const
const RETRIES = 2
const LONGEST_WAIT_MS = 10_000

export interface TransportOptions {
  readonly http: Http
  readonly server: string
  readonly headers: () => Promise<Readonly<Record<string, string>>>
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly requestsPerSecond?: number
  readonly burst?: number
  readonly timeoutMs?: number
}

export function makeTransport(options: TransportOptions): Transport {
  const { http, headers, clock, timers, random, timeoutMs = 15_000 } = options
  const server = options.server.replace(/\/+$/, '')
  const limit = makeRateLimit({ clock, timers, requestsPerSecond: options.requestsPerSecond ?? DEFAULT_RATE.requestsPerSecond, burst: options.burst ?? DEFAULT_RATE.burst })
  let dated: { readonly server: number; readonly elapsed: number } | undefined

  const serverTime = (): number | undefined => dated && dated.server + Math.max(0, clock.elapsed() - dated.elapsed)

  /**
   * The header names whole seconds, written somewhere on the way between request and answer. What we carry on stays as long as it agrees
   * with that: taken anew from each header, the time would step back by up to a second, and a later entry of the ledger would seem older.
   */
  const noteDate = (answer: HttpResponse, sentAt: number): void => {
    const said = Date.parse(answer.headers['date'] ?? '')
    if (!Number.isFinite(said)) return
    const [carried, elapsed] = [serverTime(), clock.elapsed()]
    const agrees = carried !== undefined && carried >= said && carried < said + 1_000 + (elapsed - sentAt)
    if (!agrees) dated = { server: said, elapsed }
  }

  /** From the queue to the head of the answer. `sending` is called when the request leaves our hands. */
  async function open(request: TransportRequest, signal: AbortSignal, sending: () => void): Promise<HttpResponse> {
    await limit.take(signal)
    const known = await raced(credentials(headers), signal)
    sending()
    const sentAt = clock.elapsed()
    const answer = await raced(http(httpRequest(server, request, known, signal)), signal)
    noteDate(answer, sentAt)
    return answer
  }

  async function attempt(request: TransportRequest, signal: AbortSignal): Promise<TransportAnswer> {
    let sent = false
    try {
      const answer = await open(request, signal, () => {
        sent = true
      })
      const text = await raced(answer.text(), signal)
      return { status: answer.status, headers: answer.headers, body: parsed(request, answer, text) }
    } catch (error) {
      throw isFault(error) ? error : faultOfSilence(request, error, { sent, late: signal.aborted })
    }
  }

  return {
    ports: { clock, timers, random },
    serverTime,

    async send(request) {
      const time = deadline(timers, request.timeoutMs ?? timeoutMs, request.method === 'GET' ? 'the answer' : 'the answer to a write')
      const signal = request.signal ? AbortSignal.any([request.signal, time.signal]) : time.signal
      try {
        for (let retries = 0; ; retries++) {
          const answer = await attempt(request, signal)
          if (answer.status >= 200 && answer.status < 300) return answer
          const fault = faultOfAnswer(askedOf(request), answer)
          const wait = request.method === 'GET' && retries < RETRIES ? fault.retryAfterMs : undefined
          if (wait === undefined || wait > LONGEST_WAIT_MS) throw fault
          // Jitter, so that many clients told the same second do not come back together.
          await pause(timers, wait + random.next() * 250, signal).catch(() => Promise.reject(fault))
        }
      } finally {
        time.cancel()
      }
    },

    async *stream({ path, query, signal: outer, onOpen }) {
      const request: TransportRequest = { method: 'GET', path, ...(query && { query }) }
      const own = new AbortController()
      const signal = outer ? AbortSignal.any([outer, own.signal]) : own.signal
      const cancel = timers.after(timeoutMs, () => own.abort(new Error(`the stream did not open within ${timeoutMs} ms`)))
      try {
        const answer = await open(request, signal, () => {})
        if (answer.status !== 200) throw faultOfAnswer(request, { status: answer.status, headers: answer.headers, body: json(await raced(answer.text(), signal)) })
        cancel()
        onOpen?.()
        yield* jsonLines(answer.chunks(), signal, request)
      } catch (error) {
        throw isFault(error) ? error : faultOfSilence(request, error, { sent: true, late: signal.aborted })
      } finally {
        cancel()
        // Leaving the loop must close the connection: an abandoned watch would otherwise hold its socket.
        own.abort(new Error('the stream was left'))
      }
    },
  }
}

/** The work's result, or the signal's reason as soon as it aborts: a peer that ignores the signal cannot hold us. */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    if (signal.aborted) stop()
  })
}

async function credentials(headers: TransportOptions['headers']): Promise<Readonly<Record<string, string>>> {
  try {
    return await headers()
  } catch {
    // Without the cause: what a credential plugin prints may be a credential.
    throw new Fault('CLUSTER_UNREACHABLE', 'the credentials for the API server cannot be read')
  }
}

function httpRequest(server: string, request: TransportRequest, known: Readonly<Record<string, string>>, signal: AbortSignal): HttpRequest {
  const query = Object.entries(request.query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return {
    method: request.method,
    url: `${server}${request.path}${query.length ? `?${new URLSearchParams(query)}` : ''}`,
    headers: {
      accept: 'application/json, */*',
      ...(request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
      ...known,
    },
    ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
    signal,
  }
}

const hasTests = (body: unknown): boolean => Array.isArray(body) && body.some((op: unknown) => typeof op === 'object' && op !== null && 'op' in op && op.op === 'test')
const askedOf = (request: TransportRequest): Asked => ({ method: request.method, path: request.path, tests: hasTests(request.body) })

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function parsed(asked: Asked, answer: HttpResponse, text: string): unknown {
  if (!(answer.headers['content-type'] ?? '').includes('json')) return text
  const body = json(text)
  // Of a write the status already says that it took effect; a read without its body is no answer.
  if (body === undefined && answer.status < 300 && asked.method === 'GET') throw new Fault('CLUSTER_ERROR', 'the API server sent JSON that cannot be read')
  return body
}

async function* jsonLines(chunks: AsyncIterable<string>, signal: AbortSignal, asked: Asked): AsyncGenerator<unknown> {
  const iterator = chunks[Symbol.asyncIterator]()
  let rest = ''
  for (;;) {
    const next = await raced(iterator.next(), signal)
    const lines = next.done ? [rest] : (rest + next.value).split('\n')
    rest = next.done ? '' : (lines.pop() ?? '')
    for (const line of lines.filter((text) => text.trim() !== '')) {
      const value = json(line)
      if (value === undefined) throw faultOfSilence(asked, new Error('the stream broke off within a line'), { sent: true, late: false })
      yield value
    }
    if (next.done) return
  }
}
