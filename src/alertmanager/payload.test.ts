import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fingerprint } from './fingerprint.ts'
import { parseAlertFile, parsePayload } from './payload.ts'

const folder = new URL('../../test/fixtures/payloads/', import.meta.url)
const captured = ['v0.25', 'v0.34'].flatMap((version) => readdirSync(new URL(`${version}/`, folder)).map((file) => `${version}/${file}`))
const bodyOf = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')).body

const alert = (more: Record<string, unknown> = {}) => ({
  status: 'firing',
  labels: { alertname: 'KubePodCrashLooping', namespace: 'team-a', pod: 'web-0' },
  annotations: { summary: 'it crashes' },
  startsAt: '2026-11-23T16:12:53.644422Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus.example/graph',
  fingerprint: '8e5f05d046855bb0',
  ...more,
})
const payload = (alerts: unknown, more: Record<string, unknown> = {}) => ({ version: '4', receiver: 'team-a', groupKey: '{}:{}', truncatedAlerts: 0, alerts, ...more })

describe('deliveries captured from real Alertmanagers', () => {
  it.each(captured)('%s is taken whole', (file) => {
    const body = bodyOf(file)
    const read = parsePayload(body)
    expect(read.problems).toEqual([])
    expect(read.alerts).toHaveLength(body.alerts.length)
    expect(read.truncatedAlerts).toBe(body.truncatedAlerts)
    expect(read.receiver).toBe('team\\.a/slm')
    for (const [at, one] of read.alerts.entries()) {
      expect({ ...one.labels }).toEqual(body.alerts[at].labels)
      expect(one.startsAt).toBe(Date.parse(body.alerts[at].startsAt))
      expect(one.endsAt).toBe(one.status === 'firing' ? undefined : Date.parse(body.alerts[at].endsAt))
    }
  })
  it.each(captured)('%s: the fingerprint that Alertmanager computed is the one that we compute', (file) => {
    for (const one of bodyOf(file).alerts) expect(fingerprint(one.labels)).toBe(one.fingerprint)
  })
  it('says why the newest Alertmanager sent it, and nothing where an old one does not', () => {
    expect(parsePayload(bodyOf('v0.34/01-firing-1.json')).notificationReason).toBe('first notification')
    expect(parsePayload(bodyOf('v0.25/01-firing-1.json'))).not.toHaveProperty('notificationReason')
  })
})

