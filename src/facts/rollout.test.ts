import { describe, expect, it } from 'vitest'
import { ago, CRASHING, deployment, type Manifest, NAMESPACE, ownedBy, pod, podTemplate, reading, replicaSet } from '../../test/readings.ts'

const about = ['Deployment', 'web'] as const
const progressing = (status: string, reason: string, secondsAgo: number) => ({ type: 'Progressing', status, reason, lastTransitionTime: ago(secondsAgo), lastUpdateTime: ago(60) })
const available = (status: string, secondsAgo: number) => ({ type: 'Available', status, lastTransitionTime: ago(secondsAgo) })
const crashing = (name: string, set: string) => pod(name, { set, status: CRASHING })

describe('the fact rollout', () => {
  it('tells the newest revision, its age and how it does', async () => {
    const manifests = [
      deployment({ status: { conditions: [progressing('True', 'ReplicaSetUpdated', 90_000)] } }),
      replicaSet(1, 80_000, { replicas: 2 }),
      replicaSet(2, 600, { replicas: 1, template: podTemplate({ image: 'shop/web:2' }) }),
      pod('web-1-a', { set: 'web-1' }),
      pod('web-1-b', { set: 'web-1' }),
      crashing('web-2-a', 'web-2'),
    ]
    expect(await reading('rollout', { manifests, about: ['Pod', 'web-2-a'] })).toMatchObject({
      revision: 2,
      ageSeconds: 600,
      inProgress: true,
      progressDeadlineExceeded: false,
      paused: false,
      strategy: 'RollingUpdate',
      previousRevision: 1,
      previousRevisionWasHealthy: true,
      templateChanged: { image: true, env: false, resources: false, whatRuns: true },
      newRevisionPods: 1,
      newRevisionReady: 0,
      newRevisionFailing: 1,
      oldRevisionPods: 2,
      oldRevisionReady: 2,
      targetIsOfOldRevision: false,
    })
  })

  it('is null for a pod without a workload', async () => {
    const bare = pod('alone', { metadata: { ownerReferences: [] } })
    expect(await reading('rollout', { manifests: [bare], about: ['Pod', 'alone'] })).toBeNull()
  })

  it('has no previous revision where there is only one', async () => {
    expect(await reading('rollout', { manifests: [deployment(), replicaSet(1, 600)], about })).toMatchObject({
      previousRevision: null,
      previousRevisionWasHealthy: null,
      templateChanged: null,
    })
  })

  it('does not call a crash after a complete rollout a rollout in progress', async () => {
    const conditions = [progressing('True', 'NewReplicaSetAvailable', 90_000)]
    const manifests = [deployment({ status: { conditions, readyReplicas: 2, availableReplicas: 2, unavailableReplicas: 1 } }), replicaSet(1, 90_000)]
    expect(await reading('rollout', { manifests, about })).toMatchObject({ inProgress: false })
  })

  it('is in progress while the controller has not seen the spec', async () => {
    const manifests = [deployment({ metadata: { generation: 2 }, status: { conditions: [progressing('True', 'NewReplicaSetAvailable', 90_000)] } }), replicaSet(1, 90_000)]
    expect(await reading('rollout', { manifests, about })).toMatchObject({ inProgress: true })
  })

  it('has stalled once the deadline is exceeded', async () => {
    const manifests = [deployment({ status: { conditions: [progressing('False', 'ProgressDeadlineExceeded', 60)] } }), replicaSet(1, 600)]
    expect(await reading('rollout', { manifests, about })).toMatchObject({ inProgress: false, progressDeadlineExceeded: true })
  })

  it('does not know the age of a revision that came back', async () => {
    const manifests = [deployment(), replicaSet(3, 90_000), replicaSet(2, 600)]
    expect(await reading('rollout', { manifests, about })).toMatchObject({ revision: 3, ageSeconds: { unknown: expect.stringContaining('had run before') } })
  })

  it.each([
    ['a restart', podTemplate({}, { annotations: { 'kubectl.kubernetes.io/restartedAt': ago(60) } }), { whatRuns: false, image: false, resources: false }],
    ['raised memory', podTemplate({ resources: { limits: { memory: '1Gi' } } }), { whatRuns: false, resources: true, resourcesLowered: false }],
    ['lowered memory', podTemplate({ resources: { limits: { memory: '128Mi' } } }), { whatRuns: true, resources: true, resourcesLowered: true }],
    ['an environment value', podTemplate({ resources: { limits: { memory: '512Mi' } }, env: [{ name: 'A', value: '2' }] }), { whatRuns: true, env: true, image: false }],
    ['a command', podTemplate({ resources: { limits: { memory: '512Mi' } }, args: ['--new'] }), { whatRuns: true, command: true }],
    ['a probe', podTemplate({ resources: { limits: { memory: '512Mi' } }, readinessProbe: { httpGet: { path: '/', port: 80 } } }), { whatRuns: true, probes: true }],
  ])('sees %s', async (what, template, changed) => {
    const before = podTemplate(what === 'a restart' ? {} : { resources: { limits: { memory: '512Mi' } } })
    const manifests = [deployment(), replicaSet(1, 90_000, { template: before, replicas: 0 }), replicaSet(2, 600, { template })]
    expect(await reading('rollout', { manifests, about })).toMatchObject({ templateChanged: changed })
  })
})

