import { expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { killSwitch } from './kill-switch.ts'

it('refuses every write while the kill switch is on, and lets what only reads pass', () => {
  const on = seen({ policy: { killSwitch: true } })
  expect(killSwitch.judge(plannedCase(), on, NOW)).toMatchObject({ says: 'refuse', code: 'KILL_SWITCH' })
  expect(killSwitch.judge(readingOnly(), on, NOW)).toEqual({ says: 'pass' })
  expect(killSwitch.judge(plannedCase(), seen(), NOW)).toEqual({ says: 'pass' })
})

it('holds when the policy was not confirmed in time', () => {
  expect(killSwitch.judge(plannedCase(), seen({ policy: { confirmedAt: NOW - 30_000 } }), NOW)).toEqual({ says: 'pass' })
  expect(killSwitch.judge(plannedCase(), seen({ policy: { confirmedAt: NOW - 30_001 } }), NOW)).toMatchObject({ says: 'hold', code: 'POLICY_STALE', until: NOW + 30_000 })
})

it('holds when the clock went back behind the confirmation', () => {
  expect(killSwitch.judge(plannedCase(), seen({ policy: { confirmedAt: NOW + 3_600_000 } }), NOW)).toMatchObject({
    code: 'POLICY_STALE',
    why: expect.stringContaining('in the future'),
  })
})
