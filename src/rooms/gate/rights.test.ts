import { expect, it } from 'vitest'
import { NOW, plannedCase, readingOnly, seen } from '../../../test/gate-case.ts'
import { rights } from './rights.ts'

const scale = { right: { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['get', 'patch'] }, verb: 'patch' }
const list = { right: { apiGroup: '', resource: 'pods', verbs: ['list'] }, verb: 'list' }

it('names every right that is missing', () => {
  const verdict = rights.judge(plannedCase(), seen({ missingRights: [scale, list, scale] }), NOW)
  expect(verdict).toMatchObject({ says: 'refuse', code: 'RIGHT_MISSING', why: expect.stringContaining('may not patch deployments/scale.apps, list pods in team-a') })
})

it('holds when nobody can tell, unless nothing is written', () => {
  const unread = seen({ missingRights: { unknown: 'timeout' } })
  expect(rights.judge(plannedCase(), unread, NOW)).toMatchObject({ says: 'hold', code: 'RIGHTS_UNKNOWN' })
  expect(rights.judge(readingOnly(), unread, NOW)).toEqual({ says: 'pass' })
  expect(rights.judge(plannedCase(), seen(), NOW)).toEqual({ says: 'pass' })
})
