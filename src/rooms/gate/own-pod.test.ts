import { expect, it } from 'vitest'
import { evicting, NOW, plannedCase, ref, restartedAt, scaleTo, seen, WEB, WEB_1 } from '../../../test/gate-case.ts'
import { NO_BLAST } from '../../domain/plan.ts'
import { ownPod } from './own-pod.ts'

const refused = { says: 'refuse', code: 'OWN_POD' }
const inWeb = seen({ self: { pod: WEB_1, owner: WEB } })

it('refuses to stop its own pod, by name or by a rollout of its owner', () => {
  expect(ownPod.judge(evicting(), inWeb, NOW)).toMatchObject(refused)
  expect(ownPod.judge(plannedCase({ steps: [restartedAt()], blast: NO_BLAST }), inWeb, NOW)).toMatchObject(refused)
})

it('may stop another pod of the same workload', () => {
  expect(ownPod.judge(evicting(ref('Pod', 'web-2')), inWeb, NOW)).toEqual({ says: 'pass' })
})

it('may grow its own workload but not shrink it', () => {
  expect(ownPod.judge(plannedCase(), inWeb, NOW)).toEqual({ says: 'pass' })
  expect(ownPod.judge(plannedCase({ steps: [scaleTo(2)], blast: { ...NO_BLAST, replicas: { from: 3, to: 2 } } }), inWeb, NOW)).toMatchObject(refused)
})

it('has nothing to say outside a cluster', () => {
  expect(ownPod.judge(evicting(), seen(), NOW)).toEqual({ says: 'pass' })
})
