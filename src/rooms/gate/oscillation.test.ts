import { expect, it } from 'vitest'
import { NOW, past, plannedCase, seen, tried } from '../../../test/gate-case.ts'
import type { Attempt } from '../../domain/history.ts'
import { oscillation } from './oscillation.ts'

/** The plan scales up. */
const judge = (...tries: readonly Attempt[]) => oscillation.judge(plannedCase(), seen({ past: past(...tries) }), NOW)
const up = (minutes: number) => tried(minutes, { direction: 'up' })
const down = (minutes: number) => tried(minutes, { direction: 'down' })

it('refuses after as many undone changes as the policy names', () => {
  const other = { action: 'restart_pod', outcome: 'undone' } as const
  expect(judge(tried(10, other))).toEqual({ says: 'pass' })
  expect(judge(tried(10, other), tried(20, other))).toMatchObject({ says: 'refuse', code: 'OSCILLATION' })
})

it('refuses at once what was undone here before, whichever alert asked for it then', () => {
  expect(judge(tried(10, { outcome: 'undone', alert: 'AnotherAlert' }))).toMatchObject({ says: 'refuse', code: 'OSCILLATION' })
  expect(judge(tried(61, { outcome: 'undone' }))).toEqual({ says: 'pass' })
})

it('counts turns from up to down and back, the planned one included', () => {
  expect(judge(down(10))).toEqual({ says: 'pass' })
  expect(judge(down(10), up(20))).toMatchObject({ code: 'OSCILLATION' })
  expect(judge(up(10), up(20), up(30))).toEqual({ says: 'pass' })
})

it('counts per action: a restart between does not hide a turn, another action does not make one', () => {
  expect(judge(down(10), tried(15, { action: 'restart_pod' }), up(20))).toMatchObject({ code: 'OSCILLATION' })
  expect(judge(tried(10, { action: 'increase_resources', direction: 'down' }), tried(20, { action: 'increase_resources', direction: 'up' }))).toEqual({ says: 'pass' })
})

it('forgets what left the window', () => {
  expect(judge(down(61), up(62), down(63), tried(64, { outcome: 'undone' }))).toEqual({ says: 'pass' })
})
