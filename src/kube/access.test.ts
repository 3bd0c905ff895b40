import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import type { Right } from '../domain/plan.ts'
import { httpOf } from '../practice/http.ts'
import { makeAccess } from './access.ts'
import { makeTransport } from './transport.ts'

const PODS: Right = { apiGroup: '', resource: 'pods', verbs: ['get', 'delete'] }

function reviewed(answer: () => object) {
  const ports = manualPorts()
  const reviews: unknown[] = []
  const http = httpOf(async (request) => {
    const review: unknown = await request.json()
    reviews.push(review)
    const body = answer()
    return Response.json(body, { status: 'code' in body && typeof body.code === 'number' ? body.code : 201 })
  })
  const transport = makeTransport({ ...ports, http, server: 'http://api', headers: async () => ({}) })
  return { ports, reviews, access: makeAccess(transport, 'team-a', ports.clock) }
}

describe('rights', () => {
  it('are asked for in our namespace, with the subresource apart, and cluster-wide where the kind is', async () => {
    const { reviews, access } = reviewed(() => ({ status: { allowed: true } }))
    await access.missing([
      { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['patch'] },
      { apiGroup: '', resource: 'nodes', verbs: ['get'] },
    ])
    expect(reviews).toMatchObject([
      { spec: { resourceAttributes: { namespace: 'team-a', group: 'apps', resource: 'deployments', subresource: 'scale', verb: 'patch' } } },
      { spec: { resourceAttributes: { group: '', resource: 'nodes', verb: 'get' } } },
    ])
    expect(JSON.stringify(reviews[1])).not.toContain('team-a')
  })

  it('are believed for a minute and no longer', async () => {
    let allowed = true
    const { ports, reviews, access } = reviewed(() => ({ status: { allowed } }))
    expect(await access.missing([PODS])).toEqual([])
    allowed = false
    await ports.advance(59_999)
    expect(await access.missing([PODS, PODS])).toEqual([])
    expect(reviews).toHaveLength(2)
    await ports.advance(1)
    expect(await access.missing([PODS])).toHaveLength(2)
  })

  it.each([
    ['nobody answers', { kind: 'Status', message: 'etcd is away', code: 500 }],
    ['the answer says nothing', { kind: 'SelfSubjectAccessReview' }],
    ['a role could not be resolved', { status: { allowed: false, evaluationError: 'role "r" not found' } }],
  ])('are unknown when %s, and asked for again', async (_, body) => {
    const { reviews, access } = reviewed(() => body)
    expect(await access.missing([PODS])).toEqual({ unknown: expect.any(String) })
    const before = reviews.length
    await access.missing([PODS])
    expect(reviews.length).toBeGreaterThan(before)
  })
})
