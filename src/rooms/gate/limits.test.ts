import { expect, it } from 'vitest'
import { NOW, plannedCase, seen } from '../../../test/gate-case.ts'
import type { Blast } from '../../domain/plan.ts'
import { NO_BLAST } from '../../domain/plan.ts'
import { limits } from './limits.ts'
import type { Seen } from './seen.ts'

const Mi = 2 ** 20
const judge = (blast: Partial<Blast>, over: Parameters<typeof seen>[0] = {}) => limits.judge(plannedCase({ blast: { ...NO_BLAST, ...blast } }), seen(over), NOW)
const replicas = (to: number, from = 3) => ({ replicas: { from, to } })
const memory = (to: number, more = 0) => ({ memoryBytes: { from: 256 * Mi, to }, moreMemoryBytes: more })
type Quota = Extract<Seen['quotas'], readonly unknown[]>[number]
const quota = (resource: string, hard: string, used: string | undefined, scopes?: string[]): Quota => ({
  metadata: { name: 'q' },
  spec: { hard: { [resource]: hard }, ...(scopes && { scopes }) },
  status: { hard: { [resource]: hard }, ...(used !== undefined && { used: { [resource]: used } }) },
})

it('keeps replicas and memory within the policy', () => {
  expect(judge(replicas(10))).toEqual({ says: 'pass' })
  expect(judge(replicas(11))).toMatchObject({ says: 'refuse', code: 'LIMIT_REPLICAS' })
  expect(judge(memory(1024 * Mi))).toEqual({ says: 'pass' })
  expect(judge(memory(1024 * Mi + 1))).toMatchObject({ says: 'refuse', code: 'LIMIT_MEMORY' })
})

it('keeps memory within the maximum of every LimitRange', () => {
  const range = (type: string) => ({ limitRanges: [{ metadata: { name: 'lr' }, spec: { limits: [{ type, max: { memory: '512Mi' } }] } }] })
  expect(judge(memory(512 * Mi), range('Container'))).toEqual({ says: 'pass' })
  expect(judge(memory(513 * Mi), range('Container'))).toMatchObject({ says: 'refuse', code: 'LIMIT_RANGE', why: expect.stringContaining('lr') })
  expect(judge(memory(513 * Mi), range('Pod'))).toMatchObject({ code: 'LIMIT_RANGE' })
  expect(judge(memory(513 * Mi), range('PersistentVolumeClaim'))).toEqual({ says: 'pass' })
})

it.each([['requests.memory'], ['memory'], ['limits.memory']])('keeps what it adds within the room that the quota of %s leaves', (resource) => {
  const room = { quotas: [quota(resource, '1Gi', '512Mi')] }
  expect(judge(memory(512 * Mi, 512 * Mi), room)).toEqual({ says: 'pass' })
  expect(judge(memory(512 * Mi, 513 * Mi), room)).toMatchObject({ says: 'refuse', code: 'QUOTA_EXCEEDED' })
})

it('counts cores and pods as well', () => {
  expect(judge({ moreCpuCores: 0.6 }, { quotas: [quota('requests.cpu', '1', '500m')] })).toMatchObject({ code: 'QUOTA_EXCEEDED' })
  expect(judge(replicas(5), { quotas: [quota('pods', '10', '9')] })).toMatchObject({ code: 'QUOTA_EXCEEDED' })
  expect(judge(replicas(4), { quotas: [quota('pods', '10', '9')] })).toEqual({ says: 'pass' })
  expect(judge(replicas(2), { quotas: [quota('pods', '10', '10')] })).toEqual({ says: 'pass' })
})

it('leaves quotas aside that are not for such pods', () => {
  expect(judge(memory(512 * Mi, 513 * Mi), { quotas: [quota('requests.memory', '1Gi', '1Gi', ['BestEffort'])] })).toEqual({ says: 'pass' })
})

it('holds when what is left cannot be read, and only where something grows', () => {
  const unread = { unknown: '403' }
  expect(judge(memory(512 * Mi), { limitRanges: unread })).toMatchObject({ says: 'hold', code: 'LIMITS_UNKNOWN' })
  expect(judge(replicas(4), { quotas: unread })).toMatchObject({ says: 'hold', code: 'LIMITS_UNKNOWN' })
  expect(judge(replicas(4), { quotas: [quota('pods', '10', undefined)] })).toMatchObject({ says: 'hold', code: 'LIMITS_UNKNOWN' })
  expect(judge(replicas(2), { quotas: unread, limitRanges: unread })).toEqual({ says: 'pass' })
})
