import { expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly } from '../../../test/gate-case.ts'
import { type Rehearse, rehearsal } from './rehearsal.ts'

const judge = (answer: Awaited<ReturnType<Rehearse>>, file = plannedCase()) =>
  rehearsal(
    file,
    async () => answer,
    () => NOW,
  )

it('passes what the API server takes, refuses what it refuses, and holds when it does not say', async () => {
  expect(await judge({ says: 'ok' })).toEqual({ says: 'pass' })
  expect(await judge({ says: 'refused', code: 'REHEARSAL_INVALID', why: 'no such field' })).toMatchObject({
    says: 'refuse',
    code: 'REHEARSAL_REFUSED',
    why: expect.stringContaining('no such field'),
  })
  expect(await judge({ unknown: 'timeout' })).toMatchObject({ says: 'hold', code: 'REHEARSAL_UNKNOWN', until: NOW + 30_000 })
})

it('sends nothing for a plan that only reads', async () => {
  const never: Rehearse = () => Promise.reject(new Error('rehearsed'))
  expect(await rehearsal(readingOnly(), never, () => NOW)).toEqual({ says: 'pass' })
})
