// The API server's refusals: Status objects with the reasons, codes and words of the real one.
import type { Plain } from './fields.ts'
import type { Resource } from './resources.ts'

export interface Cause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}
interface More {
  readonly details?: Plain
  readonly retryAfterSeconds?: number
  readonly metadata?: Plain
}

/** Thrown by whoever refuses a request, answered as it is. */
export class Refusal extends Error {
  readonly code: number
  readonly reason: string
  readonly more: More
  constructor(code: number, reason: string, message: string, more: More = {}) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.reason = reason
    this.more = more
  }
  body(): Plain {
    const retry = this.more.retryAfterSeconds
    const details = retry ? { ...this.more.details, retryAfterSeconds: retry } : this.more.details
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.more.metadata ?? {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(details ? { details } : {}),
      code: this.code,
    }
  }
}

type Named = Pick<Resource, 'group' | 'plural' | 'qualified'>
const about = (resource: Named, name: string, kind = resource.plural): Plain => ({
  ...(name === '' ? {} : { name }),
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind,
})
const kindOf = ({ kind, group }: Pick<Resource, 'kind' | 'group'>): string => (group === '' ? kind : `${kind}.${group}`)
const quoted = (resource: Named, name: string): string => (name === '' ? resource.qualified : `${resource.qualified} ${JSON.stringify(name)}`)

export const notFound = (resource: Named, name: string): Refusal => new Refusal(404, 'NotFound', `${quoted(resource, name)} not found`, { details: about(resource, name) })
export const alreadyExists = (resource: Named, name: string): Refusal =>
  new Refusal(409, 'AlreadyExists', `${quoted(resource, name)} already exists`, { details: about(resource, name) })
export const conflict = (resource: Named, name: string, why: string): Refusal =>
  new Refusal(409, 'Conflict', `Operation cannot be fulfilled on ${quoted(resource, name)}: ${why}`, { details: about(resource, name) })
export const modified = (resource: Named, name: string): Refusal =>
  conflict(resource, name, 'the object has been modified; please apply your changes to the latest version and try again')
export const forbidden = (resource: Named, name: string, why: string): Refusal =>
  new Refusal(403, 'Forbidden', `${quoted(resource, name)} is forbidden: ${why}`, { details: about(resource, name) })
export const forbiddenPath = (why: string): Refusal => new Refusal(403, 'Forbidden', `forbidden: ${why}`, { details: {} })
/** A precondition names its object by kind, not by resource. */
export const preconditionFailed = (resource: Resource, name: string, why: string): Refusal =>
  new Refusal(409, 'Conflict', `Operation cannot be fulfilled on ${kindOf(resource)} ${JSON.stringify(name)}: ${why}`, { details: about(resource, name, resource.kind) })
export const badRequest = (message: string): Refusal => new Refusal(400, 'BadRequest', message)
export const unauthorized = (): Refusal => new Refusal(401, 'Unauthorized', 'Unauthorized')
export const expired = (message: string, metadata?: Plain): Refusal => new Refusal(410, 'Expired', message, metadata ? { metadata } : {})
export const tooManyRequests = (message: string, causes: readonly Cause[], retryAfterSeconds = 0): Refusal =>
  new Refusal(429, 'TooManyRequests', message, { details: { causes }, retryAfterSeconds })
export const noSuchPath = (): Refusal => new Refusal(404, 'NotFound', 'the server could not find the requested resource', { details: {} })
export const methodNotAllowed = (): Refusal => new Refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', { details: {} })
export const tooLarge = (most: number): Refusal => new Refusal(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${most}`)
/** How the router refuses a patch type of a built-in kind, before anybody looks at the object. */
export const unsupportedPatch = (): Refusal => new Refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', { details: {} })
export const unsupportedMediaType = (accepted: readonly string[]): Refusal =>
  new Refusal(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`)
/** What a JSON Patch that does not apply, a failed `test` above all, is answered with. */
export const patchRefused = (): Refusal => new Refusal(422, 'Invalid', 'the server rejected our request due to an error in our request', { details: {} })

/** One field that breaks the schema or a rule of its kind. */
export interface Flaw {
  readonly field: string
  readonly reason: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueNotSupported' | 'FieldValueDuplicate' | 'FieldValueTooLong'
  readonly message: string
}
export const required = (field: string, why = ''): Flaw => ({ field, reason: 'FieldValueRequired', message: why === '' ? 'Required value' : `Required value: ${why}` })
export const invalidValue = (field: string, value: unknown, why: string): Flaw => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${typeof value === 'string' ? JSON.stringify(value) : shown(value)}: ${why}`,
})
const shown = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))
export const forbiddenField = (field: string, why: string): Flaw => ({ field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` })

export function invalid(resource: Named & Pick<Resource, 'kind'>, name: string, flaws: readonly Flaw[]): Refusal {
  const lines = [...new Set(flaws.map((flaw) => `${flaw.field}: ${flaw.message}`))]
  const causes = flaws.map(({ field, reason, message }) => ({ reason, message, field }))
  const message = `${kindOf(resource)} ${JSON.stringify(name)} is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`}`
  return new Refusal(422, 'Invalid', message, { details: { ...about(resource, name, resource.kind), causes } })
}
