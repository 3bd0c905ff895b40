import { expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { clock } from './clock.ts'

const off = (clockOffMs: number) => ({ ...seen(), clockOffMs })

it('holds every write while our clock and the API server disagree, either way', () => {
  expect(clock.judge(plannedCase(), off(60_001), NOW)).toMatchObject({ says: 'hold', code: 'CLOCK_ODD', why: expect.stringContaining('ahead of') })
  expect(clock.judge(plannedCase(), off(-60_001), NOW)).toMatchObject({ says: 'hold', code: 'CLOCK_ODD', why: expect.stringContaining('behind') })
  expect(clock.judge(readingOnly(), off(3_600_000), NOW)).toEqual({ says: 'pass' })
})

it('passes what whole seconds and a slow answer explain', () => {
  for (const ms of [0, 1_500, -1_500, 60_000]) expect(clock.judge(plannedCase(), off(ms), NOW)).toEqual({ says: 'pass' })
  expect(clock.judge(plannedCase(), seen(), NOW)).toEqual({ says: 'pass' })
})
