// Whatever JSON arrives: reading it never throws, and every alert of the list is either taken or named.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseAlertFile, parsePayload } from '../../src/alertmanager/payload.ts'

const NAMES = [
  'version',
  'status',
  'receiver',
  'groupKey',
  'alerts',
  'truncatedAlerts',
  'notification_reason',
  'labels',
  'annotations',
  'startsAt',
  'endsAt',
  'fingerprint',
  'generatorURL',
  'body',
  '__proto__',
  'constructor',
]
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: 'binary', maxLength: 12 }))
const time = fc.oneof(fc.constantFrom('0001-01-01T00:00:00Z', '2026-11-23T16:12:53.644422Z', '2026-02-30T00:00:00Z', ''), fc.string())
const leaf = fc.oneof(fc.constantFrom('4', 'firing', 'resolved', '', null, 0, -1, true), time, fc.double(), fc.string({ unit: 'binary' }))
/** Through text, as it arrives: only so can `__proto__` be a name like any other. */
const entries = (names: fc.Arbitrary<string>, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .array(fc.tuple(names, values), { maxLength: 6 })
    .map((pairs) => JSON.parse(`{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? 'null'}`).join(',')}}`))
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof({ maxDepth: 5, withCrossShrink: true }, leaf, fc.array(tie('json'), { maxLength: 5 }), entries(name, tie('json'))),
}))

const labels = fc.oneof({ weight: 4, arbitrary: entries(name, fc.string({ unit: 'binary' })) }, { weight: 1, arbitrary: json })
const mostly = (right: fc.Arbitrary<unknown>) => fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: json })
const alert = fc.record(
  {
    status: mostly(fc.constantFrom('firing', 'resolved')),
    labels,
    annotations: labels,
    startsAt: mostly(fc.constant('2026-11-23T16:12:53.644422Z')),
    endsAt: mostly(time),
    fingerprint: mostly(fc.constantFrom('8e5f05d046855bb0', '')),
    generatorURL: mostly(fc.webUrl()),
  },
  { requiredKeys: ['status', 'labels', 'startsAt'] },
)
const RUNS = { numRuns: 500 }
const numberOf = (path: string): string | undefined => /^\/alerts\/(\d+)(?:\/|$)/.exec(path)?.[1]

it('any JSON is read without an error', () => {
  void fc.assert(
    fc.property(json, fc.integer(), (body, now) => {
      const { alerts, problems } = parsePayload(body)
      expect(alerts.length > 0 || problems.length > 0 || (typeof body === 'object' && body !== null && 'alerts' in body)).toBe(true)
      parseAlertFile(body, now)
    }),
    RUNS,
  )
})

it('every alert of a sound envelope is taken, unchanged, or named', () => {
  void fc.assert(
    fc.property(fc.array(mostly(alert), { maxLength: 20 }), (list) => {
      const { alerts, problems } = parsePayload({ version: '4', receiver: 'r', alerts: list })
      const named = new Set(problems.map((problem) => numberOf(problem.path)))
      expect(named).not.toContain(undefined)
      expect(alerts.length + named.size).toBe(list.length)
      const taken = list.filter((_, at) => !named.has(String(at)))
      for (const [at, one] of alerts.entries()) {
        expect(taken[at]).toMatchObject({ status: one.status })
        expect(JSON.stringify(one.labels)).toBe(JSON.stringify(labelsOf(taken[at])))
        expect(Number.isSafeInteger(one.startsAt)).toBe(true)
        expect(one.fingerprint).toMatch(/./)
      }
    }),
    RUNS,
  )
})
const labelsOf = (value: unknown): unknown => (typeof value === 'object' && value !== null && 'labels' in value ? value.labels : undefined)
