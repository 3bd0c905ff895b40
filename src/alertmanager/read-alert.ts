// One alert out of JSON that somebody else wrote: every wrong field is named, nothing is coerced, hostile names stay data.
import type { Alert, Labels } from '../domain/alert.ts'
import { fingerprint } from './fingerprint.ts'
import { parseTime, ZERO_TIME } from './rfc3339.ts'

/** A wrong field: `path` is its JSON Pointer (RFC 6901). Messages name types, never values: a value may be a secret. */
export interface Problem {
  readonly path: string
  readonly message: string
}

/** What a reading may fill in where a file leaves it out; a webhook delivery may leave out neither. */
export interface Defaults {
  readonly status?: 'firing'
  readonly startsAt?: number
}

type Fields = Readonly<Record<string, unknown>>
export const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A pointer's part, cut: a wrong label may have a name of 64 KiB. */
const pointerPart = (name: string): string => name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')

/** The value's kind, for people. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The alert, or undefined and at least one problem. */
export function readAlert(raw: unknown, path: string, problems: Problem[], defaults: Defaults = {}): Alert | undefined {
  if (!isObject(raw)) return void problems.push({ path, message: `must be an object, is ${kindOf(raw)}` })
  const before = problems.length
  // The API's own form has an object as status, and as endsAt the time at which the alert would end if nobody renewed it.
  const listed = isObject(raw['status']) && defaults.status !== undefined
  const status = readStatus(listed ? defaults.status : (raw['status'] ?? defaults.status), `${path}/status`, problems)
  const labels = readLabels(raw['labels'], `${path}/labels`, problems)
  const annotations = raw['annotations'] == null ? emptyLabels() : readLabels(raw['annotations'], `${path}/annotations`, problems)
  const startsAt = raw['startsAt'] === undefined && defaults.startsAt !== undefined ? defaults.startsAt : readTime(raw['startsAt'], `${path}/startsAt`, problems)
  const endsAt = raw['endsAt'] == null ? undefined : readTime(raw['endsAt'], `${path}/endsAt`, problems)
  const generatorUrl = readText(raw['generatorURL'], `${path}/generatorURL`, problems)
  const told = readText(raw['fingerprint'], `${path}/fingerprint`, problems)
  if (startsAt === ZERO_TIME) problems.push({ path: `${path}/startsAt`, message: 'must be a time, is the zero time' })
  if (labels && isEmpty(labels)) problems.push({ path: `${path}/labels`, message: 'must have at least one label' })
  if (told && told.length > MAX_FINGERPRINT) problems.push({ path: `${path}/fingerprint`, message: `must have at most ${MAX_FINGERPRINT} characters` })
  if (problems.length > before || !status || !labels || !annotations || startsAt === undefined) return undefined
  return {
    fingerprint: told || fingerprint(labels),
    status,
    labels,
    annotations,
    startsAt,
    endsAt: listed || endsAt === ZERO_TIME ? undefined : endsAt,
    generatorUrl: generatorUrl || undefined,
  }
}

const MAX_FINGERPRINT = 64

function readStatus(raw: unknown, path: string, problems: Problem[]): Alert['status'] | undefined {
  if (raw === 'firing' || raw === 'resolved') return raw
  return void problems.push({ path, message: `must be "firing" or "resolved"${typeof raw === 'string' ? '' : `, is ${kindOf(raw)}`}` })
}

/** Without a prototype, so that `constructor` is absent unless it was sent and `__proto__` is a name like any other. */
const emptyLabels = (): Record<string, string> => Object.create(null)
const isEmpty = (labels: Labels): boolean => {
  for (const _ in labels) return false
  return true
}

/** Labels as plain data; the first wrong one is named. */
function readLabels(raw: unknown, path: string, problems: Problem[]): Labels | undefined {
  if (!isObject(raw)) return void problems.push({ path, message: `must be an object of strings, is ${kindOf(raw)}` })
  const labels = emptyLabels()
  for (const name of Object.keys(raw)) {
    const value = raw[name]
    if (typeof value !== 'string') return void problems.push({ path: `${path}/${pointerPart(name)}`, message: `must be a string, is ${kindOf(value)}` })
    labels[name] = value
  }
  return labels
}

function readTime(raw: unknown, path: string, problems: Problem[]): number | undefined {
  const time = typeof raw === 'string' ? parseTime(raw) : undefined
  if (time === undefined) problems.push({ path, message: `must be a time in RFC 3339${typeof raw === 'string' ? '' : `, is ${kindOf(raw)}`}` })
  return time
}

/** Optional text; null counts as absent. */
function readText(raw: unknown, path: string, problems: Problem[]): string | undefined {
  if (raw == null) return undefined
  if (typeof raw === 'string') return raw
  return void problems.push({ path, message: `must be a string, is ${kindOf(raw)}` })
}
