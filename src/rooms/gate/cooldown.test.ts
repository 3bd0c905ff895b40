import { expect, it } from 'vitest'
import { NOW, past, plannedCase, seen, tried } from '../../../test/gate-case.ts'
import type { Attempt } from '../../domain/history.ts'
import { cooldown } from './cooldown.ts'

const judge = (...tries: readonly Attempt[]) => cooldown.judge(plannedCase(), seen({ past: past(...tries) }), NOW)

it('holds until the cooldown of the newest try is over', () => {
  expect(judge(tried(4), tried(30))).toMatchObject({ says: 'hold', code: 'COOLDOWN', until: NOW + 60_000 })
  expect(judge(tried(5))).toEqual({ says: 'pass' })
  expect(judge()).toEqual({ says: 'pass' })
})

it('counts whatever the outcome, and while it is still open', () => {
  expect(judge(tried(1, { outcome: undefined }))).toMatchObject({ code: 'COOLDOWN' })
  expect(judge(tried(1, { outcome: 'undone' }))).toMatchObject({ code: 'COOLDOWN' })
})

it('counts per alert name and action, and not its own case', () => {
  expect(judge(tried(1, { action: 'restart_pod' }))).toEqual({ says: 'pass' })
  expect(judge(tried(1, { alert: 'KubePodNotReady' }))).toEqual({ says: 'pass' })
  expect(judge(tried(1, { caseId: 'case-now' }))).toEqual({ says: 'pass' })
})

it('holds when the past cannot be read', () => {
  expect(cooldown.judge(plannedCase(), seen({ past: { unknown: 'x' } }), NOW)).toMatchObject({ says: 'hold', code: 'HISTORY_UNREADABLE' })
})
