// One notification of a group to the webhook: the body of version 4, retried as Alertmanager retries.
import type { Labels } from '../../domain/alert.ts'
import { deadline, type Http, type Ports, pause } from '../../domain/ports.ts'
import { isResolved, type Kept } from './kept-alerts.ts'

export interface Receiver {
  readonly name: string
  readonly url: string
  readonly http: Http
  readonly token?: string
  readonly sendResolved: boolean
  /** 0: all. */
  readonly maxAlerts: number
}
export type NotifyReason = 'first notification' | 'new alerts added' | 'some alerts resolved' | 'all alerts resolved' | 'repeat interval elapsed'

const ZERO = '0001-01-01T00:00:00Z'
const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
const common = (sets: readonly Labels[]): Labels => {
  const [first = {}, ...rest] = sets
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => rest.every((set) => set[name] === value)))
}
export const groupKey = (labels: Labels): string =>
  `{}:{${Object.keys(labels)
    .sort()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`)
    .join(', ')}}`

export interface Notification {
  readonly groupLabels: Labels
  readonly alerts: readonly Kept[]
  readonly reason: NotifyReason
  readonly now: number
  readonly externalURL: string
}

export function bodyOf(receiver: Receiver, { groupLabels, alerts, reason, now, externalURL }: Notification) {
  const told = receiver.maxAlerts > 0 ? alerts.slice(0, receiver.maxAlerts) : alerts
  return {
    receiver: quoteMeta(receiver.name),
    status: alerts.some((alert) => !isResolved(alert, now)) ? 'firing' : 'resolved',
    alerts: told.map((alert) => ({
      status: isResolved(alert, now) ? 'resolved' : 'firing',
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: new Date(alert.startsAt).toISOString(),
      endsAt: isResolved(alert, now) ? new Date(alert.endsAt).toISOString() : ZERO,
      generatorURL: alert.generatorURL,
      fingerprint: alert.fingerprint,
    })),
    notification_reason: reason,
    groupLabels,
    commonLabels: common(told.map(({ labels }) => labels)),
    commonAnnotations: common(told.map(({ annotations }) => annotations)),
    routeLabels: {},
    externalURL,
    version: '4',
    groupKey: groupKey(groupLabels),
    truncatedAlerts: alerts.length - told.length,
  }
}

export interface Attempt {
  readonly at: number
  /** undefined: no answer came. */
  readonly status: number | undefined
  readonly body: ReturnType<typeof bodyOf>
}
export interface Sending extends Pick<Ports, 'clock' | 'timers' | 'random'> {
  readonly receiver: Receiver
  readonly retryMs: number
  /** No further try begins after this long. */
  readonly withinMs: number
  readonly signal: AbortSignal
  readonly tried: (attempt: Attempt) => void
}

/** True once the receiver took it. 5xx and no answer are tried again, growing by half each time; all else is not, in this flush. */
export async function deliver(body: ReturnType<typeof bodyOf>, sending: Sending): Promise<boolean> {
  const { clock, timers, random, signal } = sending
  const end = clock.elapsed() + sending.withinMs
  for (let wait = sending.retryMs; ; wait *= 1.5) {
    const status = await post(body, sending, end - clock.elapsed())
    sending.tried({ at: clock.now(), status, body })
    if (status !== undefined && status < 500) return status >= 200 && status < 300
    const next = wait * (0.5 + random.next())
    if (signal.aborted || clock.elapsed() + next >= end) return false
    await pause(timers, next, signal).catch(() => undefined)
    if (signal.aborted) return false
  }
}

async function post(body: unknown, { receiver, timers, signal }: Sending, leftMs: number): Promise<number | undefined> {
  const limit = deadline(timers, Math.max(1, leftMs), 'the receiver')
  const headers = { 'content-type': 'application/json', 'user-agent': 'Alertmanager/0.34.2', ...(receiver.token !== undefined && { authorization: `Bearer ${receiver.token}` }) }
  try {
    const answer = await receiver.http({ method: 'POST', url: receiver.url, headers, body: JSON.stringify(body), signal: AbortSignal.any([limit.signal, signal]) })
    await answer.text()
    return answer.status
  } catch {
    // No answer is what the caller retries; why there was none changes nothing.
    return undefined
  } finally {
    limit.cancel()
  }
}
