import { expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { alertFiring } from './alert-firing.ts'

const judge = (alert: ReturnType<typeof seen>['alert'], file = plannedCase()) => alertFiring.judge(file, seen({ alert }), NOW)

it('passes while the alert fires and refuses once it is resolved, whatever the plan', () => {
  expect(judge('firing')).toEqual({ says: 'pass' })
  expect(judge('resolved')).toMatchObject({ says: 'refuse', code: 'ALERT_RESOLVED' })
  expect(judge('resolved', readingOnly())).toMatchObject({ says: 'refuse', code: 'ALERT_RESOLVED' })
})

it('holds while the alert is silenced, or while nobody can tell', () => {
  expect(judge('suppressed')).toMatchObject({ says: 'hold', code: 'ALERT_SUPPRESSED', until: NOW + 30_000 })
  expect(judge({ unknown: 'Alertmanager is away' })).toMatchObject({ says: 'hold', code: 'ALERT_UNKNOWN', why: expect.stringContaining('away') })
})

it('lets a plan that only reads look all the same', () => {
  expect(judge('suppressed', readingOnly())).toEqual({ says: 'pass' })
  expect(judge({ unknown: 'x' }, readingOnly())).toEqual({ says: 'pass' })
})
