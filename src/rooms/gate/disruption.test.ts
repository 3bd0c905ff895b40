import { describe, expect, it } from 'vitest'
import { evicting, NOW, PLAN, plannedCase, pod, ref, seen } from '../../../test/gate-case.ts'
import { NO_BLAST } from '../../domain/plan.ts'
import { disruption } from './disruption.ts'
import type { Seen } from './seen.ts'

type Pods = Extract<Seen['pods'], readonly unknown[]>
type Budgets = Extract<Seen['budgets'], readonly unknown[]>
const PASS = { says: 'pass' }
const three: Pods = [pod('web-1'), pod('web-2'), pod('web-3')]
const budget = (allowed: number, over: { readonly policy?: string; readonly now?: number; readonly wanted?: number; readonly app?: string } = {}): Budgets[number] => ({
  metadata: { name: 'web' },
  spec: { selector: { matchLabels: { app: over.app ?? 'web' } }, ...(over.policy !== undefined && { unhealthyPodEvictionPolicy: over.policy }) },
  status: { disruptionsAllowed: allowed, currentHealthy: over.now ?? 3, desiredHealthy: over.wanted ?? 3, expectedPods: 3 },
})
const stop = (pods: Pods, budgets: Budgets = [], share = 1) =>
  disruption.judge(evicting(), seen({ pods, budgets, policy: { limits: { maxReplicas: 9, maxMemoryBytes: 1, maxPodShare: share } } }), NOW)
/** The controller chooses which pods stop. */
const rolling = (podsLost: number, pods: Pods, budgets: Budgets = [], share = 1) =>
  disruption.judge(
    plannedCase({ blast: { ...NO_BLAST, podsLost }, before: { ...PLAN.before, desired: 3 } }),
    seen({ pods, budgets, policy: { limits: { maxReplicas: 9, maxMemoryBytes: 1, maxPodShare: share } } }),
    NOW,
  )

describe('disruption budgets', () => {
  it('are kept for pods stopped by name', () => {
    expect(stop(three, [budget(1)])).toEqual(PASS)
    expect(stop(three, [budget(0)])).toMatchObject({ says: 'refuse', code: 'DISRUPTION_BUDGET' })
    expect(stop(three, [budget(0, { app: 'api' })])).toEqual(PASS)
  })

  it('do not stand in the way of an unready pod where the API server would not count it', () => {
    const sick = [pod('web-1', { ready: false }), pod('web-2'), pod('web-3')]
    expect(stop(sick, [budget(0, { now: 2, wanted: 2 })])).toEqual(PASS)
    expect(stop(sick, [budget(0, { now: 2, wanted: 3 })])).toMatchObject({ code: 'DISRUPTION_BUDGET' })
    expect(stop(sick, [budget(0, { now: 2, wanted: 3, policy: 'AlwaysAllow' })])).toEqual(PASS)
    const pending = [pod('web-1', { ready: false, phase: 'Pending' }), pod('web-2'), pod('web-3')]
    expect(stop(pending, [budget(0, { now: 2, wanted: 3 })])).toEqual(PASS)
  })

  it('of which two select one pod let nobody evict it', () => {
    expect(stop(three, [budget(3), budget(3)])).toMatchObject({ code: 'DISRUPTION_BUDGET', why: expect.stringContaining('more than one') })
  })

  it('are kept for what a controller may stop, which takes unready pods first', () => {
    expect(rolling(1, three, [budget(1)])).toEqual(PASS)
    expect(rolling(2, three, [budget(1)])).toMatchObject({ code: 'DISRUPTION_BUDGET' })
    expect(rolling(1, [pod('web-1', { ready: false }), pod('web-2'), pod('web-3')], [budget(0)])).toEqual(PASS)
  })
})

describe('the last healthy pod', () => {
  it('stays', () => {
    expect(stop([pod('web-1'), pod('web-2', { ready: false })])).toMatchObject({ says: 'refuse', code: 'LAST_HEALTHY_POD' })
    expect(stop([pod('web-1')])).toMatchObject({ code: 'LAST_HEALTHY_POD' })
    expect(rolling(3, three)).toMatchObject({ code: 'LAST_HEALTHY_POD' })
  })

  it('may go when it is itself the trouble', () => {
    expect(stop([pod('web-1', { ready: false }), pod('web-2', { ready: false })])).toEqual(PASS)
    expect(stop([pod('web-1', { diedMsAgo: 60_000 })])).toEqual(PASS)
    expect(stop([pod('web-1', { diedMsAgo: 3_600_000 })])).toMatchObject({ code: 'LAST_HEALTHY_POD' })
  })

  it('is the other one when a sick pod is stopped', () => {
    expect(stop([pod('web-1', { ready: false }), pod('web-2')])).toEqual(PASS)
  })

  it('is not saved by a pod that is only ready between two crashes', () => {
    expect(stop([pod('web-1'), pod('web-2', { diedMsAgo: 60_000 })])).toMatchObject({ code: 'LAST_HEALTHY_POD' })
  })
})

describe('the share of pods', () => {
  it('is kept, and counts healthy pods only', () => {
    expect(stop(three, [], 0.3)).toMatchObject({ says: 'refuse', code: 'POD_SHARE' })
    expect(stop(three, [], 0.34)).toEqual(PASS)
    expect(rolling(2, three, [], 0.5)).toMatchObject({ code: 'POD_SHARE' })
    expect(stop([pod('web-1', { ready: false }), pod('web-2'), pod('web-3')], [], 0.1)).toEqual(PASS)
  })
})

describe('what cannot be read', () => {
  it('holds, only where pods stop', () => {
    const unread = { unknown: '403' }
    expect(disruption.judge(evicting(), seen({ pods: unread }), NOW)).toMatchObject({ says: 'hold', code: 'DISRUPTION_UNKNOWN' })
    expect(disruption.judge(evicting(), seen({ budgets: unread }), NOW)).toMatchObject({ says: 'hold', code: 'DISRUPTION_UNKNOWN' })
    expect(disruption.judge(evicting(ref('Pod', 'stranger')), seen(), NOW)).toMatchObject({ says: 'hold', code: 'DISRUPTION_UNKNOWN' })
    expect(disruption.judge(plannedCase(), seen({ pods: unread, budgets: unread }), NOW)).toEqual(PASS)
  })
})
