import { describe, expect, it } from 'vitest'
import { behaviour, container, living, type Manifest, NAMESPACE, object, withoutControllers, workload } from '../../test/acting.ts'
import type { Kind } from '../kube/wire.ts'
import { readHealth, readWorkload, workloadOf } from './health.ts'

const owned = (kind: string, name: string, apiVersion = 'apps/v1') => [{ apiVersion, kind, name, uid: '', controller: true }]
const pod = (name: string, owner: readonly [string, string] | undefined, status: Manifest, more: Manifest = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE, labels: { app: 'web' }, ...(owner && { ownerReferences: owned(...owner) }), ...more },
  spec: { containers: [container()] },
  status,
})
const running = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: 'app', restartCount: 2, ready: true, state: { running: {} } }] }
const waits = (reason: string, restartCount = 0) => ({
  phase: 'Pending',
  conditions: [{ type: 'Ready', status: 'False' }],
  containerStatuses: [{ name: 'app', restartCount, ready: false, state: { waiting: { reason } } }],
})
const set = (status: Manifest, replicas = 2) => ({ ...workload('Deployment', 'web', { replicas }), kind: 'ReplicaSet', status: { observedGeneration: 1, ...status } })
const healthOf = (kind: Kind, name: string, ...manifests: readonly Manifest[]) => {
  const world = withoutControllers(...manifests)
  return readHealth(world.read, world.target(kind, name).object, world.ports.clock.now())
}