describe('whether the previous revision was healthy', () => {
  const sets = (newestAge: number) => [replicaSet(1, 80_000, { replicas: 0 }), replicaSet(2, newestAge, { template: podTemplate({ image: 'shop/web:2' }) })]
  const healthy = async (manifests: readonly Manifest[]) => reading('rollout', { manifests, about })

  it('shows in its pods while some are left: ready ones say yes, failing ones no', async () => {
    const [old, next] = [replicaSet(1, 80_000, { replicas: 1 }), replicaSet(2, 600)]
    expect(await healthy([deployment(), old, next, pod('web-1-a', { set: 'web-1' }), crashing('web-2-a', 'web-2')])).toMatchObject({ previousRevisionWasHealthy: true })
    expect(await healthy([deployment(), old, next, crashing('web-1-a', 'web-1'), crashing('web-2-a', 'web-2')])).toMatchObject({ previousRevisionWasHealthy: false })
  })

  it('follows when its rollout never stalled and it ran for longer than the deadline', async () => {
    const conditions = [progressing('True', 'NewReplicaSetAvailable', 79_999), available('False', 30)]
    expect(await healthy([deployment({ status: { conditions } }), ...sets(600)])).toMatchObject({ previousRevisionWasHealthy: true })
  })

  it('does not follow when it ran shorter than the deadline', async () => {
    const conditions = [progressing('True', 'NewReplicaSetAvailable', 80_000), available('False', 30)]
    expect(await healthy([deployment({ status: { conditions } }), ...sets(79_700)])).toMatchObject({ previousRevisionWasHealthy: { unknown: expect.any(String) } })
  })

  it('follows when the Deployment was available before the newest revision and has been since', async () => {
    expect(await healthy([deployment({ status: { conditions: [available('True', 70_000)] } }), ...sets(600)])).toMatchObject({ previousRevisionWasHealthy: true })
  })

  it('is denied when the Deployment was not available long before the newest revision came', async () => {
    expect(await healthy([deployment({ status: { conditions: [available('False', 5_000)] } }), ...sets(600)])).toMatchObject({ previousRevisionWasHealthy: false })
  })

  it('follows under Recreate, where the old pods are ended just before the new revision', async () => {
    const recreated = deployment({ spec: { strategy: { type: 'Recreate' } }, status: { conditions: [available('False', 620)] } })
    expect(await healthy([recreated, ...sets(600)])).toMatchObject({ previousRevisionWasHealthy: true })
  })

  it('is unknown when only the newest revision can have moved the conditions', async () => {
    expect(await healthy([deployment({ status: { conditions: [available('False', 30)] } }), ...sets(600)])).toMatchObject({
      previousRevisionWasHealthy: { unknown: expect.any(String) },
    })
  })
})

