import { describe, expect, it } from 'vitest'
import { NOW, POLICY, past, plannedCase, seen, tried } from '../../../test/gate-case.ts'
import type { Attempt } from '../../domain/history.ts'
import type { Policy } from '../../domain/policy.ts'
import { recheck } from './recheck.ts'
import type { Seen } from './seen.ts'

const again = (saw: Seen, over: { readonly policy?: Partial<Policy>; readonly fresh?: readonly Attempt[] } = {}) => {
  const fresh = over.fresh ?? []
  return recheck(plannedCase(), saw, {
    policy: { ...POLICY, ...over.policy },
    attempts: { forOwner: () => fresh, forRule: () => fresh, inNamespace: () => fresh },
    now: NOW,
  })
}
const stops = (answers: ReturnType<typeof again>) => answers.flatMap((answer) => ('code' in answer ? [answer.code] : []))

describe('once more before the intent', () => {
  it('goes on when nothing changed', () => {
    expect(again(seen())).toEqual([])
  })

  it.each([
    ['the kill switch', { killSwitch: true }, 'KILL_SWITCH'],
    ['a lower mode', { mode: 'observe' as const }, 'OBSERVE_MODE'],
    ['an action that is not allowed any more', { allowedActions: [] }, 'ACTION_NOT_ALLOWED'],
  ])('stops for %s that came since', (_, policy, code) => {
    expect(stops(again(seen(), { policy }))).toEqual([code])
  })

  it('counts the intents of other cases that were committed since', () => {
    const other = { action: 'other', caseId: 'other' }
    expect(stops(again(seen(), { policy: { budget: { ...POLICY.budget, perTarget: 1 } }, fresh: [tried(0, other)] }))).toEqual(['BUDGET_TARGET'])
    expect(stops(again(seen(), { fresh: [tried(0)] }))).toEqual(['COOLDOWN'])
  })

  it('still knows what only the ledger knew', () => {
    expect(stops(again(seen({ past: past(tried(1, { caseId: 'lost' })) })))).toEqual(['COOLDOWN'])
  })

  it('counts a case once that both know', () => {
    const twice = [tried(10)]
    expect(again(seen({ past: past(...twice) }), { policy: { budget: { ...POLICY.budget, perTarget: 2 } }, fresh: twice })).toEqual([])
  })
})
