import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { httpOf } from '../practice/http.ts'
import { makeReader } from './reader.ts'
import { makeTransport } from './transport.ts'

const PODS = '/api/v1/namespaces/team-a/pods'
const page = (names: readonly string[], next = '') => ({
  kind: 'PodList',
  metadata: { resourceVersion: '9', continue: next },
  items: names.map((name) => ({ metadata: { name } })),
})
const gone = { kind: 'Status', status: 'Failure', reason: 'Expired', message: 'the provided continue parameter is too old', code: 410 }

/** Canned answers by path and query, and what was asked for. */
function canned(answer: (url: URL) => object | string) {
  const ports = manualPorts()
  const asked: string[] = []
  const app = new Hono().all('*', (context) => {
    const url = new URL(context.req.url)
    asked.push(`${context.req.method} ${url.pathname}${url.search}`)
    const body = answer(url)
    if (typeof body === 'string') return new Response(body, { headers: { 'content-type': 'text/plain' } })
    return Response.json(body, { status: 'code' in body && typeof body.code === 'number' ? body.code : 200 })
  })
  const transport = makeTransport({ ...ports, http: httpOf(async (request) => app.fetch(request)), server: 'http://api', headers: async () => ({}) })
  return { ports, asked, reader: makeReader(transport, 'team-a') }
}
const namesOf = (objects: readonly { readonly metadata?: { readonly name?: string } }[]) => objects.map(({ metadata }) => metadata?.name)

describe('a long list', () => {
  it('is read page by page, each with the same selectors', async () => {
    const pages: Record<string, object> = { '': page(['a', 'b'], 'p2'), p2: page(['c'], 'p3'), p3: page(['d']) }
    const { asked, reader } = canned((url) => pages[url.searchParams.get('continue') ?? ''] ?? {})
    expect(namesOf(await reader.list('Pod', { labels: 'app=web', fields: 'spec.nodeName=n' }))).toEqual(['a', 'b', 'c', 'd'])
    expect(asked).toEqual(['', '&continue=p2', '&continue=p3'].map((next) => `GET ${PODS}?limit=500${next}&labelSelector=app%3Dweb&fieldSelector=spec.nodeName%3Dn`))
  })

  it('begins again, once, when the place in it has expired', async () => {
    let expired = 1
    const { reader } = canned((url) => (url.searchParams.get('continue') === null ? page(['a'], 'p2') : expired-- > 0 ? gone : page(['b'])))
    expect(namesOf(await reader.list('Pod'))).toEqual(['a', 'b'])
    const never = canned((url) => (url.searchParams.get('continue') === null ? page(['a'], 'p2') : gone))
    await expect(never.reader.list('Pod')).rejects.toMatchObject({ code: 'CLUSTER_GONE' })
    expect(never.asked).toHaveLength(4)
  })
})

describe('an answer that is not what was asked for', () => {
  it.each([
    ['another kind', { kind: 'Service', metadata: { name: 'web' } }],
    ['no object', []],
    ['text', 'hello'],
  ])('%s is a fault, never an object', async (_, body) => {
    const { reader } = canned(() => body)
    await expect(reader.get('Pod', 'web')).rejects.toMatchObject({ code: 'CLUSTER_ERROR' })
    await expect(reader.list('Pod')).rejects.toMatchObject({ code: 'CLUSTER_ERROR' })
  })

  it('a list that is not served is a fault, never empty', async () => {
    const { reader } = canned(() => ({ kind: 'Status', message: 'the server could not find the requested resource', code: 404 }))
    await expect(reader.list('PodMetrics')).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' })
    expect(await reader.get('PodMetrics', 'web')).toBeUndefined()
  })
})

describe('a name', () => {
  it.each(['', '.', '..', '../../other/secrets/s', 'a%2fb'])('that no object can have (%j) is not asked for', async (name) => {
    const { asked, reader } = canned(() => ({ kind: 'Pod', metadata: {} }))
    expect(await reader.get('Pod', name)).toBeUndefined()
    expect(await reader.object({ apiVersion: 'v1', kind: 'Pod', name })).toBeUndefined()
    await expect(reader.logs(name, { container: 'main', previous: false, tailLines: 1, limitBytes: 1 })).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' })
    expect(asked).toEqual([])
  })

  it('with odd characters stays one name', async () => {
    const { asked, reader } = canned(() => ({ kind: 'Status', message: 'not found', code: 404 }))
    await reader.get('Pod', 'a?b#c d')
    expect(asked).toEqual([`GET ${PODS}/a%3Fb%23c%20d`])
  })
})

describe('logs', () => {
  it('come as text, bounded where they are read, even when they look like JSON', async () => {
    const { asked, reader } = canned(() => '{"level":"error"}\n')
    expect(await reader.logs('web-1', { container: 'main', previous: true, tailLines: 50, limitBytes: 4_096 })).toBe('{"level":"error"}\n')
    expect(asked).toEqual([`GET ${PODS}/web-1/log?container=main&previous=true&tailLines=50&limitBytes=4096`])
  })
})

describe('discovery', () => {
  const ROLLOUTS = '/apis/argoproj.io/v1alpha1'
  const rollout = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'web' }

  it('is asked once for a group that is served, and again after a minute for a kind that is not', async () => {
    let served: { name: string; kind: string; namespaced: boolean }[] = [{ name: 'analysisruns', kind: 'AnalysisRun', namespaced: true }]
    const { ports, asked, reader } = canned((url) => (url.pathname === ROLLOUTS ? { resources: served } : { kind: 'Rollout', metadata: { name: 'web' } }))
    expect(await reader.object(rollout)).toBeUndefined()
    served = [
      { name: 'rollouts', kind: 'Rollout', namespaced: true },
      { name: 'rollouts/status', kind: 'Rollout', namespaced: true },
    ]
    expect(await reader.object(rollout)).toBeUndefined()
    await ports.advance(60_000)
    expect(await reader.object(rollout)).toMatchObject({ kind: 'Rollout' })
    expect(await reader.object(rollout)).toMatchObject({ kind: 'Rollout' })
    expect(asked).toEqual([`GET ${ROLLOUTS}`, `GET ${ROLLOUTS}`, `GET ${ROLLOUTS}/namespaces/team-a/rollouts/web`, `GET ${ROLLOUTS}/namespaces/team-a/rollouts/web`])
  })

  it('reads kinds of the whole cluster where they live', async () => {
    const { asked, reader } = canned((url) =>
      url.pathname === '/apis/storage.k8s.io/v1'
        ? { resources: [{ name: 'storageclasses', kind: 'StorageClass', namespaced: false }] }
        : { kind: 'StorageClass', metadata: { name: 'fast' } },
    )
    expect(await reader.object({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', name: 'fast' })).toMatchObject({ metadata: { name: 'fast' } })
    expect(asked.at(-1)).toBe('GET /apis/storage.k8s.io/v1/storageclasses/fast')
  })

  it('that fails is a fault, not an absent kind, and is asked again', async () => {
    let broken = true
    const { reader } = canned((url) =>
      url.pathname !== ROLLOUTS
        ? { kind: 'Rollout', metadata: {} }
        : broken
          ? { code: 503, kind: 'Status', message: 'unavailable' }
          : { resources: [{ name: 'rollouts', kind: 'Rollout', namespaced: true }] },
    )
    await expect(reader.object(rollout)).rejects.toMatchObject({ code: 'CLUSTER_ERROR' })
    broken = false
    expect(await reader.object(rollout)).toMatchObject({ kind: 'Rollout' })
  })
})