describe('one alert', () => {
  const read = (more: Record<string, unknown>) => parsePayload(payload([alert(more)]))
  const time = (startsAt: string) => read({ startsAt }).alerts[0]?.startsAt

  it('takes times to the millisecond, from nanoseconds and with offsets', () => {
    expect(time('2026-11-23T16:12:53.644999999Z')).toBe(Date.UTC(2026, 10, 23, 16, 12, 53, 644))
    expect(time('2026-11-23T16:12:53+05:30')).toBe(Date.UTC(2026, 10, 23, 10, 42, 53))
    expect(time('2026-11-23T16:12:53.5-08:00')).toBe(Date.UTC(2026, 10, 24, 0, 12, 53, 500))
    expect(time('1969-12-31T23:59:59.999Z')).toBe(-1)
  })
  it.each([
    '',
    'now',
    '2026',
    '2026-11-23',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T16:12:53',
    '2026-11-23T16:12:53+25:00',
    '1732378373',
  ])('refuses %j as a time', (startsAt) => {
    expect(read({ startsAt })).toMatchObject({ alerts: [], problems: [{ path: '/alerts/0/startsAt' }] })
  })
  it('has no start at the zero time', () => {
    expect(read({ startsAt: '0001-01-01T00:00:00Z' }).problems).toEqual([{ path: '/alerts/0/startsAt', message: 'must be a time, is the zero time' }])
  })
  it('gets the fingerprint of its labels when the sender names none', () => {
    const { fingerprint: told, ...rest } = bodyOf('v0.25/01-firing-1.json').alerts[0]
    expect(parsePayload(payload([rest])).alerts[0]?.fingerprint).toBe(told)
    expect(parsePayload(payload([{ ...rest, fingerprint: '' }])).alerts[0]?.fingerprint).toBe(told)
  })
  it('has a fingerprint that does not depend on the order of its labels, and that tells a moved boundary apart', () => {
    expect(fingerprint({ a: '1', b: '2' })).toBe(fingerprint({ b: '2', a: '1' }))
    expect(fingerprint({ a: 'bc' })).not.toBe(fingerprint({ ab: 'c' }))
    expect(fingerprint({})).toBe('cbf29ce484222325')
  })
  it('sorts label names by their bytes, as Go does', () => {
    // U+FF5E sorts after U+1F600 by UTF-16 units, before it by bytes. The expectation is written out with BigInt.
    const labels = { '\u{1F600}': 'x', '\uFF5E': 'y' }
    let sum = 0xcbf29ce484222325n
    for (const byte of [...Buffer.from('\uFF5E'), 255, ...Buffer.from('y'), 255, ...Buffer.from('\u{1F600}'), 255, ...Buffer.from('x'), 255])
      sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n)
    expect(fingerprint(labels)).toBe(sum.toString(16).padStart(16, '0'))
  })
  it.each([
    ['/alerts/0', null],
    ['/alerts/0', 'x'],
    ['/alerts/0', []],
    ['/alerts/0/status', alert({ status: 'pending' })],
    ['/alerts/0/status', alert({ status: undefined })],
    ['/alerts/0/labels', alert({ labels: undefined })],
    ['/alerts/0/labels', alert({ labels: {} })],
    ['/alerts/0/labels', alert({ labels: ['a'] })],
    ['/alerts/0/labels/pod', alert({ labels: { alertname: 'X', pod: 7 } })],
    ['/alerts/0/labels/a~1b~0c', alert({ labels: { 'a/b~c': null } })],
    ['/alerts/0/annotations', alert({ annotations: 'text' })],
    ['/alerts/0/annotations/summary', alert({ annotations: { summary: {} } })],
    ['/alerts/0/startsAt', alert({ startsAt: 1732378373 })],
    ['/alerts/0/startsAt', alert({ startsAt: undefined })],
    ['/alerts/0/endsAt', alert({ endsAt: 'later' })],
    ['/alerts/0/generatorURL', alert({ generatorURL: 5 })],
    ['/alerts/0/fingerprint', alert({ fingerprint: 5 })],
    ['/alerts/0/fingerprint', alert({ fingerprint: 'f'.repeat(65) })],
  ])('names %s when that is wrong', (path, one) => {
    const read = parsePayload(payload([one]))
    expect(read.alerts).toEqual([])
    expect(read.problems.map((problem) => problem.path)).toEqual([path])
  })
  it('never repeats a wrong value: it may be a secret', () => {
    expect(JSON.stringify(parsePayload(payload([alert({ status: 'hunter2', startsAt: 'hunter2', fingerprint: ['hunter2'] })])).problems)).not.toContain('hunter2')
  })
})

describe('a list with bad alerts among good ones', () => {
  it('takes the good ones and names every bad field', () => {
    const read = parsePayload(payload([alert(), alert({ labels: { pod: 1 }, startsAt: 'x' }), alert({ fingerprint: 'a' }), 3]))
    expect(read.alerts.map((one) => one.fingerprint)).toEqual(['8e5f05d046855bb0', 'a'])
    expect(read.problems.map((problem) => problem.path)).toEqual(['/alerts/1/labels/pod', '/alerts/1/startsAt', '/alerts/3'])
  })
})

