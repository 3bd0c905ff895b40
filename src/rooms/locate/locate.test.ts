import { describe, expect, it } from 'vitest'
import { container, living, type Manifest, NAMESPACE, object, type World, withoutControllers, workload } from '../../../test/acting.ts'
import type { Labels } from '../../domain/alert.ts'
import { caseId, type Opened } from '../../domain/case-file.ts'
import { DEFAULT_LABELS } from './label-map.ts'
import { locate } from './locate.ts'

const opened = (labels: Labels): Opened => ({
  at: 'opened',
  id: caseId('c1'),
  openedAt: 0,
  alerts: [{ fingerprint: 'f', status: 'firing', labels: { alertname: 'A', ...labels }, annotations: {}, startsAt: 0, endsAt: undefined, generatorUrl: undefined }],
})
const locating = (world: World, labels: Labels, more: Partial<Parameters<typeof locate>[0]> = {}) =>
  locate({ read: world.read, namespace: NAMESPACE, ...more })(opened({ namespace: NAMESPACE, ...labels }))
const found = async (world: World, labels: Labels) => {
  const file = await locating(world, labels)
  if (file.at !== 'located') throw new Error(JSON.stringify(file))
  const { object: named, owner, chain, container: of } = file.target
  return { object: `${named.kind}/${named.name}`, owner: `${owner.kind}/${owner.name}`, chain: chain.map((ref) => ref.kind), container: of }
}
const controlled = (kind: string, name: string, apiVersion: string) => ({ ownerReferences: [{ apiVersion, kind, name, uid: '', controller: true }] })
const pod = (name: string, metadata: Manifest = {}, labels: Labels = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE, labels, ...metadata },
  spec: { containers: [container()] },
})
const podOf = async (world: World, app: string) => (await world.podsOf(app))[0]?.metadata?.name ?? ''

describe('up to the top owner', () => {
  it('goes from a pod through its ReplicaSet to the Deployment, and keeps the container', async () => {
    const world = await living(workload('Deployment', 'web'))
    const name = await podOf(world, 'web')
    expect(await found(world, { pod: name, container: 'app' })).toEqual({
      object: `Pod/${name}`,
      owner: 'Deployment/web',
      chain: ['Pod', 'ReplicaSet', 'Deployment'],
      container: 'app',
    })
  })
  it.each(['StatefulSet', 'DaemonSet'] as const)('goes from a pod to its %s', async (kind) => {
    const world = await living(workload(kind, 'db'))
    expect(await found(world, { pod: await podOf(world, 'db') })).toMatchObject({ owner: `${kind}/db`, chain: ['Pod', kind] })
  })
  it('goes from a Job to its CronJob', async () => {
    const world = withoutControllers(
      object('batch/v1', 'CronJob', 'nightly', { spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template: { spec: { containers: [container()] } } } } } }),
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'nightly-1', namespace: NAMESPACE, ...controlled('CronJob', 'nightly', 'batch/v1') },
        spec: { template: { spec: { containers: [container()] } } },
      },
    )
    expect(await found(world, { job_name: 'nightly-1', job: 'kube-state-metrics' })).toMatchObject({ object: 'Job/nightly-1', owner: 'CronJob/nightly' })
  })
  it('stops at an owner of a kind it does not know, and does not read it', async () => {
    const world = withoutControllers(
      workload('StatefulSet', 'bus', { metadata: { ownerReferences: [{ apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', name: 'bus', uid: 'k1', controller: true }] } }),
    )
    expect(await found(world, { statefulset: 'bus' })).toMatchObject({ object: 'StatefulSet/bus', owner: 'Kafka/bus' })
    expect(world.practice.requests.some((request) => request.path.includes('kafka'))).toBe(false)
  })
  it('takes a bare pod, a static pod and one whose owner is gone for what they are', async () => {
    const world = withoutControllers(
      pod('bare'),
      pod('static', controlled('Node', 'node-1', 'v1')),
      pod('orphan', { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'gone', uid: 'g1', controller: true }] }),
    )
    expect(await found(world, { pod: 'bare' })).toMatchObject({ owner: 'Pod/bare' })
    expect(await found(world, { pod: 'static' })).toMatchObject({ owner: 'Pod/static' })
    expect(await found(world, { pod: 'orphan' })).toMatchObject({ owner: 'ReplicaSet/gone' })
  })
  it('ends where owners go in a circle', async () => {
    const circle = (name: string, owner: string) => ({
      ...workload('Deployment', name, { metadata: { uid: name, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: owner, uid: owner, controller: true }] } }),
    })
    const world = withoutControllers(circle('a', 'b'), circle('b', 'a'))
    expect((await found(world, { deployment: 'a' })).chain.length).toBeLessThan(10)
  })
})

