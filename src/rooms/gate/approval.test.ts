import { expect, it } from 'vitest'
import { deployment, NOW, objects, plannedCase, readingOnly, scaleTo, seen, WEB_1 } from '../../../test/gate-case.ts'
import { planHash } from '../../domain/plan-hash.ts'
import { approval } from './approval.ts'

const asked = { says: 'ask', code: 'APPROVAL_NEEDED' }
const approving = { policy: { mode: 'approve' } } as const
const yes = (by = 'ada', plan = plannedCase().plan) => ({ planHash: planHash(plan), by, at: NOW })

it('asks in approve mode and above the safety class that enforce mode may use alone', () => {
  expect(approval.judge(plannedCase(), seen(), NOW)).toEqual({ says: 'pass' })
  expect(approval.judge(plannedCase(), seen(approving), NOW)).toMatchObject(asked)
  expect(approval.judge(plannedCase({ safety: 'destructive' }), seen(), NOW)).toMatchObject(asked)
  expect(approval.judge(plannedCase({ safety: 'reversible' }), seen({ policy: { approveAbove: 'harmless' } }), NOW)).toMatchObject(asked)
})

it('passes with the yes of a person to this very plan only', () => {
  expect(approval.judge(plannedCase(), seen({ ...approving, approval: yes() }), NOW)).toEqual({ says: 'pass' })
  expect(approval.judge(plannedCase({ steps: [scaleTo(5)] }), seen({ ...approving, approval: yes() }), NOW)).toMatchObject(asked)
  expect(approval.judge(plannedCase(), seen({ ...approving, approval: yes('') }), NOW)).toMatchObject(asked)
})

it("asks where the workload's label lowers the mode, or where it cannot be read", () => {
  const labelled = objects(deployment({ labels: { 'alerts-slm.io/mode': 'approve' } }), { kind: 'Pod', metadata: { name: 'web-1', uid: WEB_1.uid } })
  expect(approval.judge(plannedCase(), seen({ objects: labelled }), NOW)).toMatchObject(asked)
  expect(approval.judge(plannedCase(), seen({ objects: new Map() }), NOW)).toMatchObject(asked)
})

it('asks nobody for a plan that only reads', () => {
  expect(approval.judge(readingOnly(), seen(approving), NOW)).toEqual({ says: 'pass' })
})
