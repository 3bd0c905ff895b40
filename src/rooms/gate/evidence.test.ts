import { expect, it } from 'vitest'
import { evicting, NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { evidence } from './evidence.ts'

const decision = { ...plannedCase().decision, evidence: [] }

it('wants a fact of the cluster for every change', () => {
  expect(evidence.judge(plannedCase({}, { decision }), seen(), NOW)).toMatchObject({ says: 'refuse', code: 'EVIDENCE_MISSING' })
  expect(evidence.judge(evicting(undefined, { decision }), seen(), NOW)).toMatchObject({ code: 'EVIDENCE_MISSING' })
  expect(evidence.judge(plannedCase(), seen(), NOW)).toEqual({ says: 'pass' })
})

it('wants none for what changes nothing, or what a person decided', () => {
  expect(evidence.judge(readingOnly({ decision }), seen(), NOW)).toEqual({ says: 'pass' })
  expect(evidence.judge(plannedCase({}, { decision: { ...decision, by: 'person' } }), seen(), NOW)).toEqual({ says: 'pass' })
  expect(evidence.judge(plannedCase({}, { decision: { ...decision, by: 'model' } }), seen(), NOW)).toMatchObject({ code: 'EVIDENCE_MISSING' })
})
