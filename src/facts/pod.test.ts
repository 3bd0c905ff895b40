import { describe, expect, it } from 'vitest'
import { ago, CRASHING, deployment, pod, reading, replicaSet } from '../../test/readings.ts'

const web = [deployment(), replicaSet(1, 86_400)]

describe('the fact pod', () => {
  it('describes the pod that the labels name', async () => {
    const manifests = [...web, pod('web-a', { status: CRASHING }), pod('web-b')]
    expect(await reading('pod', { manifests, about: ['Pod', 'web-a'] })).toMatchObject({
      name: 'web-a',
      phase: 'Running',
      ready: false,
      notReadySeconds: 600,
      controlled: true,
      scheduled: true,
      container: 'web',
      image: 'shop/web:1',
      waitingReason: 'CrashLoopBackOff',
      restarts: 7,
      ageSeconds: 3_600,
      lastTermination: { reason: 'Error', exitCode: 1, finishedSecondsAgo: 120, ranSeconds: 10 },
    })
  })

  it('chooses the pod in most trouble when the labels name a workload', async () => {
    const manifests = [...web, pod('web-a'), pod('web-b', { status: CRASHING })]
    expect(await reading('pod', { manifests, about: ['Deployment', 'web'] })).toMatchObject({ name: 'web-b' })
  })

  it('is null when the named pod is gone', async () => {
    expect(await reading('pod', { manifests: web, about: ['Pod', 'web-a'] })).toBeNull()
  })

  it('takes the container that the labels name only when the pod has it', async () => {
    const spec = {
      containers: [
        { name: 'web', image: 'shop/web:1' },
        { name: 'proxy', image: 'proxy:2' },
      ],
    }
    const manifests = [...web, pod('web-a', { spec, status: CRASHING })]
    expect(await reading('pod', { manifests, about: ['Pod', 'web-a'], container: 'proxy' })).toMatchObject({ container: 'proxy', image: 'proxy:2', restarts: 0 })
    expect(await reading('pod', { manifests, about: ['Pod', 'web-a'], container: 'kube-state-metrics' })).toMatchObject({ container: 'web' })
  })

  it('looks into init containers for the one in trouble', async () => {
    const status = { phase: 'Pending', initContainerStatuses: [{ name: 'migrate', ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } }] }
    const spec = { initContainers: [{ name: 'migrate', image: 'shop/migrate:1' }], containers: [{ name: 'web', image: 'shop/web:1' }] }
    expect(await reading('pod', { manifests: [...web, pod('web-a', { spec, status })], about: ['Pod', 'web-a'] })).toMatchObject({ container: 'migrate', restarts: 4 })
  })

  it.each([
    ['ImagePullBackOff', 'Back-off pulling image: failed to pull: reg/x:9: manifest unknown', 'imageNotFound'],
    ['ErrImagePull', 'failed to authorize: 401 Unauthorized', 'imageForbidden'],
    ['ErrImagePull', 'dial tcp 10.0.0.1:443: i/o timeout', 'registryUnreachable'],
    ['ErrImagePull', 'toomanyrequests: You have reached your pull rate limit', 'registryLimit'],
    ['CreateContainerConfigError', 'configmap "settings" not found', 'configMapMissing'],
    ['CreateContainerConfigError', 'secret "login" not found', 'secretMissing'],
    ['CreateContainerConfigError', "couldn't find key PASSWORD in Secret team-a/login", 'keyMissing'],
    ['InvalidImageName', '', 'imageNameInvalid'],
    ['ContainerCreating', '', null],
  ])('puts the message of %s into a class: %s', async (reason, message, startProblem) => {
    const status = { phase: 'Pending', containerStatuses: [{ name: 'web', ready: false, restartCount: 0, state: { waiting: { reason, message } } }] }
    expect(await reading('pod', { manifests: [...web, pod('web-a', { status })], about: ['Pod', 'web-a'] })).toMatchObject({ waitingReason: reason, startProblem })
  })

  it('tells why no node takes it', async () => {
    const message = '0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient memory.'
    const status = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }], containerStatuses: [] }
    expect(await reading('pod', { manifests: [...web, pod('web-a', { status, spec: { nodeName: '' } })], about: ['Pod', 'web-a'] })).toMatchObject({
      scheduled: false,
      schedulingProblems: ['insufficientMemory', 'taint'],
    })
  })
})

describe('a container between two crashes', () => {
  const between = (finished: number, restartCount: number) => ({
    containerStatuses: [
      { name: 'web', ready: true, restartCount, state: { running: { startedAt: ago(5) } }, lastState: { terminated: { reason: 'Error', exitCode: 1, finishedAt: ago(finished) } } },
    ],
  })
  const scene = (status: Record<string, unknown>) => ({ manifests: [...web, pod('web-a', { status })], about: ['Pod', 'web-a'] as const })
  it('still fails, although it runs and counts as ready', async () => {
    expect(await reading('pod', scene(between(60, 5)))).toMatchObject({ ready: true, failing: true })
    expect(await reading('siblings', scene(between(60, 5)))).toMatchObject({ total: 1, ready: 0, failing: 1 })
  })
  it('does not after one crash, or when it has held for 10 minutes', async () => {
    expect(await reading('siblings', scene(between(60, 1)))).toMatchObject({ ready: 1, failing: 0 })
    expect(await reading('siblings', scene(between(601, 5)))).toMatchObject({ ready: 1, failing: 0 })
  })
})

describe('the fact siblings', () => {
  it('counts the pods of the workload, without those that leave or have ended, and not those of others', async () => {
    const manifests = [
      ...web,
      pod('web-a', { status: CRASHING }),
      pod('web-b'),
      pod('web-c'),
      pod('web-d', { metadata: { deletionTimestamp: ago(5) } }),
      pod('web-e', { status: { phase: 'Failed', reason: 'Evicted', conditions: [], containerStatuses: [] } }),
      pod('stranger', { metadata: { ownerReferences: [] } }),
    ]
    expect(await reading('siblings', { manifests, about: ['Pod', 'web-a'] })).toEqual({
      total: 3,
      ready: 2,
      notReady: 1,
      failing: 1,
      pending: 0,
      leaving: 1,
      ended: 1,
      restarts: 7,
      othersReady: true,
    })
  })

  it('does not say that the others are ready when one of them is not, or when there are none', async () => {
    const [a, b] = [pod('web-a', { status: CRASHING }), pod('web-b', { status: CRASHING })]
    expect(await reading('siblings', { manifests: [...web, a, b], about: ['Pod', 'web-a'] })).toMatchObject({ othersReady: false, failing: 2 })
    expect(await reading('siblings', { manifests: [...web, a], about: ['Pod', 'web-a'] })).toMatchObject({ othersReady: false, total: 1 })
  })

  it('is unknown, not zero, when the workload is gone', async () => {
    expect(await reading('siblings', { manifests: [], about: ['Deployment', 'web'] })).toEqual({ unknown: 'Deployment web is gone' })
  })
})
