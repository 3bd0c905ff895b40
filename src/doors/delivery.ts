// One delivery that was let in: body, format, commit, answer.
import { LRUCache } from 'lru-cache'
import { type Payload, parsePayload } from '../alertmanager/payload.ts'
import type { Alert } from '../domain/alert.ts'
import { isFault } from '../domain/fault.ts'
import type { Clock } from '../domain/ports.ts'
import { pendingBytes, type Refused, readBody } from './body.ts'
import { busy, type Problem, problemResponse } from './problem.ts'

/** Resolves after the commit; rejects with STORE_UNAVAILABLE or STORE_FULL. */
export interface Intake {
  accept(alerts: readonly Alert[], from: { readonly source: string }): Promise<void>
}

export interface DeliveryConfig {
  readonly maxBodyBytes: number
  /** What all requests under way may hold together. */
  readonly maxPendingBytes: number
}

/** We have not seen everything: people are told and the active alerts are pulled. */
export interface Incomplete {
  readonly kind: 'truncated' | 'too_large'
  readonly why: string
}

export interface DeliveryDeps {
  readonly intake: Intake
  readonly clock: Clock
  readonly log: { warn(fields: { readonly [name: string]: string | number }, message: string): void }
  readonly metrics?: { received(alert: Alert): void; delivered(at: number): void }
  readonly onIncomplete?: (incomplete: Incomplete) => void
}

const MAX_NAMED = 100
const PAGE = 4_096

export function makeTaking(config: DeliveryConfig, deps: DeliveryDeps): (request: Request) => Promise<Response> {
  const pending = pendingBytes(Math.max(config.maxPendingBytes, config.maxBodyBytes + PAGE))
  const named = new LRUCache<string, true>({ max: 1_000 })

  /** Alertmanager throws our answer away and repeats a refused body every group_interval: the log says it once. */
  const note = (payload: Payload) => {
    const { path, message } = payload.problems[0] ?? { path: '', message: '' }
    const key = `${payload.receiver} ${payload.groupKey} ${path} ${message}`
    if (named.has(key)) return
    named.set(key, true)
    deps.log.warn({ receiver: payload.receiver, taken: payload.alerts.length, problems: payload.problems.length, path, problem: message }, 'part of a delivery was not taken')
  }
  const commit = async (payload: Payload): Promise<Response> => {
    try {
      if (payload.alerts.length > 0) await deps.intake.accept(payload.alerts, { source: 'webhook' })
    } catch (error) {
      if (isFault(error, 'STORE_FULL', 'STORE_UNAVAILABLE')) return problemResponse(busy(error.code, 'The alerts could not be stored.', error.retryAfterMs ?? 5_000))
      throw error
    }
    for (const alert of payload.alerts) deps.metrics?.received(alert)
    deps.metrics?.delivered(deps.clock.now())
    if (payload.truncatedAlerts > 0) deps.onIncomplete?.({ kind: 'truncated', why: `the sender left out ${payload.truncatedAlerts} alerts of a group: raise max_alerts` })
    return Response.json({ accepted: payload.alerts.length, rejected: payload.problems.slice(0, MAX_NAMED) })
  }
  return async (request: Request): Promise<Response> => {
    let held = 0
    const hold = (bytes: number): boolean => {
      const room = pending.take(bytes)
      if (room) held += bytes
      return room
    }
    try {
      const body = hold(PAGE) ? await readBody(request, config.maxBodyBytes, hold) : { refused: 'busy' as const }
      if ('refused' in body) return problemResponse(refusedBody(body.refused, config, deps))
      const json = parseJson(body.text)
      if (json === undefined) return problemResponse(NOT_JSON)
      const payload = parsePayload(json)
      if (payload.problems.length > 0) note(payload)
      if (payload.alerts.length === 0 && payload.problems.length > 0) return problemResponse(notAlerts(payload))
      return await commit(payload)
    } finally {
      pending.give(held)
    }
  }
}

/** undefined is nothing that JSON can say. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusedBody(why: Refused, { maxBodyBytes }: DeliveryConfig, { onIncomplete }: DeliveryDeps): Problem {
  if (why === 'busy') return busy('BUSY', 'Too much is under way.', 1_000)
  if (why !== 'too large') return NOT_JSON
  onIncomplete?.({ kind: 'too_large', why: `a delivery was larger than ${maxBodyBytes} bytes: lower max_alerts or raise webhook.max_body_bytes` })
  // The rest of the body is still coming: nothing more is read from this connection.
  return { status: 413, code: 'BODY_TOO_LARGE', title: 'Body too large', detail: `At most ${maxBodyBytes} bytes are taken: lower max_alerts.`, headers: { connection: 'close' } }
}

const notAlerts = ({ problems }: Payload): Problem => ({
  status: 422,
  code: 'NOT_ALERTS',
  title: 'Not an Alertmanager webhook of version 4',
  detail: `${problems.length} ${problems.length === 1 ? 'field is' : 'fields are'} wrong; nothing was taken.`,
  errors: problems.slice(0, MAX_NAMED).map(({ path, message }) => ({ pointer: `#${encodeURI(path.toWellFormed())}`, detail: message })),
})
const NOT_JSON: Problem = { status: 400, code: 'SYNTAX', title: 'Not JSON', detail: 'The body is not JSON in UTF-8.' }
