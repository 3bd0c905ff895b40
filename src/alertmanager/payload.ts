// The webhook body of Alertmanager, version 4, as 0.25 to 0.34 send it: fields that we do not know pass, wrong ones are named.
// Written by hand, not with zod: zod's records drop a label called `__proto__`, and it refuses a list for one bad item. Either takes about 2 µs an alert.
import type { Alert } from '../domain/alert.ts'
import { type Defaults, isObject, kindOf, type Problem, readAlert } from './read-alert.ts'

export type { Problem } from './read-alert.ts'

export interface Payload {
  readonly alerts: readonly Alert[]
  /** Empty when everything was taken. */
  readonly problems: readonly Problem[]
  /** How many the sender left out because of `max_alerts`; above 0 we have not seen everything. */
  readonly truncatedAlerts: number
  /** Regexp-quoted by Alertmanager (`team\.a`): for people, not for comparing. */
  readonly receiver: string
  readonly groupKey: string
  readonly notificationReason?: string
}

type Kind = 'string' | 'object'
/** What a sender may leave out but not get wrong. */
const ENVELOPE: Readonly<Record<string, Kind>> = {
  receiver: 'string',
  groupKey: 'string',
  externalURL: 'string',
  notification_reason: 'string',
  groupLabels: 'object',
  commonLabels: 'object',
  commonAnnotations: 'object',
  routeLabels: 'object',
}

/** One bad alert does not cost the good ones; a wrong envelope does: then it is not the format that we know. Never throws. */
export function parsePayload(body: unknown): Payload {
  if (!isObject(body)) return nothing([{ path: '', message: `must be an Alertmanager webhook object, is ${kindOf(body)}` }])
  const problems = envelopeProblems(body)
  const list = body['alerts']
  if (!Array.isArray(list)) return nothing([...problems, { path: '/alerts', message: `must be a list, is ${kindOf(list)}` }])
  const sound = problems.length === 0
  const alerts = readAll(list, '/alerts', problems)
  const truncated = body['truncatedAlerts']
  const reason = text(body['notification_reason'])
  return {
    alerts: sound ? alerts : [],
    problems,
    truncatedAlerts: sound && typeof truncated === 'number' ? truncated : 0,
    receiver: text(body['receiver']),
    groupKey: text(body['groupKey']),
    ...(reason && { notificationReason: reason }),
  }
}

/**
 * What people keep in a file: a webhook body, a captured delivery (`{ headers, body }`), one alert, or a list of alerts.
 * A file may leave out `status` (firing) and `startsAt` (now).
 */
export function parseAlertFile(json: unknown, now: number): { readonly alerts: readonly Alert[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  if (Array.isArray(json)) return { alerts: readAll(json, '', problems, { status: 'firing', startsAt: now }), problems }
  if (!isObject(json)) return nothing([{ path: '', message: `must be an alert, a list of alerts or a webhook body, is ${kindOf(json)}` }])
  if (isObject(json['body']) && !('labels' in json)) return within('/body', parseAlertFile(json['body'], now))
  if (!('alerts' in json)) return { alerts: readAll([json], undefined, problems, { status: 'firing', startsAt: now }), problems }
  const list = json['alerts']
  if (!Array.isArray(list)) return nothing([{ path: '/alerts', message: `must be a list, is ${kindOf(list)}` }])
  problems.push(...envelopeProblems(json))
  return { alerts: readAll(list, '/alerts', problems, { status: 'firing', startsAt: now }), problems }
}

function readAll(list: readonly unknown[], path: string | undefined, problems: Problem[], defaults?: Defaults): readonly Alert[] {
  const alerts: Alert[] = []
  for (let at = 0; at < list.length; at++) {
    const alert = readAlert(list[at], path === undefined ? '' : `${path}/${at}`, problems, defaults)
    if (alert) alerts.push(alert)
  }
  return alerts
}

function envelopeProblems(body: Readonly<Record<string, unknown>>): Problem[] {
  const problems: Problem[] = []
  const { version, status, truncatedAlerts } = body
  if (version != null && version !== '4') problems.push({ path: '/version', message: 'must be "4"' })
  if (status != null && status !== 'firing' && status !== 'resolved') problems.push({ path: '/status', message: 'must be "firing" or "resolved"' })
  if (truncatedAlerts != null && !isCount(truncatedAlerts)) problems.push({ path: '/truncatedAlerts', message: 'must be a count' })
  for (const [name, kind] of Object.entries(ENVELOPE)) {
    const value = body[name]
    const right = value == null || (kind === 'string' ? typeof value === 'string' : isObject(value))
    if (!right) problems.push({ path: `/${name}`, message: `must be ${kind === 'string' ? 'a string' : 'an object'}, is ${kindOf(value)}` })
  }
  return problems
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const nothing = (problems: readonly Problem[]): Payload => ({ alerts: [], problems, truncatedAlerts: 0, receiver: '', groupKey: '' })
const within = (path: string, read: ReturnType<typeof parseAlertFile>): ReturnType<typeof parseAlertFile> => ({
  alerts: read.alerts,
  problems: read.problems.map((problem) => ({ ...problem, path: path + problem.path })),
})