describe('rollouts of StatefulSets and DaemonSets', () => {
  const revision = (owner: string, kind: string, number: number, ageSeconds: number, image: string): Manifest => ({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner}-${number}`,
      namespace: NAMESPACE,
      labels: { app: 'web', 'controller-revision-hash': String(number) },
      creationTimestamp: ago(ageSeconds),
      ownerReferences: ownedBy(kind, owner),
    },
    revision: number,
    data: { spec: { template: podTemplate({ image }) } },
  })
  const member = (name: string, kind: string, owner: string, hash: string, status: Manifest = {}) =>
    pod(name, { status, metadata: { labels: { app: 'web', 'controller-revision-hash': hash }, ownerReferences: ownedBy(kind, owner) } })

  it('takes the revisions of a StatefulSet from its ControllerRevisions', async () => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: NAMESPACE, generation: 3 },
      spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, updateStrategy: { type: 'RollingUpdate' }, template: podTemplate() },
      status: { observedGeneration: 3, replicas: 2, readyReplicas: 1, updatedReplicas: 1, currentRevision: 'db-1', updateRevision: 'db-2' },
    }
    const manifests = [
      set,
      revision('db', 'StatefulSet', 1, 9_000, 'db:1'),
      revision('db', 'StatefulSet', 2, 300, 'db:2'),
      member('db-0', 'StatefulSet', 'db', 'db-1'),
      member('db-1', 'StatefulSet', 'db', 'db-2', CRASHING),
    ]
    expect(await reading('rollout', { manifests, about: ['Pod', 'db-0'] })).toMatchObject({
      revision: 2,
      ageSeconds: 300,
      inProgress: true,
      previousRevisionWasHealthy: true,
      templateChanged: { image: true },
      newRevisionFailing: 1,
      oldRevisionReady: 1,
      targetIsOfOldRevision: true,
    })
    expect(await reading('replicas', { manifests, about: ['StatefulSet', 'db'] })).toMatchObject({ desired: 2, ready: 1, updated: 1, scaledToZero: false, specObserved: true })
  })

  it('takes those of a DaemonSet by the hash that its pods carry', async () => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: NAMESPACE, generation: 2 },
      spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate() },
      status: { observedGeneration: 2, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 1, numberAvailable: 1, numberMisscheduled: 1 },
    }
    const manifests = [
      set,
      revision('agent', 'DaemonSet', 1, 9_000, 'a:1'),
      revision('agent', 'DaemonSet', 2, 300, 'a:2'),
      member('agent-x', 'DaemonSet', 'agent', '2', CRASHING),
      member('agent-y', 'DaemonSet', 'agent', '2'),
    ]
    expect(await reading('rollout', { manifests, about: ['DaemonSet', 'agent'] })).toMatchObject({
      inProgress: false,
      newRevisionPods: 2,
      previousRevisionWasHealthy: { unknown: expect.stringContaining('keeps no trace') },
    })
    expect(await reading('replicas', { manifests, about: ['DaemonSet', 'agent'] })).toMatchObject({ desired: 2, ready: 1, available: 1, misscheduled: 1 })
  })
})

describe('the fact replicas', () => {
  it('tells a workload that was scaled to zero', async () => {
    const manifests = [deployment({ spec: { replicas: 0 }, status: { replicas: 0, updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0 } })]
    expect(await reading('replicas', { manifests, about })).toMatchObject({ scaledToZero: true, desired: 0 })
  })
  it.each([
    ['pods "web-x" is forbidden: exceeded quota: compute, requested: pods=1', 'quota'],
    ['pods "web-x" is forbidden: violates PodSecurity', 'forbidden'],
    ['the server is unwell', 'other'],
  ])('tells why pods are not created: %s', async (message, podsNotCreated) => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }]
    expect(await reading('replicas', { manifests: [deployment({ status: { conditions } })], about })).toMatchObject({ podsNotCreated })
  })
  it('tells a spec that the controller has not seen', async () => {
    expect(await reading('replicas', { manifests: [deployment({ metadata: { generation: 5 } })], about })).toMatchObject({ specObserved: false })
  })
})
