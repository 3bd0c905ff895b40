import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { makePractice } from './server.ts'

const labels = { app: 'web' }
const controlled = (kind: string, name: string) => [{ apiVersion: 'apps/v1', kind, name, uid: '', controller: true }]
const pod = (name: string, ready: boolean, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels, ownerReferences: controlled('ReplicaSet', 'web-1'), ...more },
  spec: { containers: [{ name: 'app', image: 'i:1', resources: { requests: { memory: '1Gi', cpu: '250m' }, limits: { memory: '1536Mi' } } }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})
const workload = (kind: string, name: string, replicas: number, owners: object[] = []) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'shop', ownerReferences: owners },
  spec: { replicas, selector: { matchLabels: labels } },
})
const owners = (replicas: number) => [workload('Deployment', 'web', replicas), workload('ReplicaSet', 'web-1', replicas, controlled('Deployment', 'web'))]
const budget = (spec: object, more: object = {}) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: { matchLabels: labels }, ...spec },
  ...more,
})
const quota = (hard: object, more: object = {}) => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'shop' }, spec: { hard }, ...more })

function keeping(...manifests: object[]) {
  const practice = makePractice({ ports: manualPorts() })
  practice.load(manifests)
  const allowed = () => practice.store.get('PodDisruptionBudget', 'shop', 'web')?.status
  const used = () => practice.store.get('ResourceQuota', 'shop', 'q')?.status
  return { practice, allowed, used }
}

describe('what a PodDisruptionBudget allows', () => {
  it('is what is healthy above the least that must be', () => {
    const { allowed } = keeping(...owners(3), pod('a', true), pod('b', true), pod('c', false), budget({ minAvailable: 1 }))
    expect(allowed()).toMatchObject({
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 3,
      disruptionsAllowed: 1,
      observedGeneration: 1,
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
    })
  })
  it('counts a share of what the top controller wants, not of the pods that are there, and rounds up', () => {
    const { allowed } = keeping(...owners(5), pod('a', true), pod('b', true), pod('c', true), budget({ minAvailable: '50%' }))
    expect(allowed()).toMatchObject({ currentHealthy: 3, desiredHealthy: 3, expectedPods: 5, disruptionsAllowed: 0, conditions: [{ status: 'False', reason: 'InsufficientPods' }] })
  })
  it('counts what may be missing from what is wanted', () => {
    const { allowed } = keeping(...owners(3), pod('a', true), pod('b', true), budget({ maxUnavailable: 1 }))
    expect(allowed()).toMatchObject({ currentHealthy: 2, desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 0 })
  })
  it('is nothing where nobody says how many pods are wanted', () => {
    const { allowed } = keeping(pod('a', true, { ownerReferences: [] }), budget({ maxUnavailable: 1 }))
    expect(allowed()).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 })
  })
  it('does not count pods that are ending or over', () => {
    const over = { ...pod('c', true), status: { phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'True' }] } }
    const { allowed } = keeping(...owners(3), pod('a', true), pod('b', true, { deletionTimestamp: '2026-01-01T00:00:00Z' }), over, budget({ minAvailable: 1 }))
    expect(allowed()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0 })
  })
  it('follows pods and replicas at once', () => {
    const { practice, allowed } = keeping(...owners(2), pod('a', true), pod('b', true), budget({ maxUnavailable: 1 }))
    expect(allowed()).toMatchObject({ disruptionsAllowed: 1 })
    practice.store.remove('Pod', 'shop', 'b')
    expect(allowed()).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0 })
    const web = practice.store.get('Deployment', 'shop', 'web')
    if (web) practice.store.update({ ...web, spec: { ...Object(web.spec), replicas: 1 } })
    expect(allowed()).toMatchObject({ expectedPods: 1, desiredHealthy: 0, disruptionsAllowed: 1 })
  })
  it('stays as a manifest gives it until something about its pods changes', () => {
    const given = { status: { disruptionsAllowed: 7 } }
    for (const order of [
      [pod('a', true), budget({ minAvailable: 1 }, given)],
      [budget({ minAvailable: 1 }, given), pod('a', true)],
    ]) {
      const { practice, allowed } = keeping(...order)
      expect(allowed()).toEqual({ disruptionsAllowed: 7 })
      practice.store.remove('Pod', 'shop', 'a')
      expect(allowed()).toMatchObject({ disruptionsAllowed: 0 })
    }
  })
})

describe('what a ResourceQuota has used', () => {
  it('is counted from pods that are not over, claims and objects', () => {
    const over = { ...pod('c', false), status: { phase: 'Failed' } }
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop' }, spec: { resources: { requests: { storage: '5Gi' } } } }
    const hard = {
      pods: '5',
      'requests.memory': '4Gi',
      memory: '4Gi',
      'limits.memory': '8Gi',
      'requests.cpu': '2',
      'requests.storage': '10Gi',
      persistentvolumeclaims: '3',
      'count/deployments.apps': '2',
      'count/pods': '9',
    }
    const { used } = keeping(...owners(2), pod('a', true), pod('b', true), over, claim, quota(hard))
    expect(used()).toEqual({
      hard,
      used: {
        pods: '2',
        'requests.memory': '2Gi',
        memory: '2Gi',
        'limits.memory': '3Gi',
        'requests.cpu': '500m',
        'requests.storage': '5Gi',
        persistentvolumeclaims: '1',
        'count/deployments.apps': '1',
        'count/pods': '3',
      },
    })
  })
  it('counts what runs together and what starts alone', () => {
    const wanting = (memory: string) => ({ name: memory.toLowerCase(), image: 'i', resources: { requests: { memory } } })
    const spec = { initContainers: [{ ...wanting('1Gi'), restartPolicy: 'Always' }, wanting('4Gi')], containers: [wanting('2Gi')] }
    const { used } = keeping({ ...pod('a', true), spec }, quota({ 'requests.memory': '10Gi' }))
    expect(used()).toMatchObject({ used: { 'requests.memory': '5Gi' } })
  })
  it('counts only pods of its scopes', () => {
    const idle = { ...pod('idle', true), spec: { containers: [{ name: 'app', image: 'i' }] } }
    const { used } = keeping(pod('a', true), idle, quota({ pods: '5' }, { spec: { hard: { pods: '5' }, scopes: ['BestEffort'] } }))
    expect(used()).toMatchObject({ used: { pods: '1' } })
  })
  it('follows what comes and goes, and stays as given until then', () => {
    const { practice, used } = keeping(pod('a', true), quota({ pods: '5' }, { status: { hard: { pods: '5' }, used: { pods: '4' } } }))
    expect(used()).toMatchObject({ used: { pods: '4' } })
    practice.store.remove('Pod', 'shop', 'a')
    expect(used()).toMatchObject({ used: { pods: '0' } })
  })
})