describe('readHealth', () => {
  it.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)('calls a %s good once all its pods serve, and not while a change rolls out', async (kind) => {
    const world = await living(workload(kind, 'web'))
    const read = () => readHealth(world.read, world.target(kind, 'web').object, world.ports.clock.now())
    expect(await read()).toEqual({ exists: true, desired: 2, ready: 2, available: 2, updated: 2, failing: 0, restarts: 0, rolledOut: true, good: true, why: '2 of 2 available' })
    await world.patch(kind, 'web', { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'shop/web:2' })
    expect(await read()).toMatchObject({ rolledOut: false, good: false, why: expect.stringContaining('has not seen the newest spec') })
    await world.ports.until(async () => (await read()).good)
    expect((await world.podsOf('web')).map((one) => one.spec?.containers[0]?.image)).toEqual(['shop/web:2', 'shop/web:2'])
  })

  it('counts pods that fail and names the first trouble', async () => {
    const world = await living(workload('Deployment', 'web'), behaviour('oom', { labels: { app: 'web' } }, { fail: 'oom' }))
    await world.ports.advance(5_000)
    const health = await readHealth(world.read, world.target('Deployment', 'web').object, world.ports.clock.now())
    expect(health).toMatchObject({ available: 0, failing: 2, good: false, why: expect.stringMatching(/container app of pod web-\S+ keeps crashing \(OOMKilled, exit code 137\)/) })
    expect(health.restarts).toBeGreaterThan(1)
  })

  it('reads a crash loop the same at every moment of it, and as over once the container outlives its last runs', async () => {
    const world = await living(workload('Deployment', 'web'), behaviour('crash', { labels: { app: 'web' } }, { fail: 'crash' }))
    await world.ports.advance(3_000)
    const { object: ref } = world.target('Deployment', 'web')
    for (let i = 0; i < 60; i++) {
      await world.ports.advance(37)
      expect(await readHealth(world.read, ref, world.ports.clock.now())).toMatchObject({ failing: 2, available: 0, good: false })
    }
    world.practice.store.remove('Behaviour', NAMESPACE, 'crash')
    await world.ports.until(async () => (await readHealth(world.read, ref, world.ports.clock.now())).good)
  })

  it('does not count a pod that is ready between two crashes as one that serves', async () => {
    const last = { terminated: { exitCode: 1, reason: 'Error', startedAt: '2026-01-15T11:58:00Z', finishedAt: '2026-01-15T11:59:00Z' } }
    const again = (startedAt: string) => ({ ...running, containerStatuses: [{ name: 'app', restartCount: 3, ready: true, state: { running: { startedAt } }, lastState: last }] })
    const counts = set({ replicas: 1, readyReplicas: 1, availableReplicas: 1 }, 1)
    expect(await healthOf('ReplicaSet', 'web', counts, pod('a', ['ReplicaSet', 'web'], again('2026-01-15T11:59:10Z')))).toMatchObject({ available: 0, failing: 1, good: false })
    expect(await healthOf('ReplicaSet', 'web', counts, pod('a', ['ReplicaSet', 'web'], again('2026-01-15T11:57:59Z')))).toMatchObject({ available: 1, failing: 0, good: true })
  })

  it('counts only pods that the owner controls, not those that its selector happens to match', async () => {
    const health = await healthOf(
      'ReplicaSet',
      'web',
      set({ replicas: 2, readyReplicas: 2, availableReplicas: 2 }),
      pod('a', ['ReplicaSet', 'web'], running),
      pod('stranger', undefined, waits('ImagePullBackOff')),
    )
    expect(health).toMatchObject({ failing: 0, restarts: 2, good: true })
  })

  it('leaves out pods that were replaced or are being ended', async () => {
    const evicted = pod('old', ['ReplicaSet', 'web'], { phase: 'Failed', reason: 'Evicted' })
    const ending = pod('end', ['ReplicaSet', 'web'], waits('CrashLoopBackOff', 5), { deletionTimestamp: '2026-01-15T11:59:59Z', deletionGracePeriodSeconds: 30 })
    expect(await healthOf('ReplicaSet', 'web', set({ replicas: 2, readyReplicas: 2, availableReplicas: 2 }), evicted, ending)).toMatchObject({
      failing: 0,
      restarts: 0,
      good: true,
    })
  })

  it('tells a controller that cannot go on', async () => {
    const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' }
    const status = { observedGeneration: 1, replicas: 3, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2, conditions: [late] }
    const world = withoutControllers({ ...workload('Deployment', 'web'), status })
    expect(await readWorkload(world.read, world.target('Deployment', 'web').object, world.ports.clock.now())).toMatchObject({
      stuck: 'ProgressDeadlineExceeded: timed out',
      health: { good: false },
    })
  })

  it('does not believe a status that speaks of the spec before', async () => {
    const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }
    const status = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, conditions: [late] }
    const world = withoutControllers({ ...workload('Deployment', 'web', { metadata: { generation: 2 } }), status })
    expect(await readWorkload(world.read, world.target('Deployment', 'web').object, world.ports.clock.now())).toMatchObject({
      stuck: undefined,
      health: { good: false, rolledOut: false },
    })
  })

  it.each([
    ['serves', running, { ready: 1, good: true }],
    ['ended well', { phase: 'Succeeded' }, { available: 1, good: true }],
    ['failed', { phase: 'Failed', reason: 'Evicted' }, { available: 0, failing: 1, good: false, why: expect.stringContaining('Evicted') }],
    ['waits for an image', waits('ErrImagePull'), { failing: 1, good: false }],
    ['is starting', waits('ContainerCreating'), { failing: 0, good: false }],
  ])('reads a bare pod that %s', async (_, status, expected) => {
    expect(await healthOf('Pod', 'a', pod('a', undefined, status))).toMatchObject({ desired: 1, ...expected })
  })

  it.each([
    ['runs', { active: 1, ready: 1 }, { good: true, failing: 0 }],
    ['is complete', { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] }, { good: true, available: 1 }],
    [
      'failed',
      { failed: 4, conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] },
      { good: false, failing: 1, why: expect.stringContaining('BackoffLimitExceeded') },
    ],
  ])('reads a Job that %s', async (_, status, expected) => {
    const spec = { completions: 1, parallelism: 1, backoffLimit: 4, selector: { matchLabels: { app: 'web' } }, template: { spec: { containers: [container()] } } }
    const tried = pod('try', ['Job', 'web', 'batch/v1'] as never, { phase: 'Failed' })
    expect(await healthOf('Job', 'web', object('batch/v1', 'Job', 'web', { spec, status }), tried)).toMatchObject(expected)
  })

  it('says that an object is gone, also when another of its name took its place', async () => {
    const world = withoutControllers(workload('Deployment', 'web'))
    const { object: ref } = world.target('Deployment', 'web')
    expect(await readHealth(world.read, { ...ref, uid: 'former' }, world.ports.clock.now())).toMatchObject({ exists: false, good: false })
    expect(await readHealth(world.read, { ...ref, name: 'gone' }, world.ports.clock.now())).toMatchObject({ exists: false, good: false })
  })

  it('knows nothing of other kinds, does not read them, and looks at the workload below them', async () => {
    const world = await living(workload('StatefulSet', 'bus'))
    const below = world.target('StatefulSet', 'bus')
    const kafka = { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', namespace: NAMESPACE, name: 'bus', uid: 'k1' }
    expect(await readHealth(world.read, kafka, world.ports.clock.now())).toMatchObject({ exists: true, good: false, why: expect.stringContaining('not known') })
    expect(world.practice.requests.filter((request) => request.path.includes('kafka'))).toEqual([])
    expect(workloadOf({ ...below, owner: kafka, chain: [...below.chain, kafka] })).toEqual(below.object)
  })
})
