// A small Alertmanager that speaks the real one's protocol: API v2 in, webhook version 4 out, with grouping, repeats, retries and silences.
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import type { Labels } from '../domain/alert.ts'
import type { Http, Ports } from '../domain/ports.ts'
import { type Attempt, bodyOf, deliver, groupKey, type NotifyReason, type Receiver } from './alertmanager/delivery.ts'
import { Group } from './alertmanager/group.ts'
import { type InhibitRule, type Kept, KeptAlerts, type Posted, postedSchema, type Silence, silenceSchema } from './alertmanager/kept-alerts.ts'
import { matches, parseMatcher } from './alertmanager/matchers.ts'
import { type Pace, PRACTICE_PACE } from './pace.ts'

export interface AlertmanagerOptions {
  readonly ports: Pick<Ports, 'clock' | 'timers' | 'random'>
  readonly webhook: { readonly url: string; readonly http: Http; readonly token?: string }
  readonly pace?: Partial<Pace>
  readonly receiver?: string
  readonly sendResolved?: boolean
  readonly maxAlerts?: number
  readonly inhibitRules?: readonly InhibitRule[]
  readonly externalURL?: string
}
export interface PracticeAlertmanager {
  readonly fetch: (request: Request) => Response | Promise<Response>
  /** What was sent, in order, each try by itself; bounded. */
  readonly attempts: readonly Attempt[]
  post(alerts: readonly Posted[]): void
  /** Every alert that fires, or has ended, has been told. */
  quiet(): boolean
  stop(): void
}

const KEPT_ATTEMPTS = 1_000
const GROUP_BY = ['alertname', 'namespace'] as const

export function startAlertmanager(options: AlertmanagerOptions): PracticeAlertmanager {
  const { ports, webhook, externalURL = 'http://alertmanager.practice:9093' } = options
  const pace: Pace = { ...PRACTICE_PACE, ...options.pace }
  const kept = new KeptAlerts({ clock: ports.clock, resolveTimeoutMs: pace.resolveTimeoutMs, inhibitRules: options.inhibitRules ?? [] })
  const receiver: Receiver = { name: options.receiver ?? 'alerts-slm', ...webhook, sendResolved: options.sendResolved ?? true, maxAlerts: options.maxAlerts ?? 0 }
  const groups = new Map<string, Group>()
  const attempts: Attempt[] = []
  const stopping = new AbortController()

  const tried = (attempt: Attempt): void => {
    attempts.push(attempt)
    if (attempts.length > KEPT_ATTEMPTS) attempts.shift()
  }
  // The real flush has at least ten seconds, however short the interval is.
  const withinMs = Math.max(pace.groupIntervalMs, 20 * pace.retryMs)
  const send = (groupLabels: Labels, alerts: readonly Kept[], reason: NotifyReason): Promise<boolean> =>
    deliver(bodyOf(receiver, { groupLabels, alerts, reason, now: ports.clock.now(), externalURL }), {
      ...ports,
      receiver,
      retryMs: pace.retryMs,
      withinMs,
      signal: stopping.signal,
      tried,
    })
  const isMuted = (alert: Kept): boolean => {
    const { silencedBy, inhibitedBy } = kept.mutedBy(alert)
    return silencedBy.length + inhibitedBy.length > 0
  }
  const groupOf = (alert: Kept): Group => {
    const labels = Object.fromEntries(GROUP_BY.flatMap((name) => (alert.labels[name] === undefined ? [] : [[name, alert.labels[name]]])))
    const key = groupKey(labels)
    const group =
      groups.get(key) ??
      new Group(labels, {
        timers: ports.timers,
        now: () => ports.clock.now(),
        waitMs: pace.groupWaitMs,
        intervalMs: pace.groupIntervalMs,
        repeatMs: pace.repeatIntervalMs,
        sendResolved: receiver.sendResolved,
        isMuted,
        send,
        onEmpty: () => groups.delete(key),
      })
    groups.set(key, group)
    return group
  }
  const post = (alerts: readonly Posted[]): void => {
    if (stopping.signal.aborted) return
    for (const posted of alerts) {
      const alert = kept.take(posted)
      groupOf(alert).add(alert)
    }
  }

  const app = new Hono()
  alertsApi(app, { kept, post, receiver: receiver.name })
  silencesApi(app, kept, () => ports.clock.now())
  for (const path of ['/-/healthy', '/-/ready']) app.get(path, (context) => context.text('OK'))
  app.get('/api/v2/status', (context) =>
    context.json({ cluster: { status: 'disabled', peers: [] }, versionInfo: { version: '0.34.2' }, config: { original: '' }, uptime: new Date(0).toISOString() }),
  )
  app.get('/api/v2/receivers', (context) => context.json([{ name: receiver.name }]))

  return {
    fetch: (request) => app.fetch(request),
    attempts,
    post,
    quiet: () => [...groups.values()].every((group) => group.quiet),
    stop() {
      stopping.abort(new Error('the Alertmanager stops'))
      for (const group of groups.values()) group.stop()
    },
  }
}

