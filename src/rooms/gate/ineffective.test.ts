import { expect, it } from 'vitest'
import { NOW, past, plannedCase, seen, tried } from '../../../test/gate-case.ts'
import type { Attempt } from '../../domain/history.ts'
import { ineffective } from './ineffective.ts'

const judge = (...tries: readonly Attempt[]) => ineffective.judge(plannedCase(), seen({ past: past(...tries) }), NOW)
const vain = (minutes: number, over = {}) => tried(minutes, { outcome: 'unproven', ...over })

it('refuses the fourth try after three in vain', () => {
  expect(judge(vain(10), vain(20))).toEqual({ says: 'pass' })
  expect(judge(vain(10), vain(20), vain(30))).toMatchObject({ says: 'refuse', code: 'INEFFECTIVE', why: expect.stringContaining('3 times') })
  expect(judge(vain(10), vain(20, { outcome: 'undone' }), vain(30, { outcome: 'failed' }))).toMatchObject({ code: 'INEFFECTIVE' })
})

it('begins to count anew after one that was fixed', () => {
  expect(judge(vain(10), vain(20), tried(25), vain(30), vain(40))).toEqual({ says: 'pass' })
})

it('does not count what is still being verified, other alerts or other actions', () => {
  expect(judge(vain(10), vain(20), vain(30, { outcome: undefined }))).toEqual({ says: 'pass' })
  expect(judge(vain(10), vain(20), vain(30, { alert: 'Other' }))).toEqual({ says: 'pass' })
  expect(judge(vain(10), vain(20), vain(30, { action: 'restart_pod' }))).toEqual({ says: 'pass' })
})

it('is not fooled by the order in which it is told', () => {
  expect(judge(tried(40), vain(10), vain(30), vain(20))).toMatchObject({ code: 'INEFFECTIVE' })
})
