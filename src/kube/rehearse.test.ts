import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import type { Step } from '../domain/plan.ts'
import type { ObjectRef } from '../domain/target.ts'
import { httpOf } from '../practice/http.ts'
import { makePractice } from '../practice/server.ts'
import { makeRehearsal } from './rehearse.ts'
import { makeTransport } from './transport.ts'

const pod: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace: 'team-a', name: 'web-1', uid: 'u-1' }
const patch: Step = { kind: 'patch', object: pod, ops: [{ op: 'add', path: '/metadata/labels', value: { tried: 'x' } }], why: 'test' }
const evict: Step = { kind: 'evict', object: pod, why: 'test' }
const remove: Step = { kind: 'delete', object: pod, why: 'test' }
const create: Step = { kind: 'create', object: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'team-a', name: 'made' }, manifest: { data: {} }, why: 'test' }

function rehearsing() {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  practice.load([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', namespace: 'team-a', uid: 'u-1' }, spec: { containers: [{ name: 'main', image: 'web' }] } }])
  const transport = makeTransport({ ...ports, http: httpOf(practice.fetch), server: 'http://practice', headers: async () => ({ authorization: `Bearer ${practice.adminToken}` }) })
  return { ports, practice, rehearse: makeRehearsal(transport) }
}

describe('a rehearsal', () => {
  it('says dryRun in the query of every write, and in the body where the API server reads only that', async () => {
    const { practice, rehearse } = rehearsing()
    expect(await rehearse([patch, evict, remove, create])).toEqual({ says: 'ok' })
    const writes = practice.requests.filter(({ method }) => method !== 'GET')
    expect(writes.map(({ method }) => method)).toEqual(['PATCH', 'POST', 'DELETE', 'POST'])
    for (const { query } of writes) expect(new URLSearchParams(query).get('dryRun')).toBe('All')
    expect(writes[1]?.body).toMatchObject({ deleteOptions: { dryRun: ['All'], preconditions: { uid: 'u-1' } } })
    expect(writes[2]?.body).toMatchObject({ dryRun: ['All'], preconditions: { uid: 'u-1' } })
  })

  it('goes in order and ends at the first refusal', async () => {
    const { practice, rehearse } = rehearsing()
    expect(await rehearse([patch, { ...patch, object: { ...pod, uid: 'another' } }, create])).toMatchObject({ says: 'refused', code: 'REHEARSAL_CONFLICT' })
    expect(practice.requests.map(({ method }) => method)).toEqual(['PATCH', 'PATCH'])
  })

  it('refuses to send a step that names no uid', async () => {
    const { practice, rehearse } = rehearsing()
    await expect(rehearse([{ ...remove, object: { ...pod, uid: '' } }])).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(practice.requests).toEqual([])
  })

  it.each([
    ['the API server fails', { kind: 'status', status: 500 }],
    ['the API server is overloaded', { kind: 'status', status: 429 }],
    ['the connection breaks', { kind: 'cut-before' }],
    ['a webhook cannot be rehearsed', { kind: 'status', status: 400, message: 'admission webhook "v.example.com" does not support dry run' }],
  ] as const)('is unknown when %s', async (_, then) => {
    const { practice, rehearse } = rehearsing()
    practice.faults.add({ match: { method: 'PATCH' }, then })
    expect(await rehearse([patch])).toEqual({ unknown: expect.any(String) })
  })

  it('is unknown when nobody answers in time', async () => {
    const { ports, practice, rehearse } = rehearsing()
    practice.faults.add({ match: { method: 'PATCH' }, then: { kind: 'hang' } })
    const said = rehearse([patch])
    await ports.advance(15_000)
    expect(await said).toEqual({ unknown: expect.stringContaining('15000 ms') })
  })

  it('repeats what admission said', async () => {
    const { practice, rehearse } = rehearsing()
    practice.faults.add({ match: { method: 'PATCH' }, then: { kind: 'status', status: 403, message: 'pods "web-1" is forbidden: exceeded quota: small' } })
    expect(await rehearse([patch])).toMatchObject({ code: 'REHEARSAL_FORBIDDEN', why: expect.stringContaining('exceeded quota: small') })
  })
})
