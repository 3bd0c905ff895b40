// The edge's translation table: what the API server answered, or did not answer, as a Fault.
import * as z from 'zod'
import { Fault, type FaultCode } from '../domain/fault.ts'
import type { HttpRequest } from '../domain/ports.ts'

/** What was asked, as far as a fault may tell it: never headers, never the body. */
export interface Asked {
  readonly method: HttpRequest['method']
  readonly path: string
  /** A JSON Patch that carries `test` operations: a 422 may then mean that the object changed. */
  readonly tests?: boolean
}

const STATUS = z.object({
  kind: z.literal('Status'),
  message: z.string().optional(),
  reason: z.string().optional(),
  code: z.number().optional(),
  details: z
    .object({
      causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional(), field: z.string().optional() })).optional(),
      retryAfterSeconds: z.number().optional(),
    })
    .optional(),
})
export type Status = z.output<typeof STATUS>
export const statusOf = (body: unknown): Status | undefined => STATUS.safeParse(body).data

const VERBS = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const

/** `patch deployments/scale team-a/web`: verb, resource and name, read from the path. */
export function describeRequest({ method, path }: Asked): string {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent)
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  const [namespace, plural, name, subresource] = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(1) : [undefined, ...rest]
  if (plural === undefined) return `${VERBS[method]} ${path}`
  const verb = method === 'GET' && name === undefined ? 'list' : VERBS[method]
  const where = [namespace, name].filter((part) => part !== undefined).join('/')
  return [verb, subresource === undefined ? plural : `${plural}/${subresource}`, where].filter(Boolean).join(' ')
}

const LONGEST = 600
/** What others wrote, made fit for one line of a log. */
const clean = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .replace(/\bBearer\s+\S+/gi, 'Bearer ***')
    .slice(0, LONGEST)

// kube-apiserver (1.36, as before) says of a JSON Patch that does not apply only this, with empty details; others quote the library.
const PATCH_DOES_NOT_APPLY = /the server rejected our request due to an error in our request|testing value .* failed|test(?:ing)? (?:operation )?failed/i
const DENIED = /\bdenied\b/i

function isFailedTest(asked: Asked, status: Status | undefined): boolean {
  if (asked.method !== 'PATCH' || !asked.tests) return false
  const message = status?.message ?? ''
  if (PATCH_DOES_NOT_APPLY.test(message)) return true
  // Validation names fields, admission says that it denied: without either the patch itself did not apply.
  return (status?.details?.causes ?? []).length === 0 && !DENIED.test(message)
}

function codeOf(asked: Asked, http: number, status: Status | undefined): FaultCode {
  if (http === 422) return isFailedTest(asked, status) ? 'CLUSTER_CONFLICT' : 'CLUSTER_INVALID'
  if (http === 401 || http === 403) return 'CLUSTER_FORBIDDEN'
  if (http === 404) return 'CLUSTER_NOT_FOUND'
  if (http === 409 || http === 412) return 'CLUSTER_CONFLICT'
  if (http === 410) return 'CLUSTER_GONE'
  if (http === 429) return 'CLUSTER_THROTTLED'
  return http >= 400 && http < 500 ? 'CLUSTER_INVALID' : 'CLUSTER_ERROR'
}

/** Retry-After as seconds or as a date measured against the answer's own Date. */
function retryAfterOf(headers: Readonly<Record<string, string>>, status: Status | undefined): number | undefined {
  const said = headers['retry-after']
  if (said !== undefined && /^\d+$/.test(said.trim())) return Number(said) * 1_000
  const wait = said === undefined ? Number.NaN : Date.parse(said) - Date.parse(headers['date'] ?? '')
  if (Number.isFinite(wait)) return Math.max(0, wait)
  return status?.details?.retryAfterSeconds === undefined ? undefined : status.details.retryAfterSeconds * 1_000
}

/** An answer that is not a success. A body that is no Status (a proxy's page) is not repeated. */
export function faultOfAnswer(asked: Asked, answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown }): Fault {
  const status = statusOf(answer.body)
  const causes = (status?.details?.causes ?? []).map((cause) => cause.message).filter((text) => text !== undefined && !status?.message?.includes(text))
  const said = [status?.message ?? `HTTP ${answer.status}`, ...causes].join('; ')
  const retryAfterMs = retryAfterOf(answer.headers, status)
  return new Fault(codeOf(asked, answer.status, status), `${describeRequest(asked)}: ${clean(said)}`, {
    status: answer.status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

/** A watch's ERROR event carries a Status in place of an object. */
export function faultOfEvent(path: string, object: unknown): Fault {
  return faultOfAnswer({ method: 'GET', path }, { status: statusOf(object)?.code ?? 500, headers: {}, body: object })
}

// The request cannot have reached the API server when the connection itself did not come about.
const NOT_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w*(?:CERTIFICATE|HANDSHAKE|UNKNOWN_CA|WRONG_VERSION|PROTOCOL)\w*)$/

function codesIn(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 3) return []
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : []
  return [...own, ...codesIn('cause' in error ? error.cause : undefined, depth + 1)]
}

/** No answer. `sent`: the request was handed to the connection; `late`: the time ran out or the caller gave up. */
export function faultOfSilence(asked: Asked, error: unknown, { sent, late }: { readonly sent: boolean; readonly late: boolean }): Fault {
  const codes = codesIn(error)
  const why = clean(error instanceof Error ? error.message || codes.join(' ') : String(error))
  const lost = sent && asked.method !== 'GET' && !codes.some((code) => NOT_SENT.test(code))
  const code = lost ? 'CLUSTER_ANSWER_UNKNOWN' : late ? 'CLUSTER_TIMEOUT' : 'CLUSTER_UNREACHABLE'
  return new Fault(code, `${describeRequest(asked)}: ${why}`, { cause: error })
}