describe('from labels to an object', () => {
  const claim = object('v1', 'PersistentVolumeClaim', 'data', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
  const quota = object('v1', 'ResourceQuota', 'team', { spec: { hard: { pods: '10' } } })

  it('prefers a pod to what stands above it, and an owner that is named to nothing when the pod is gone', async () => {
    const world = await living(workload('Deployment', 'web'))
    const name = await podOf(world, 'web')
    expect(await found(world, { deployment: 'web', pod: name })).toMatchObject({ object: `Pod/${name}` })
    expect(await found(world, { deployment: 'web', pod: 'web-gone' })).toMatchObject({ object: 'Deployment/web' })
  })
  it.each([
    [{ persistentvolumeclaim: 'data', job: 'kubelet', service: 'kubelet', node: 'n1' }, 'PersistentVolumeClaim/data'],
    [{ resourcequota: 'team' }, 'ResourceQuota/team'],
  ])('finds %j', async (labels, expected) => {
    expect(await found(withoutControllers(claim, quota), labels)).toMatchObject({ object: expected, owner: expected })
  })
  it('takes what an autoscaler scales for the owner, and the autoscaler alone when that is gone', async () => {
    const scaler = (name: string, of: string) =>
      object('autoscaling/v2', 'HorizontalPodAutoscaler', name, { spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: of } } })
    const world = withoutControllers(workload('Deployment', 'web'), scaler('web', 'web'), scaler('lost', 'gone'))
    expect(await found(world, { horizontalpodautoscaler: 'web' })).toMatchObject({
      object: 'HorizontalPodAutoscaler/web',
      owner: 'Deployment/web',
      chain: ['HorizontalPodAutoscaler', 'Deployment'],
    })
    expect(await found(world, { horizontalpodautoscaler: 'lost' })).toMatchObject({ owner: 'HorizontalPodAutoscaler/lost' })
  })
  it('follows a Service through its selector to the one workload behind it', async () => {
    const world = await living(workload('Deployment', 'web'), object('v1', 'Service', 'front', { spec: { selector: { app: 'web' } } }))
    expect(await found(world, { service: 'front' })).toMatchObject({ object: 'Service/front', owner: 'Deployment/web', chain: ['Service', 'ReplicaSet', 'Deployment'] })
  })
  it('follows a disruption budget too, and keeps it when it guards nothing', async () => {
    const budget = (name: string, app: string) => object('policy/v1', 'PodDisruptionBudget', name, { spec: { minAvailable: 1, selector: { matchLabels: { app } } } })
    const world = await living(workload('Deployment', 'web'), budget('web', 'web'), budget('idle', 'nothing'))
    expect(await found(world, { poddisruptionbudget: 'web' })).toMatchObject({ owner: 'Deployment/web' })
    expect(await found(world, { poddisruptionbudget: 'idle' })).toMatchObject({ owner: 'PodDisruptionBudget/idle' })
  })
  it('tells people when a Service leads to several workloads', async () => {
    const world = withoutControllers(object('v1', 'Service', 'front', { spec: { selector: { tier: 'front' } } }), pod('a', {}, { tier: 'front' }), pod('b', {}, { tier: 'front' }))
    expect(await locating(world, { service: 'front' })).toMatchObject({
      at: 'closed',
      outcome: 'told',
      reason: 'TARGET_AMBIGUOUS',
      because: expect.stringMatching(/Pod team-a\/a and Pod team-a\/b/),
    })
  })
  it('lets the operator name labels of their own', async () => {
    const world = await living(workload('Deployment', 'web'))
    const labels = { ...DEFAULT_LABELS, objects: [{ label: 'app_name', apiVersion: 'apps/v1', kind: 'Deployment' }] }
    expect(await locating(world, { app_name: 'web', pod: 'ignored' }, { labels })).toMatchObject({ at: 'located', target: { owner: { name: 'web' } } })
  })
})

