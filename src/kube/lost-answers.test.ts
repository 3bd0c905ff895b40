// Writes whose answer is lost, or that meet a server in trouble: what was done is found by looking, and nothing is done twice.
import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import type { Step } from '../domain/plan.ts'
import type { ObjectRef } from '../domain/target.ts'
import { httpOf } from '../practice/http.ts'
import { makePractice } from '../practice/server.ts'
import type { ExecRequest } from './exec.ts'
import { makeLedger } from './ledger.ts'
import { makeTransport } from './transport.ts'
import { makeWriter } from './writer.ts'

const deployment: ObjectRef = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team-a', name: 'web', uid: 'u-1' }
const labels = { app: 'web' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'web' }] } }
const scale: Step = {
  kind: 'patch',
  object: deployment,
  subresource: 'scale',
  ops: [
    { op: 'test', path: '/spec/replicas', value: 2 },
    { op: 'replace', path: '/spec/replicas', value: 4 },
  ],
  why: 'test',
}
const create: Step = { kind: 'create', object: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'team-a', name: 'made' }, manifest: { data: {} }, why: 'test' }
const entry = { caseId: 'C1', owner: 'o', targetUid: 'u', alert: 'a', action: 'x', planHash: 'h', term: 1, undo: { impossible: 'no' } } as const

function troubled() {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  practice.load([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'team-a', uid: 'u-1' }, spec: { replicas: 2, selector: { matchLabels: labels }, template } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', namespace: 'team-a', uid: 'p-1' }, spec: template.spec },
  ])
  const transport = makeTransport({ ...ports, http: httpOf(practice.fetch), server: 'http://practice', headers: async () => ({ authorization: `Bearer ${practice.adminToken}` }) })
  const writes = () => practice.requests.filter(({ method }) => method !== 'GET').map(({ method, status }) => `${method} ${status}`)
  return { ports, practice, transport, writes, writer: makeWriter(transport), ledger: makeLedger(transport, 'team-a') }
}

