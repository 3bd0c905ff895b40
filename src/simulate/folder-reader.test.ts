import { describe, expect, it } from 'vitest'
import { manualPorts, START } from '../../test/manual-ports.ts'
import { makeReader } from '../kube/reader.ts'
import { makeTransport } from '../kube/transport.ts'
import type { Kind, Reader, Selector } from '../kube/wire.ts'
import { httpOf } from '../practice/http.ts'
import { makePractice } from '../practice/server.ts'
import { folderReader } from './folder-reader.ts'

const meta = (name: string, labels: Record<string, string> = {}, more: object = {}) => ({ name, namespace: 'shop', labels, creationTimestamp: '2026-01-15T11:00:00Z', ...more })
const owned = (kind: string, name: string) => ({ ownerReferences: [{ apiVersion: 'apps/v1', kind, name, controller: true }] })
const pod = (name: string, labels: Record<string, string>, phase: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, labels, owned('ReplicaSet', 'web-1')),
  spec: { nodeName: 'n1', containers: [{ name: 'web', image: 'web:1' }] },
  status: { phase },
})
const MANIFESTS = [
  { apiVersion: 'v1', kind: 'List', items: [pod('web-a', { app: 'web', tier: 'front' }, 'Running'), pod('web-b', { app: 'web' }, 'Failed')] },
  { kind: 'PodList', apiVersion: 'v1', items: [{ metadata: meta('db-a', { app: 'db' }), spec: { containers: [{ name: 'db' }] }, status: { phase: 'Running' } }] },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: meta('web-1', { app: 'web' }, owned('Deployment', 'web')), spec: { replicas: 2 } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('web', {}),
    spec: { selector: { matchLabels: { app: 'web' } }, template: { spec: { containers: [{ name: 'web' }] } } },
  },
  { apiVersion: 'v1', kind: 'Event', metadata: meta('e1'), involvedObject: { kind: 'Pod', name: 'web-a', namespace: 'shop' }, reason: 'BackOff', type: 'Warning' },
  {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: meta('e2'),
    regarding: { kind: 'Pod', name: 'web-b', namespace: 'shop' },
    reason: 'Killing',
    type: 'Normal',
    eventTime: '2026-01-15T11:00:00Z',
  },
  { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', metadata: meta('web-a'), containers: [{ name: 'web', usage: { cpu: '5m' } }] },
  { apiVersion: 'v1', kind: 'Pod', metadata: { ...meta('other', { app: 'web' }), namespace: 'elsewhere' }, spec: { containers: [] } },
  { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
  { apiVersion: 'acme.example/v1', kind: 'Database', metadata: meta('db') },
]

async function both(): Promise<{ readonly folder: Reader; readonly live: Reader }> {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  practice.load(MANIFESTS)
  const transport = makeTransport({
    ...ports,
    http: httpOf(practice.fetch),
    server: 'http://api',
    headers: async () => ({ authorization: `Bearer ${practice.adminToken}` }),
    burst: 1_000,
  })
  return { folder: await folderReader({ manifests: MANIFESTS, logs: new Map() }, { namespace: 'shop', now: START }), live: makeReader(transport, 'shop') }
}

describe('a folder of manifests is read as the API server that holds them', () => {
  it.each<[Kind, Selector | undefined]>([
    ['Pod', undefined],
    ['Pod', { labels: 'app=web' }],
    ['Pod', { labels: 'app in (web,db),tier' }],
    ['Pod', { labels: 'app=web,!tier' }],
    ['Pod', { labels: 'app notin (db)' }],
    ['Pod', { labels: 'tier!=front' }],
    ['Pod', { fields: 'status.phase!=Failed,spec.nodeName=n1' }],
    ['Pod', { labels: 'app=web', fields: 'metadata.name=web-b' }],
    ['Event', { fields: 'involvedObject.name=web-a' }],
    ['Event', { fields: 'involvedObject.name=web-b,type=Normal' }],
    ['ReplicaSet', { labels: 'app=web' }],
    ['PodMetrics', undefined],
    ['Node', undefined],
    ['Job', undefined],
  ])('list %s %j', async (kind, selector) => {
    const { folder, live } = await both()
    const found = await folder.list(kind, selector)
    expect(found).toEqual(await live.list(kind, selector))
    expect(found.length > 0).toBe(kind !== 'Job')
  })
  it('get and object, of known kinds, unknown kinds, and what is not there', async () => {
    const { folder, live } = await both()
    for (const read of [folder, live]) {
      expect(await read.get('Pod', 'web-a')).toMatchObject({ kind: 'Pod', metadata: { ownerReferences: [{ uid: expect.stringMatching(/^0000/) }] } })
      expect(await read.get('Pod', 'other')).toBeUndefined()
      expect(await read.object({ apiVersion: 'acme.example/v1', kind: 'Database', name: 'db' })).toMatchObject({ kind: 'Database', metadata: { name: 'db' } })
      expect(await read.object({ apiVersion: 'acme.example/v1', kind: 'Table', name: 'db' })).toBeUndefined()
      expect(await read.object({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' })).toMatchObject({ spec: { replicas: 1 } })
      expect(await read.get('PodMetrics', 'web-a')).toMatchObject({ containers: [{ usage: { cpu: '5m' } }] })
    }
    expect(await folder.get('Deployment', 'web')).toEqual(await live.get('Deployment', 'web'))
  })
  it('refuses a field selector that the API server refuses', async () => {
    const { folder, live } = await both()
    for (const read of [folder, live]) await expect(read.list('Pod', { fields: 'spec.image=x' })).rejects.toMatchObject({ code: 'CLUSTER_INVALID' })
  })
})

it('cuts logs as asked, and a log that the folder lacks is a fault and not an empty log', async () => {
  const read = await folderReader(
    {
      manifests: MANIFESTS,
      logs: new Map([
        ['web-a.web', 'one\ntwo\nthree\n'],
        ['web-a.web.previous', 'panic\n'],
      ]),
    },
    { namespace: 'shop', now: START },
  )
  const options = { container: 'web', previous: false, tailLines: 2, limitBytes: 100 }
  expect(await read.logs('web-a', options)).toBe('two\nthree')
  expect(await read.logs('web-a', { ...options, limitBytes: 3 })).toBe('ree')
  expect(await read.logs('web-a', { ...options, previous: true })).toBe('panic')
  await expect(read.logs('web-b', options)).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' })
})
