import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { makePractice } from './server.ts'

const loaded = (...manifests: unknown[]) => {
  const practice = makePractice({ ports: manualPorts() })
  practice.load(manifests)
  return practice.store
}
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas: 2 },
  status: { replicas: 1, observedGeneration: 1 },
}
const owned = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web-1', namespace: 'shop', ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true }] },
  spec: { replicas: 2 },
}

describe('loading manifests', () => {
  it('keeps status, uid, generation and times as they are given, and gives what is missing', () => {
    const store = loaded({ ...deployment, metadata: { ...deployment.metadata, uid: 'u-1', generation: 7, creationTimestamp: '2025-01-01T00:00:00Z' } }, owned)
    expect(store.get('Deployment', 'shop', 'web')).toMatchObject({ metadata: { uid: 'u-1', generation: 7, creationTimestamp: '2025-01-01T00:00:00Z' }, status: { replicas: 1 } })
    expect(store.get('ReplicaSet', 'shop', 'web-1')?.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
  })
  it('finds owners by name in any order', () => {
    for (const store of [loaded(deployment, owned), loaded(owned, deployment)]) {
      const uid = store.get('Deployment', 'shop', 'web')?.metadata.uid
      expect(store.get('ReplicaSet', 'shop', 'web-1')?.metadata.ownerReferences).toEqual([{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true, uid }])
    }
  })
  it('takes lists apart, typed ones and lists of anything', () => {
    const { apiVersion: _, kind: __, ...item } = deployment
    const store = loaded({ apiVersion: 'apps/v1', kind: 'DeploymentList', items: [item] }, { apiVersion: 'v1', kind: 'List', items: [owned] })
    expect([store.list('Deployment').length, store.list('ReplicaSet').length]).toEqual([1, 1])
  })
  it('puts what names no namespace into the default one, and cluster-wide kinds into none', () => {
    const store = loaded({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', namespace: 'wrong' } })
    expect([store.get('ConfigMap', 'default', 'a')?.metadata.name, store.get('Node', '', 'n')?.metadata.name]).toEqual(['a', 'n'])
  })
  it('fills in the defaults of the API server', () => {
    const template = { spec: { containers: [{ name: 'app', image: 'app' }] } }
    const store = loaded({ ...deployment, spec: { template } })
    expect(store.get('Deployment', 'shop', 'web')?.spec).toMatchObject({
      replicas: 1,
      progressDeadlineSeconds: 600,
      template: { spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'Always', terminationMessagePath: '/dev/termination-log' }] } },
    })
  })
  it('changes what is there when it is loaded again, and keeps its uid', () => {
    const practice = makePractice({ ports: manualPorts() })
    practice.load([deployment])
    const uid = practice.store.get('Deployment', 'shop', 'web')?.metadata.uid
    practice.load([{ ...deployment, spec: { replicas: 5 } }])
    expect(practice.store.get('Deployment', 'shop', 'web')).toMatchObject({ metadata: { uid, generation: 2 }, spec: { replicas: 5 } })
  })
  it('takes an event of either API for the same', () => {
    const store = loaded({ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'e', namespace: 'shop' }, regarding: { kind: 'Pod', name: 'p' }, note: 'n' })
    expect(store.get('Event', 'shop', 'e')).toMatchObject({ apiVersion: 'v1', involvedObject: { name: 'p' }, message: 'n' })
  })
})