describe('exporters', () => {
  const cluster = () => living(workload('Deployment', 'web'), workload('Deployment', 'kube-state-metrics'))

  it('takes exported labels for the object and the plain ones for the exporter that was scraped', async () => {
    const world = await cluster()
    const name = await podOf(world, 'web')
    const own = await podOf(world, 'kube-state-metrics')
    const labels = {
      job: 'kube-state-metrics',
      namespace: 'monitoring',
      pod: own,
      container: 'kube-state-metrics',
      service: 'kube-state-metrics',
      exported_namespace: NAMESPACE,
      exported_pod: name,
      exported_container: 'app',
    }
    expect(await found(world, labels)).toMatchObject({ object: `Pod/${name}`, container: 'app' })
    const { exported_pod: _, exported_container: __, ...aboutDeployment } = labels
    expect(await found(world, { ...aboutDeployment, deployment: 'web' })).toEqual({
      object: 'Deployment/web',
      owner: 'Deployment/web',
      chain: ['Deployment'],
      container: undefined,
    })
  })
  it('prefers an exported label to the plain one of any kind', async () => {
    const world = await cluster()
    expect(await found(world, { deployment: 'kube-state-metrics', exported_deployment: 'web' })).toMatchObject({ object: 'Deployment/web' })
  })
  it('takes plain labels for the object where honorLabels kept them, as kube-prometheus does', async () => {
    const world = await cluster()
    const name = await podOf(world, 'web')
    expect(await found(world, { job: 'kube-state-metrics', pod: name, container: 'app', service: 'kube-state-metrics' })).toMatchObject({ object: `Pod/${name}`, container: 'app' })
    expect(await found(world, { job: 'kube-state-metrics', deployment: 'web', container: 'kube-rbac-proxy-main', instance: '10.0.0.7:8443' })).toMatchObject({
      object: 'Deployment/web',
      container: undefined,
    })
  })
  it("never acts on the exporter's own pod or Service", async () => {
    const world = await cluster()
    world.practice.load([object('v1', 'Service', 'kube-state-metrics', { spec: { selector: { app: 'kube-state-metrics' } } })])
    const own = await podOf(world, 'kube-state-metrics')
    for (const labels of [{ pod: own }, { pod: own, container: 'kube-rbac-proxy-main' }, { container: 'kube-state-metrics', pod: 'x' }, { service: 'kube-state-metrics' }])
      expect(await locating(world, { job: 'kube-state-metrics', ...labels })).toMatchObject({ at: 'closed', reason: 'NO_TARGET' })
    expect(await found(world, { job: 'kube-state-metrics', pod: own, deployment: 'web' })).toMatchObject({ object: 'Deployment/web' })
  })
})

describe('no target', () => {
  it.each([
    [{ namespace: 'team-b', pod: 'x' }, 'OTHER_NAMESPACE', /team-b/],
    [{ exported_namespace: 'team-b', pod: 'x' }, 'OTHER_NAMESPACE', /team-b/],
    [{ namespace: '' }, 'NO_TARGET', /no namespace/],
    [{ instance: '10.0.0.1:80' }, 'NO_TARGET', /no label/],
    [{ pod: '' }, 'NO_TARGET', /no label/],
    [{ pod: 'gone' }, 'NO_TARGET', /Pod gone does not exist/],
    [{ service: 'headless' }, 'NO_TARGET', /Service headless/],
  ])('tells people of %j', async (labels: Labels, reason, because) => {
    const world = withoutControllers(object('v1', 'Service', 'headless', { spec: {} }))
    expect(await locating(world, labels)).toMatchObject({ at: 'closed', outcome: 'told', reason, because: expect.stringMatching(because) })
  })
  it('lets a fault of the cluster pass, so that an API server that is away is not taken for an object that is gone', async () => {
    const world = withoutControllers(pod('a'))
    world.practice.faults.add({ match: { path: /pods/ }, then: { kind: 'status', status: 403 } })
    await expect(locating(world, { pod: 'a' })).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' })
  })
})
