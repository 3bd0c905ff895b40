import { describe, expect, it } from 'vitest'
import { makeOperations, type OperationsDeps } from './operations.ts'

const metrics = { contentType: 'text/plain; version=0.0.4', text: async () => 'a_total 1\n' }
const operations = (deps: Partial<OperationsDeps> = {}) => makeOperations({ readiness: {}, metrics, ...deps })

describe('/health', () => {
  it('is live whatever is missing: a restart would not bring it', async () => {
    const answer = await operations({ readiness: { store: () => 'locked' } }).request('/health')
    expect([answer.status, await answer.json()]).toEqual([200, { live: true }])
  })
  it('is not when only a restart helps', async () => {
    const answer = await operations({ stuck: () => 'no turn of the dispatcher for 60 s' }).request('/health')
    expect([answer.status, await answer.json()]).toEqual([503, { live: false, why: 'no turn of the dispatcher for 60 s' }])
  })
})

describe('/ready', () => {
  it('is ready when nothing is missing', async () => {
    const answer = await operations({ readiness: { store: () => undefined } }).request('/ready')
    expect([answer.status, await answer.json()]).toEqual([200, { ready: true }])
  })
  it('names everything that is missing', async () => {
    const answer = await operations({ readiness: { store: () => undefined, rules: () => 'no book', cluster: () => 'watch of pods is not synced' } }).request('/ready')
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({
      ready: false,
      missing: [
        { what: 'rules', why: 'no book' },
        { what: 'cluster', why: 'watch of pods is not synced' },
      ],
    })
  })
})

it('/metrics is in the format that Prometheus reads', async () => {
  const answer = await operations().request('/metrics')
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, 'text/plain; version=0.0.4', 'a_total 1\n'])
})

it('is only read', async () => {
  expect((await operations().request('/metrics', { method: 'POST' })).status).toBe(405)
  expect((await operations().request('/ready', { method: 'HEAD' })).status).toBe(200)
  expect((await operations().request('/debug')).status).toBe(404)
})