describe('the writer', () => {
  it('does not know whether a patch took effect whose answer was lost, and a second one cannot do it twice', async () => {
    const { practice, writer, writes } = troubled()
    practice.faults.add({ match: { method: 'PATCH' }, times: 1, then: { kind: 'cut-after' } })
    await expect(writer.send(scale, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_ANSWER_UNKNOWN' })
    await expect(writer.send(scale, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    expect(writes()).toEqual(['PATCH 200', 'PATCH 422'])
    expect(practice.store.get('Deployment', 'team-a', 'web')?.spec).toMatchObject({ replicas: 4 })
  })

  it('is done with a create or a delete that is sent again after a lost answer', async () => {
    const { practice, writer } = troubled()
    practice.faults.add({ match: { method: 'POST' }, times: 1, then: { kind: 'cut-after' } })
    await expect(writer.send(create, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_ANSWER_UNKNOWN' })
    expect(await writer.send(create, 'C1', 0)).toEqual({ done: true })
    const remove: Step = { kind: 'delete', object: { ...deployment }, why: 'test' }
    practice.faults.add({ match: { method: 'DELETE' }, times: 1, then: { kind: 'cut-after' } })
    await expect(writer.send(remove, 'C1', 1)).rejects.toMatchObject({ code: 'CLUSTER_ANSWER_UNKNOWN' })
    expect(await writer.send(remove, 'C1', 1)).toEqual({ done: true })
  })

  it('sends a write exactly once, however the API server answers', async () => {
    const { ports, practice, writer, writes } = troubled()
    for (const status of [409, 429, 500, 503]) practice.faults.add({ match: { method: 'PATCH' }, times: 1, then: { kind: 'status', status, retryAfter: 1 } })
    for (const code of ['CLUSTER_CONFLICT', 'CLUSTER_THROTTLED', 'CLUSTER_ERROR', 'CLUSTER_ERROR']) {
      await expect(writer.send(scale, 'C1', 0)).rejects.toMatchObject({ code })
      await ports.advance(60_000)
    }
    expect(writes()).toEqual(['PATCH 409', 'PATCH 429', 'PATCH 500', 'PATCH 503'])
  })

  it('does not send a wait, nor a step without a uid', async () => {
    const { writer, writes } = troubled()
    await expect(writer.send({ kind: 'wait', object: deployment, until: 'ready', seconds: 1, why: 'test' }, 'C1', 0)).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(writer.send({ ...scale, object: { ...deployment, uid: '' } }, 'C1', 0)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(writes()).toEqual([])
  })

  it('runs a command in exactly the pod it was planned for, and a failing command is a fault', async () => {
    const { transport } = troubled()
    const ran: ExecRequest[] = []
    const writer = makeWriter(transport, {
      exec: async (request) => {
        ran.push(request)
        return { exitCode: ran.length - 1, stdout: '', stderr: '' }
      },
    })
    const object: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace: 'team-a', name: 'web-1', uid: 'p-1' }
    const step = { kind: 'exec', object, container: 'main', argv: ['flush', '--all'], why: 'test' } as const
    await expect(writer.send({ ...step, object: { ...object, uid: 'another' } }, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    expect(ran).toEqual([])
    expect(await writer.send(step, 'C1', 0)).toEqual({ done: true })
    await expect(writer.send(step, 'C1', 0)).rejects.toMatchObject({ code: 'EXEC_FAILED', message: expect.stringContaining('exit code 1') })
    expect(ran[0]).toEqual({ namespace: 'team-a', pod: 'web-1', container: 'main', argv: ['flush', '--all'] })
  })
})

describe('the ledger', () => {
  it('finds by looking that an entry whose answer was lost is there', async () => {
    const { ports, practice, ledger, writes } = troubled()
    practice.faults.add({ match: { method: 'POST' }, times: 1, then: { kind: 'cut-after' } })
    const entered = ledger.enter(entry)
    await ports.advance(1_000)
    await entered
    expect(writes()).toEqual(['POST 201'])
    expect(await ledger.entries()).toMatchObject([{ caseId: 'C1' }])
  })

  it('tries again when somebody else was faster, five times and not for ever', async () => {
    const { ports, practice, ledger, writes } = troubled()
    await ledger.enter({ ...entry, caseId: 'C0' })
    practice.faults.add({ match: { method: 'PATCH' }, times: 3, then: { kind: 'status', status: 409 } })
    const entered = ledger.enter(entry)
    await ports.advance(10_000)
    await entered
    expect(writes()).toEqual(['POST 201', 'PATCH 409', 'PATCH 409', 'PATCH 409', 'PATCH 200'])

    practice.faults.add({ match: { method: 'PATCH' }, then: { kind: 'status', status: 409 } })
    const refused = expect(ledger.complete('C1', 'fixed')).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    await ports.advance(60_000)
    await refused
    expect(writes()).toHaveLength(5 + 6)
  })

  it('tries again when its ConfigMap vanished between reading and writing', async () => {
    const { ports, practice, ledger, writes } = troubled()
    await ledger.enter({ ...entry, caseId: 'C0' })
    practice.faults.add({ match: { method: 'PATCH' }, times: 1, then: { kind: 'status', status: 404 } })
    const entered = ledger.enter(entry)
    await ports.advance(1_000)
    await entered
    expect(writes()).toEqual(['POST 201', 'PATCH 404', 'PATCH 200'])
  })

  it.each([
    ['refused', { kind: 'status', status: 403 }, 'CLUSTER_FORBIDDEN'],
    ['failing', { kind: 'status', status: 500 }, 'CLUSTER_ERROR'],
    ['unreachable', { kind: 'cut-before' }, 'CLUSTER_UNREACHABLE'],
  ] as const)('is a fault when its API server is %s, so that nothing is written without an entry', async (_, then, code) => {
    const { practice, ledger } = troubled()
    practice.faults.add({ match: { path: '/api/v1/namespaces/team-a/configmaps' }, then })
    await expect(ledger.enter(entry)).rejects.toMatchObject({ code })
  })

  it('is made anew when somebody removed it, and completing what was removed is no fault', async () => {
    const { practice, ledger } = troubled()
    await ledger.enter(entry)
    practice.store.remove('ConfigMap', 'team-a', 'alerts-slm-ledger')
    await ledger.complete('C1', 'fixed')
    expect(await ledger.entries()).toEqual([])
    await ledger.enter(entry)
    expect(await ledger.entries()).toHaveLength(1)
  })

  it('takes an entry of a completed case as a new attempt', async () => {
    const { ports, ledger } = troubled()
    await ledger.enter(entry)
    await ledger.complete('C1', 'undone')
    await ports.advance(60_000)
    await ledger.enter(entry)
    const [kept] = await ledger.entries()
    expect(kept).not.toHaveProperty('outcome')
    expect(kept?.at).toBe(ports.clock.now())
  })
})
