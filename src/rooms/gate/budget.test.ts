import { expect, it } from 'vitest'
import { NOW, past, plannedCase, readingOnly, seen, tried } from '../../../test/gate-case.ts'
import type { Attempt } from '../../domain/history.ts'
import { budget } from './budget.ts'

const limited = (perTarget: number, perRule: number, perNamespace: number) => ({ policy: { budget: { perTarget, perRule, perNamespace, windowMs: 3_600_000 } } })
const judge = (tries: readonly Attempt[], limit: ReturnType<typeof limited>, file = plannedCase()) => budget.judge(file, seen({ past: past(...tries), ...limit }), NOW)

it('holds until the window frees room, by workload, rule and namespace', () => {
  const tries = [tried(10), tried(20), tried(30)]
  expect(judge(tries, limited(4, 4, 4))).toEqual({ says: 'pass' })
  expect(judge(tries, limited(3, 9, 9))).toMatchObject({ says: 'hold', code: 'BUDGET_TARGET', until: NOW + 30 * 60_000 })
  expect(judge(tries, limited(9, 3, 9))).toMatchObject({ says: 'hold', code: 'BUDGET_RULE' })
  expect(judge(tries, limited(9, 9, 2))).toMatchObject({ says: 'hold', code: 'BUDGET_NAMESPACE', until: NOW + 40 * 60_000 })
})

it('forgets what left the window and does not count its own case', () => {
  expect(judge([tried(60), tried(61)], limited(1, 1, 1))).toEqual({ says: 'pass' })
  expect(judge([tried(1, { caseId: 'case-now' })], limited(1, 1, 1))).toEqual({ says: 'pass' })
})

it('counts attempts whose time lies ahead: the clock may have gone back', () => {
  expect(judge([tried(-10)], limited(1, 9, 9))).toMatchObject({ code: 'BUDGET_TARGET' })
})

it('refuses where nothing at all is allowed', () => {
  expect(judge([], limited(0, 9, 9))).toMatchObject({ says: 'refuse', code: 'BUDGET_TARGET' })
})

it('holds when the past cannot be read, unless nothing is written', () => {
  const unread = seen({ past: { unknown: 'disk' } })
  expect(budget.judge(plannedCase(), unread, NOW)).toMatchObject({ says: 'hold', code: 'HISTORY_UNREADABLE' })
  expect(budget.judge(readingOnly(), unread, NOW)).toEqual({ says: 'pass' })
})