interface AlertsApi {
  readonly kept: KeptAlerts
  readonly post: (alerts: readonly Posted[]) => void
  readonly receiver: string
}
const wrong = (context: Context, error: z.ZodError): Response => context.json(z.prettifyError(error), 400)
const bodyOfRequest = (context: Context): Promise<unknown> => context.req.json().catch(() => undefined)

function alertsApi(app: Hono, { kept, post, receiver }: AlertsApi): void {
  app.post('/api/v2/alerts', async (context) => {
    const parsed = postedSchema.safeParse(await bodyOfRequest(context))
    if (!parsed.success) return wrong(context, parsed.error)
    post(parsed.data)
    return context.body(null, 200)
  })
  app.get('/api/v2/alerts', (context) => {
    const written = context.req.queries('filter') ?? []
    const filter = written.map(parseMatcher).filter((matcher) => matcher !== undefined)
    if (filter.length < written.length) return context.json('bad matcher format', 400)
    const wants = (name: string): boolean => context.req.query(name) !== 'false'
    const shown = kept.firing().filter((alert) => {
      const { silencedBy, inhibitedBy } = kept.mutedBy(alert)
      if (!matches(filter, alert.labels)) return false
      if (silencedBy.length > 0 && !wants('silenced')) return false
      if (inhibitedBy.length > 0 && !wants('inhibited')) return false
      return silencedBy.length + inhibitedBy.length > 0 || wants('active')
    })
    return context.json(shown.map((alert) => gettable(alert, kept, receiver)))
  })
}

function gettable(alert: Kept, kept: KeptAlerts, receiver: string) {
  const { silencedBy, inhibitedBy } = kept.mutedBy(alert)
  const time = (ms: number): string => new Date(ms).toISOString()
  return {
    annotations: alert.annotations,
    endsAt: time(alert.endsAt),
    fingerprint: alert.fingerprint,
    receivers: [{ name: receiver }],
    startsAt: time(alert.startsAt),
    status: { inhibitedBy, mutedBy: [], silencedBy, state: silencedBy.length + inhibitedBy.length > 0 ? 'suppressed' : 'active' },
    updatedAt: time(alert.updatedAt),
    generatorURL: alert.generatorURL,
    labels: alert.labels,
  }
}

function silencesApi(app: Hono, kept: KeptAlerts, now: () => number): void {
  const shown = (silence: Silence) => ({
    ...silence,
    startsAt: new Date(silence.startsAt).toISOString(),
    endsAt: new Date(silence.endsAt).toISOString(),
    updatedAt: new Date(silence.updatedAt).toISOString(),
    status: { state: now() < silence.startsAt ? 'pending' : now() < silence.endsAt ? 'active' : 'expired' },
  })
  app.post('/api/v2/silences', async (context) => {
    const parsed = silenceSchema.safeParse(await bodyOfRequest(context))
    return parsed.success ? context.json({ silenceID: kept.silence(parsed.data) }) : wrong(context, parsed.error)
  })
  app.get('/api/v2/silences', (context) => context.json(kept.silences().map(shown)))
  app.get('/api/v2/silence/:id', (context) => {
    const found = kept.silences().find(({ id }) => id === context.req.param('id'))
    return found ? context.json(shown(found)) : context.body(null, 404)
  })
  app.delete('/api/v2/silence/:id', (context) => context.body(null, kept.expire(context.req.param('id')) ? 200 : 404))
}
