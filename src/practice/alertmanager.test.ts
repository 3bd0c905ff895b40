import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'
import { type ManualPorts, manualPorts, START } from '../../test/manual-ports.ts'
import type { Http } from '../domain/ports.ts'
import { fingerprint } from './alertmanager/fingerprint.ts'
import type { InhibitRule } from './alertmanager/kept-alerts.ts'
import { type AlertmanagerOptions, type PracticeAlertmanager, startAlertmanager } from './alertmanager.ts'

const bodySchema = z.looseObject({
  status: z.string(),
  notification_reason: z.string(),
  groupKey: z.string(),
  truncatedAlerts: z.number(),
  alerts: z.array(z.looseObject({ status: z.string(), labels: z.record(z.string(), z.string()), startsAt: z.string(), endsAt: z.string(), fingerprint: z.string() })),
})
interface Got {
  readonly at: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: z.output<typeof bodySchema>
}
interface Bench {
  readonly ports: ManualPorts
  readonly am: PracticeAlertmanager
  readonly got: Got[]
  /** What the receiver answers next; then 200. */
  readonly answers: (number | 'nothing')[]
}
let running: PracticeAlertmanager | undefined
afterEach(() => running?.stop())

const PACE = { groupWaitMs: 100, groupIntervalMs: 1_000, repeatIntervalMs: 5_000, retryMs: 50 }
function bench(more: Partial<AlertmanagerOptions> = {}): Bench {
  const ports = manualPorts()
  const got: Got[] = []
  const answers: (number | 'nothing')[] = []
  const http: Http = async ({ headers = {}, body = '' }) => {
    got.push({ at: ports.clock.elapsed(), headers, body: bodySchema.parse(JSON.parse(body)) })
    const status = answers.shift() ?? 200
    if (status === 'nothing') throw new Error('connection refused')
    return { status, headers: {}, text: async () => '', async *chunks() {} }
  }
  running = startAlertmanager({ ports, pace: PACE, webhook: { url: 'http://sidecar/alerts', http, token: 's3cret' }, ...more })
  return { ports, am: running, got, answers }
}
const alert = (name: string, pod: string, more: object = {}) => ({
  labels: { alertname: name, namespace: 'shop', pod },
  annotations: { summary: `${name} on ${pod}` },
  generatorURL: '',
  startsAt: undefined,
  endsAt: undefined,
  ...more,
})
const ask = async ({ am }: Bench, path: string, init?: RequestInit) => {
  const answer = await am.fetch(new Request(`http://alertmanager${path}`, init))
  const text = await answer.text()
  return { status: answer.status, json: text === '' ? undefined : JSON.parse(text) }
}
const send = (method: string, body: unknown): RequestInit => ({ method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
const reasons = ({ got }: Bench) => got.map(({ body }) => body.notification_reason)

test('fingerprints are those of a real Alertmanager', () => {
  const labels = { container: 'app', instance: '10.0.0.9:8080', job: 'kube-state-metrics', namespace: 'team-a', prometheus: 'monitoring/k8s', severity: 'warning' }
  expect(fingerprint({ ...labels, alertname: 'KubePodNotReady', pod: 'web-7d4b9-0' })).toBe('a5fbc9e640b27896')
  expect(fingerprint({ pod: 'web-7d4b9-abcde', alertname: 'KubePodCrashLooping', ...labels })).toBe('8e5f05d046855bb0')
})

test('alerts of one name and namespace are told together once the group has waited, in the webhook format', async () => {
  const b = bench()
  b.am.post([alert('A', 'one')])
  await b.ports.advance(60)
  b.am.post([alert('A', 'two'), alert('B', 'one')])
  expect(b.am.quiet()).toBe(false)
  await b.ports.advance(60)
  expect(b.got).toHaveLength(1)
  expect(b.got[0]?.headers).toMatchObject({ authorization: 'Bearer s3cret', 'content-type': 'application/json' })
  expect(b.got[0]?.body).toEqual({
    receiver: 'alerts-slm',
    status: 'firing',
    alerts: ['one', 'two'].map((pod, i) => ({
      status: 'firing',
      labels: { alertname: 'A', namespace: 'shop', pod },
      annotations: { summary: `A on ${pod}` },
      startsAt: new Date(START + i * 60).toISOString(),
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: '',
      fingerprint: fingerprint({ alertname: 'A', namespace: 'shop', pod }),
    })),
    notification_reason: 'first notification',
    groupLabels: { alertname: 'A', namespace: 'shop' },
    commonLabels: { alertname: 'A', namespace: 'shop' },
    commonAnnotations: {},
    routeLabels: {},
    externalURL: 'http://alertmanager.practice:9093',
    version: '4',
    groupKey: '{}:{alertname="A", namespace="shop"}',
    truncatedAlerts: 0,
  })
  await b.ports.advance(60)
  expect(b.got.map(({ body }) => body.groupKey)).toEqual(['{}:{alertname="A", namespace="shop"}', '{}:{alertname="B", namespace="shop"}'])
  expect(b.am.quiet()).toBe(true)
})

test('an unchanged group is told again only when repeat_interval has passed', async () => {
  const b = bench()
  b.am.post([alert('A', 'one')])
  await b.ports.advance(4_900)
  expect(b.got).toHaveLength(1)
  await b.ports.advance(1_500)
  expect(reasons(b)).toEqual(['first notification', 'repeat interval elapsed'])
})

test('a new alert of the group is told at the next interval, with the old one', async () => {
  const b = bench()
  b.am.post([alert('A', 'one')])
  await b.ports.advance(200)
  b.am.post([alert('A', 'two')])
  await b.ports.advance(800)
  expect(b.got).toHaveLength(1)
  await b.ports.advance(200)
  expect(reasons(b)).toEqual(['first notification', 'new alerts added'])
  expect(b.got[1]?.body.alerts).toHaveLength(2)
})

test('what ended is told once, as resolved, and the group is over', async () => {
  const b = bench()
  b.am.post([alert('A', 'one'), alert('A', 'two')])
  await b.ports.advance(300)
  b.am.post([alert('A', 'one', { endsAt: b.ports.clock.now() })])
  await b.ports.advance(1_000)
  expect(b.got[1]?.body).toMatchObject({ status: 'firing', notification_reason: 'some alerts resolved' })
  expect(b.got[1]?.body.alerts.map(({ status }) => status)).toEqual(['resolved', 'firing'])
  expect(b.got[1]?.body.alerts[0]?.endsAt).toBe(new Date(START + 300).toISOString())
  b.am.post([alert('A', 'two', { endsAt: b.ports.clock.now() })])
  await b.ports.advance(9_000)
  expect(reasons(b)).toEqual(['first notification', 'some alerts resolved', 'all alerts resolved'])
  expect(b.got[2]?.body.alerts.map(({ status }) => status)).toEqual(['resolved'])
  b.am.post([alert('A', 'one')])
  await b.ports.advance(300)
  expect(reasons(b)[3]).toBe('first notification')
})

test('what ends before the group has waited is never told', async () => {
  const b = bench()
  b.am.post([alert('A', 'one')])
  await b.ports.advance(50)
  b.am.post([alert('A', 'one', { endsAt: b.ports.clock.now() })])
  await b.ports.advance(9_000)
  expect(b.got).toEqual([])
})

test('an alert that nobody renews is over after resolve_timeout, and a repeat keeps its first start', async () => {
  const b = bench({ pace: { ...PACE, resolveTimeoutMs: 3_000 } })
  b.am.post([alert('A', 'one')])
  await b.ports.advance(2_000)
  b.am.post([alert('A', 'one')])
  await b.ports.advance(2_500)
  expect(b.got).toHaveLength(1)
  await b.ports.advance(1_700)
  expect(reasons(b)).toEqual(['first notification', 'all alerts resolved'])
  expect(b.got[1]?.body.alerts[0]?.startsAt).toBe(new Date(START).toISOString())
})

test('503 and no answer are tried again, ever later, until it is taken; nothing is told twice', async () => {
  const b = bench()
  b.answers.push(503, 'nothing', 500)
  b.am.post([alert('A', 'one')])
  await b.ports.advance(900)
  expect(b.got).toHaveLength(4)
  const gaps = b.got.slice(1).map(({ at }, i) => at - (b.got[i]?.at ?? 0))
  for (const [i, gap] of gaps.entries()) expect(gap / (50 * 1.5 ** i)).toBeGreaterThanOrEqual(0.5)
  expect(b.am.attempts.map(({ status }) => status)).toEqual([503, undefined, 500, 200])
  await b.ports.advance(3_000)
  expect(b.got).toHaveLength(4)
})

test('a 4xx is not tried again in the same flush, but the next one tells the same', async () => {
  const b = bench()
  b.answers.push(400)
  b.am.post([alert('A', 'one')])
  await b.ports.advance(900)
  expect(b.got).toHaveLength(1)
  expect(b.am.quiet()).toBe(false)
  await b.ports.advance(300)
  expect(reasons(b)).toEqual(['first notification', 'first notification'])
})

test('a receiver that hangs is given up when the flush has had its time, and the next flush tries again', async () => {
  const ports = manualPorts()
  let asked = 0
  const http: Http = ({ signal }) =>
    new Promise((_, reject) => {
      asked++
      signal?.addEventListener('abort', () => reject(new Error('aborted')))
    })
  running = startAlertmanager({ ports, pace: PACE, webhook: { url: 'http://sidecar/alerts', http } })
  running.post([alert('A', 'one')])
  await ports.advance(2_000)
  expect(asked).toBe(2)
})

test('send_resolved off leaves resolved alerts out', async () => {
  const b = bench({ sendResolved: false })
  b.am.post([alert('A', 'one')])
  await b.ports.advance(300)
  b.am.post([alert('A', 'one', { endsAt: b.ports.clock.now() })])
  await b.ports.advance(9_000)
  expect(b.got).toHaveLength(1)
})

test('max_alerts cuts the body and says how many are missing; the receiver name arrives quoted', async () => {
  const b = bench({ maxAlerts: 1, receiver: 'team.a/slm' })
  b.am.post([alert('A', 'one'), alert('A', 'two'), alert('A', 'three')])
  await b.ports.advance(200)
  expect(b.got[0]?.body).toMatchObject({ truncatedAlerts: 2, receiver: 'team\\.a/slm' })
  expect(b.got[0]?.body.alerts).toHaveLength(1)
})

test('the API takes alerts and shows what fires, by filter', async () => {
  const b = bench()
  const posted = [{ labels: { alertname: 'A', namespace: 'shop' } }, { labels: { alertname: 'B', namespace: 'other' }, startsAt: '2026-01-15T11:00:00Z' }]
  expect((await ask(b, '/api/v2/alerts', send('POST', posted))).status).toBe(200)
  const { json } = await ask(b, '/api/v2/alerts')
  expect(json).toHaveLength(2)
  expect(json[0]).toMatchObject({
    labels: { alertname: 'A' },
    status: { state: 'active', silencedBy: [], inhibitedBy: [] },
    receivers: [{ name: 'alerts-slm' }],
    fingerprint: fingerprint({ alertname: 'A', namespace: 'shop' }),
  })
  const only = async (filter: string) =>
    (await ask(b, `/api/v2/alerts?filter=${encodeURIComponent(filter)}`)).json.map((a: { labels: { alertname: string } }) => a.labels.alertname)
  expect(await only('namespace="shop"')).toEqual(['A'])
  expect(await only('namespace!="shop"')).toEqual(['B'])
  expect(await only('alertname=~"A|C"')).toEqual(['A'])
  expect((await ask(b, '/api/v2/alerts?filter=%3D%3D')).status).toBe(400)
})

test.each([
  ['no labels', [{ labels: {} }]],
  ['an end before the start', [{ labels: { a: 'b' }, startsAt: '2026-01-15T12:00:00Z', endsAt: '2026-01-15T11:00:00Z' }]],
  ['no list', { labels: { a: 'b' } }],
])('an alert with %s is refused', async (_, body) => {
  expect((await ask(bench(), '/api/v2/alerts', send('POST', body))).status).toBe(400)
})

test('a silenced alert is not told, nor its end, until the silence is deleted', async () => {
  const b = bench()
  const silence = { matchers: [{ name: 'pod', value: 'o.*', isRegex: true }], startsAt: '2026-01-15T12:00:00Z', endsAt: '2026-01-15T13:00:00Z', createdBy: 'me', comment: 'quiet' }
  const { json: made } = await ask(b, '/api/v2/silences', send('POST', silence))
  b.am.post([alert('A', 'one'), alert('A', 'two')])
  await b.ports.advance(500)
  expect(b.got[0]?.body.alerts.map(({ labels }) => labels['pod'])).toEqual(['two'])
  expect((await ask(b, '/api/v2/alerts?silenced=false')).json).toHaveLength(1)
  expect((await ask(b, '/api/v2/alerts?active=false')).json).toMatchObject([{ labels: { pod: 'one' }, status: { state: 'suppressed', silencedBy: [made.silenceID] } }])
  expect((await ask(b, '/api/v2/silences')).json).toMatchObject([{ id: made.silenceID, status: { state: 'active' } }])
  expect((await ask(b, `/api/v2/silence/${made.silenceID}`, { method: 'DELETE' })).status).toBe(200)
  expect((await ask(b, `/api/v2/silence/${made.silenceID}`)).json.status.state).toBe('expired')
  await b.ports.advance(1_200)
  expect(reasons(b)).toEqual(['first notification', 'new alerts added'])
  expect((await ask(b, '/api/v2/silence/none', { method: 'DELETE' })).status).toBe(404)
})

test('an inhibited alert is not told while what inhibits it fires', async () => {
  const is = (name: string, value: string) => ({ name, value, isRegex: false, isEqual: true })
  const rule: InhibitRule = { source: [is('alertname', 'NodeDown')], target: [is('severity', 'info')], equal: ['namespace'] }
  const b = bench({ inhibitRules: [rule] })
  const info = alert('A', 'one', { labels: { alertname: 'A', namespace: 'shop', severity: 'info' } })
  b.am.post([alert('NodeDown', 'x'), info])
  await b.ports.advance(500)
  expect(b.got.map(({ body }) => body.groupKey)).toEqual(['{}:{alertname="NodeDown", namespace="shop"}'])
  expect((await ask(b, '/api/v2/alerts?inhibited=false')).json).toHaveLength(1)
  b.am.post([alert('NodeDown', 'x', { endsAt: b.ports.clock.now() })])
  await b.ports.advance(1_500)
  expect(b.got.map(({ body }) => body.groupKey)).toContain('{}:{alertname="A", namespace="shop"}')
})

test('a stopped Alertmanager sends nothing more', async () => {
  const b = bench()
  b.answers.push(503)
  b.am.post([alert('A', 'one')])
  await b.ports.advance(110)
  b.am.stop()
  await b.ports.advance(9_000)
  expect(b.got).toHaveLength(1)
})
