import { expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { confidence } from './confidence.ts'

const sure = (value: number, by: 'rule' | 'person' = 'rule') => ({ decision: { ...plannedCase().decision, confidence: value, by } })

it('refuses a decision that is less certain than asked for', () => {
  expect(confidence.judge(plannedCase({}, sure(0.7)), seen(), NOW)).toEqual({ says: 'pass' })
  expect(confidence.judge(plannedCase({}, sure(0.69)), seen(), NOW)).toMatchObject({ says: 'refuse', code: 'CONFIDENCE_LOW' })
  expect(confidence.judge(plannedCase({}, sure(Number.NaN)), seen(), NOW)).toMatchObject({ code: 'CONFIDENCE_LOW' })
})

it('does not measure people, nor what changes nothing', () => {
  expect(confidence.judge(plannedCase({}, sure(0, 'person')), seen(), NOW)).toEqual({ says: 'pass' })
  expect(confidence.judge(readingOnly(sure(0)), seen(), NOW)).toEqual({ says: 'pass' })
})