describe('hostile label text', () => {
  const PROTO = '__proto__'
  const hostile = JSON.parse(`{
    "__proto__": "polluted", "constructor": "c", "toString": "t", "hasOwnProperty": "h", "": "empty name",
    "ansi": "\\u001b[31mred\\u001b[0m", "nul": "a\\u0000b", "sql": "'; DROP TABLE intake; --", "template": "\${7*7} {{ .Env }}", "lines": "a\\r\\nb", "lone": "\\ud800"
  }`)
  it('survives as plain data', () => {
    const read = parsePayload(payload([alert({ labels: hostile, annotations: hostile })]))
    const labels = read.alerts[0]?.labels ?? {}
    expect(read.problems).toEqual([])
    expect(Object.entries(labels)).toEqual(Object.entries(hostile))
    expect(labels[PROTO]).toBe('polluted')
    expect({}).not.toHaveProperty('polluted')
  })
  it('does not find names that were not sent', () => {
    const labels = parsePayload(payload([alert()])).alerts[0]?.labels ?? {}
    expect([labels['constructor'], labels['toString'], labels[PROTO]]).toEqual([undefined, undefined, undefined])
  })
  it('cuts a long name in the answer', () => {
    expect(parsePayload(payload([alert({ labels: { ['n'.repeat(65_536)]: 1 } })])).problems[0]?.path).toHaveLength('/alerts/0/labels/'.length + 100)
  })
  it('takes labels of 64 KiB', () => {
    const huge = 'v'.repeat(65_536)
    expect(parsePayload(payload([alert({ labels: { [huge]: huge } })])).alerts[0]?.labels[huge]).toBe(huge)
  })
})

describe('the envelope', () => {
  it.each([null, 5, 'text', [], undefined])('refuses %j', (body) => {
    expect(parsePayload(body)).toMatchObject({ alerts: [], problems: [{ path: '' }] })
  })
  it.each([
    ['/alerts', { alerts: undefined }],
    ['/alerts', { alerts: {} }],
    ['/version', { version: '3' }],
    ['/version', { version: 4 }],
    ['/status', { status: 'odd' }],
    ['/truncatedAlerts', { truncatedAlerts: -1 }],
    ['/truncatedAlerts', { truncatedAlerts: '2' }],
    ['/receiver', { receiver: [] }],
    ['/groupKey', { groupKey: 1 }],
    ['/groupLabels', { groupLabels: [] }],
    ['/commonAnnotations', { commonAnnotations: 'x' }],
    ['/notification_reason', { notification_reason: false }],
  ])('names %s when that is wrong, and takes nothing', (path, more) => {
    const read = parsePayload({ ...payload([alert()]), ...more })
    expect(read.alerts).toEqual([])
    expect(read.problems.map((problem) => problem.path)).toEqual([path])
  })
  it('lets fields pass that we do not know, and null where a field may be missing', () => {
    const read = parsePayload(payload([alert({ newField: { a: 1 }, endsAt: null, annotations: null })], { tomorrow: [1], routeLabels: null }))
    expect(read).toMatchObject({ problems: [], alerts: [{ endsAt: undefined }] })
  })
  it('takes an empty group', () => {
    expect(parsePayload(payload([]))).toMatchObject({ alerts: [], problems: [] })
  })
})

describe('a file of alerts', () => {
  const now = Date.UTC(2026, 0, 1)
  it('may be a webhook body, a captured delivery, one alert or a list', () => {
    const one = bodyOf('v0.25/01-firing-1.json')
    const expected = parsePayload(one).alerts
    for (const json of [one, { headers: {}, body: one }, one.alerts[0], one.alerts]) expect(parseAlertFile(json, now)).toEqual({ alerts: expected, problems: [] })
  })
  it('may leave out what a person would not write', () => {
    expect(parseAlertFile({ labels: { alertname: 'X' } }, now)).toMatchObject({ problems: [], alerts: [{ status: 'firing', startsAt: now, endsAt: undefined }] })
  })
  it('may be what the API lists', () => {
    const listed = [{ ...alert(), status: { state: 'suppressed', silencedBy: ['s'], inhibitedBy: [] }, endsAt: '2026-11-23T16:20:00Z' }]
    expect(parseAlertFile(listed, now)).toMatchObject({ problems: [], alerts: [{ status: 'firing', endsAt: undefined }] })
  })
  it.each([
    ['', 5],
    ['/labels', {}],
    ['/labels', { labels: 1 }],
    ['/1/labels', [alert(), {}]],
    ['/alerts', { alerts: 1 }],
    ['/alerts/0/labels', { alerts: [{}] }],
    ['/body/alerts', { body: { alerts: 0 } }],
  ])('names %j when that is wrong', (path, json) => {
    expect(parseAlertFile(json, now).problems.map((problem) => problem.path)).toEqual([path])
  })
})
