import { afterEach, expect, test } from 'vitest'
import { type ManualPorts, manualPorts } from '../../test/manual-ports.ts'
import type { Kind } from '../kube/wire.ts'
import { get, type Live, list } from './controllers/cluster.ts'
import type { LogPlace } from './controllers/ground.ts'
import { isReady } from './controllers/pods.ts'
import { type Controllers, startControllers } from './controllers.ts'
import { keepStatuses } from './keeping.ts'
import { Resources } from './resources.ts'
import { selects } from './selectors.ts'
import { Store, type Stored } from './store.ts'

const NS = 'shop'
let running: Controllers | undefined
afterEach(() => running?.stop())

interface World {
  readonly ports: ManualPorts
  readonly store: Store
  readonly logs: Map<string, string>
}
function world(...manifests: readonly Stored[]): World {
  const ports = manualPorts()
  const store = new Store(ports.clock)
  keepStatuses(store, new Resources())
  const logs = new Map<string, string>()
  for (const manifest of manifests) store.create(manifest)
  const writeLog = ({ pod, container, previous }: LogPlace, text: string) => logs.set(`${pod}.${container}${previous ? '.previous' : ''}`, text)
  running = startControllers(store, ports, { writeLog })
  return { ports, store, logs }
}

interface Wish {
  readonly image?: string
  readonly replicas?: number
  readonly more?: object
  readonly resources?: object
  readonly env?: Record<string, string>
}
const templateOf = (name: string, { image = `${name}:1`, resources, env = {} }: Wish) => ({
  metadata: { labels: { app: name } },
  spec: { containers: [{ name: 'app', image, env: Object.entries(env).map(([k, value]) => ({ name: k, value })), ...(resources && { resources }) }] },
})
const workload = (apiVersion: string, kind: string, name: string, wish: Wish): Stored => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NS },
  ...{ spec: { replicas: wish.replicas ?? 3, selector: { matchLabels: { app: name } }, template: templateOf(name, wish), ...wish.more } },
})
const deployment = (name: string, wish: Wish = {}) => workload('apps/v1', 'Deployment', name, wish)
const behaviour = (name: string, match: object, then: object): Stored => {
  const spec = Object.fromEntries([
    ['match', match],
    ['then', then],
  ])
  return { apiVersion: 'practice.alerts-slm.io/v1', kind: 'Behaviour', metadata: { name, namespace: NS }, spec }
}
const plain = (kind: string, name: string, spec: object, apiVersion = 'v1'): Stored => ({ apiVersion, kind, metadata: { name, namespace: NS }, spec })

const must = <K extends Kind>({ store }: World, kind: K, name: string): Live<K> => {
  const found = get(store, kind, NS, name)
  if (!found) throw new Error(`${kind} ${name} is not there`)
  return found
}
const pods = ({ store }: World, app: string) =>
  list(store, 'Pod', NS).filter((pod) => selects({ matchLabels: { app } }, pod.metadata.labels ?? {}) && !pod.metadata.deletionTimestamp)
const sets = ({ store }: World) => list(store, 'ReplicaSet', NS)
const imagesOf = (w: World, app: string) =>
  pods(w, app)
    .map((pod) => pod.spec?.containers[0]?.image)
    .sort()
const rolledOut = (w: World, name: string) => () => {
  const { status, metadata, spec } = must(w, 'Deployment', name)
  const wanted = spec?.replicas ?? 1
  return status?.observedGeneration === metadata.generation && status?.updatedReplicas === wanted && status.replicas === wanted && status.availableReplicas === wanted
}
const setImage = (w: World, name: string, image: string) => {
  const now = must(w, 'Deployment', name)
  const changed = { ...now, spec: { ...(now.spec ?? {}), template: templateOf(name, { image }) } }
  w.store.update(changed)
}
const condition = (w: World, name: string, type: string) => must(w, 'Deployment', name).status?.conditions?.find((c) => c.type === type)
const waiting = (pod: Live<'Pod'> | undefined) => pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason
const reasons = (w: World) => new Set(list(w.store, 'Event', NS).map(({ reason }) => reason))

test('a Deployment becomes a ReplicaSet of its first revision whose pods get a node, run and become ready', async () => {
  const w = world(deployment('web'))
  await w.ports.until(rolledOut(w, 'web'))
  const [set] = sets(w)
  expect(set?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
  expect(set?.metadata.name).toMatch(/^web-[a-z0-9]{6,10}$/)
  expect(set?.metadata.labels?.['pod-template-hash']).toBe(set?.metadata.name.slice(4))
  expect(pods(w, 'web')).toHaveLength(3)
  for (const pod of pods(w, 'web')) {
    expect(pod.metadata.name).toMatch(new RegExp(`^${set?.metadata.name}-[bcdfghjklmnpqrstvwxz2-9]{5}$`))
    expect(pod.status).toMatchObject({ phase: 'Running', containerStatuses: [{ ready: true, restartCount: 0 }] })
    expect(pod.spec?.nodeName).toMatch(/^node-[12]$/)
  }
  expect(condition(w, 'web', 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' })
  expect(condition(w, 'web', 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
  expect(reasons(w)).toContain('ScalingReplicaSet')
})

test('a rolling update never has fewer ready pods than maxUnavailable allows nor more pods than maxSurge allows', async () => {
  const w = world(deployment('web', { replicas: 4, more: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } } }))
  await w.ports.until(rolledOut(w, 'web'))
  setImage(w, 'web', 'web:2')
  let fewest = 9
  let most = 0
  await w.ports.until(
    () => {
      const alive = pods(w, 'web').filter((pod) => !pod.metadata.deletionTimestamp)
      fewest = Math.min(fewest, alive.filter(isReady).length)
      most = Math.max(most, alive.length)
      return rolledOut(w, 'web')() && imagesOf(w, 'web').every((image) => image === 'web:2')
    },
    10_000,
    5,
  )
  expect([fewest, most]).toEqual([3, 5])
  expect(must(w, 'Deployment', 'web').metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2')
})

test('a template that comes back uses its old ReplicaSet again, under a new revision', async () => {
  const w = world(deployment('web'))
  await w.ports.until(rolledOut(w, 'web'))
  const first = sets(w)[0]?.metadata.name
  setImage(w, 'web', 'web:2')
  await w.ports.until(rolledOut(w, 'web'))
  expect(sets(w)).toHaveLength(2)
  setImage(w, 'web', 'web:1')
  await w.ports.until(rolledOut(w, 'web'))
  expect(sets(w)).toHaveLength(2)
  const [one] = sets(w)
  expect(one).toMatchObject({ metadata: { name: first, annotations: { 'deployment.kubernetes.io/revision': '3' } }, spec: { replicas: 3 } })
})

test('a container that crashes backs off ever longer, keeps its last state and its log, and never becomes ready', async () => {
  const w = world(deployment('web', { replicas: 1 }), behaviour('crash', { labels: { app: 'web' } }, { fail: 'crash', exitCode: 3, logs: 'panic: no database' }))
  await w.ports.until(() => (pods(w, 'web')[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 3)
  await w.ports.until(() => waiting(pods(w, 'web')[0]) === 'CrashLoopBackOff', 1_000, 10)
  const [pod] = pods(w, 'web')
  expect(pod?.status?.containerStatuses?.[0]).toMatchObject({ ready: false, lastState: { terminated: { exitCode: 3, reason: 'Error' } } })
  expect(pod?.status?.containerStatuses?.[0]?.lastState?.terminated?.finishedAt).toMatch(/Z$/)
  expect(w.logs.get(`${pod?.metadata.name}.app.previous`)).toBe('panic: no database')
  expect(list(w.store, 'Event', NS).find(({ reason }) => reason === 'BackOff')?.count).toBeGreaterThan(2)
  expect(condition(w, 'web', 'Available')?.status).toBe('False')
})

test('each pause between two crashes is longer than the one before, up to a limit', async () => {
  const w = world(deployment('web', { replicas: 1 }), behaviour('crash', { labels: { app: 'web' } }, { fail: 'crash' }))
  const starts: number[] = []
  w.store.onChange(({ object }) => {
    const restarts = object.kind === 'Pod' ? (pods(w, 'web')[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) : 0
    if (restarts > starts.length) starts.push(w.ports.clock.elapsed())
  })
  await w.ports.advance(4_000)
  const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0))
  expect(gaps.slice(0, 3)).toEqual([450, 750, 750])
})

test('scaling down takes the pods that are not ready first', async () => {
  const w = world(deployment('web', { replicas: 4 }), behaviour('stuck', { labels: { app: 'web' }, podsStuck: 2 }, { fail: 'neverReady' }))
  await w.ports.until(() => must(w, 'Deployment', 'web').status?.readyReplicas === 2)
  const now = must(w, 'Deployment', 'web')
  const scaled = { ...now, spec: { ...(now.spec ?? {}), replicas: 2 } }
  w.store.update(scaled)
  await w.ports.settle()
  expect(pods(w, 'web').map(isReady)).toEqual([true, true])
})

test('a new revision that crashes leaves the old pods in place, exceeds its deadline, and is healed by the old template', async () => {
  const w = world(deployment('web'), behaviour('crash', { image: 'web:2' }, { fail: 'crash' }))
  await w.ports.until(rolledOut(w, 'web'))
  setImage(w, 'web', 'web:2')
  await w.ports.until(() => condition(w, 'web', 'Progressing')?.status === 'False')
  expect(condition(w, 'web', 'Progressing')).toMatchObject({ reason: 'ProgressDeadlineExceeded' })
  expect(imagesOf(w, 'web')).toEqual(['web:1', 'web:1', 'web:1', 'web:2'])
  setImage(w, 'web', 'web:1')
  await w.ports.until(rolledOut(w, 'web'))
  expect(imagesOf(w, 'web')).toEqual(['web:1', 'web:1', 'web:1'])
  expect(condition(w, 'web', 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
})

test('a container below the memory that it needs is OOMKilled until its limit is raised', async () => {
  const small = { requests: { memory: '128Mi' }, limits: { memory: '256Mi' } }
  const w = world(deployment('pay', { replicas: 2, resources: small }), behaviour('oom', { labels: { app: 'pay' }, memoryLimitBelow: '512Mi' }, { fail: 'oom' }))
  await w.ports.until(() => pods(w, 'pay')[0]?.status?.containerStatuses?.[0]?.lastState?.terminated?.reason === 'OOMKilled')
  expect(pods(w, 'pay')[0]?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137)
  const now = must(w, 'Deployment', 'pay')
  const bigger = templateOf('pay', { resources: { requests: { memory: '256Mi' }, limits: { memory: '512Mi' } } })
  const raised = { ...now, spec: { ...(now.spec ?? {}), template: bigger } }
  w.store.update(raised)
  await w.ports.until(rolledOut(w, 'pay'))
  expect(pods(w, 'pay').every(isReady)).toBe(true)
})

test('the first pods may be stuck for life: what replaces them works', async () => {
  const w = world(deployment('search'), behaviour('stuck', { labels: { app: 'search' }, podsStuck: 1 }, { fail: 'hang' }))
  await w.ports.until(() => must(w, 'Deployment', 'search').status?.readyReplicas === 2)
  await w.ports.advance(2_000)
  const stuck = pods(w, 'search').find((pod) => !isReady(pod))
  expect(stuck?.status?.phase).toBe('Pending')
  w.store.remove('Pod', NS, stuck?.metadata.name ?? '')
  await w.ports.until(rolledOut(w, 'search'))
})

test.each([
  ['imageMissing', 'ImagePullBackOff'],
  ['configMissing', 'CreateContainerConfigError'],
])('%s shows as %s on a pending pod', async (fail, reason) => {
  const w = world(deployment('web', { replicas: 1 }), behaviour('b', { labels: { app: 'web' } }, { fail }))
  await w.ports.until(() => waiting(pods(w, 'web')[0]) === reason, 2_000, 10)
  expect(pods(w, 'web')[0]?.status?.phase).toBe('Pending')
})

test('a failure that is over after some time is over, and one that comes later comes later', async () => {
  const w = world(deployment('web', { replicas: 1 }), behaviour('b', { labels: { app: 'web' } }, { fail: 'neverReady', afterSeconds: 2, forSeconds: 3 }))
  await w.ports.until(rolledOut(w, 'web'), 1_500)
  await w.ports.until(() => !rolledOut(w, 'web')(), 3_000)
  expect(reasons(w)).toContain('Unhealthy')
  await w.ports.advance(2_500)
  expect(rolledOut(w, 'web')()).toBe(false)
  await w.ports.until(rolledOut(w, 'web'), 1_500)
})

test('environment, revision, age and request choose who fails; the first Behaviour that matches decides', async () => {
  const w = world(
    deployment('env', { replicas: 1, env: { MODE: 'blue-green' } }),
    deployment('big', { replicas: 1, resources: { requests: { memory: '2Gi' } } }),
    deployment('first', { replicas: 1 }),
    deployment('rev', { replicas: 1 }),
    behaviour('healthy-first', { labels: { app: 'first' }, podsStuck: 1 }, {}),
    behaviour('first', { labels: { app: 'first' } }, { fail: 'crash' }),
    behaviour('env', { env: { MODE: 'blue-*' } }, { fail: 'crash' }),
    behaviour('big', { memoryRequestAbove: '1Gi' }, { fail: 'crash' }),
    behaviour('rev', { labels: { app: 'rev' }, revisionBelow: 2 }, { fail: 'crash' }),
  )
  const failing = () => ['env', 'big', 'first', 'rev'].filter((app) => pods(w, app).some((pod) => waiting(pod) === 'CrashLoopBackOff'))
  await w.ports.until(() => failing().join() === 'env,big,rev', 3_000, 10)
  expect(rolledOut(w, 'first')()).toBe(true)
  setImage(w, 'rev', 'rev:2')
  await w.ports.until(rolledOut(w, 'rev'))
})

test('a Behaviour that is deleted lets its pods work', async () => {
  const w = world(deployment('web', { replicas: 1 }), behaviour('b', { labels: { app: 'web' } }, { fail: 'neverReady' }))
  await w.ports.advance(3_000)
  expect(rolledOut(w, 'web')()).toBe(false)
  w.store.remove('Behaviour', NS, 'b')
  await w.ports.until(rolledOut(w, 'web'), 1_000)
})

test('Recreate stops every old pod before the first new one is made', async () => {
  const w = world(deployment('web', { more: { strategy: { type: 'Recreate' } } }))
  await w.ports.until(rolledOut(w, 'web'))
  setImage(w, 'web', 'web:2')
  let mixed = false
  await w.ports.until(
    () => {
      mixed ||= new Set(list(w.store, 'Pod', NS).map((pod) => pod.spec?.containers[0]?.image)).size > 1
      return rolledOut(w, 'web')() && imagesOf(w, 'web').every((image) => image === 'web:2')
    },
    10_000,
    5,
  )
  expect(mixed).toBe(false)
})

test('a paused Deployment keeps its old pods, and rolls out once it goes on', async () => {
  const w = world(deployment('web'))
  await w.ports.until(rolledOut(w, 'web'))
  const pause = (paused: boolean, image: string) => {
    const now = must(w, 'Deployment', 'web')
    const changed = { ...now, spec: { ...(now.spec ?? {}), paused, template: templateOf('web', { image }) } }
    w.store.update(changed)
  }
  pause(true, 'web:2')
  await w.ports.advance(5_000)
  expect(new Set(imagesOf(w, 'web'))).toEqual(new Set(['web:1']))
  pause(false, 'web:2')
  await w.ports.until(() => imagesOf(w, 'web').every((image) => image === 'web:2'))
})

test('revisionHistoryLimit keeps that many old ReplicaSets', async () => {
  const w = world(deployment('web', { replicas: 1, more: { revisionHistoryLimit: 1 } }))
  for (const image of ['web:1', 'web:2', 'web:3', 'web:4']) {
    setImage(w, 'web', image)
    await w.ports.until(() => rolledOut(w, 'web')() && imagesOf(w, 'web').join() === image)
  }
  expect(sets(w).map((set) => set.spec?.template?.spec?.containers[0]?.image)).toEqual(['web:3', 'web:4'])
})

test('scaling changes the number of pods and nothing else', async () => {
  const w = world(deployment('web'))
  await w.ports.until(rolledOut(w, 'web'))
  const kept = pods(w, 'web').map((pod) => pod.metadata.uid)
  const now = must(w, 'Deployment', 'web')
  const scaled = { ...now, spec: { ...(now.spec ?? {}), replicas: 5 } }
  w.store.update(scaled)
  await w.ports.until(() => must(w, 'Deployment', 'web').status?.readyReplicas === 5)
  expect(sets(w)).toHaveLength(1)
  expect(pods(w, 'web').map((pod) => pod.metadata.uid)).toEqual(expect.arrayContaining(kept))
})

test('a quota stops the creation of pods: the Deployment says ReplicaFailure and the quota shows what is used', async () => {
  const w = world(deployment('web', { resources: { requests: { memory: '1Gi' } } }), plain('ResourceQuota', 'team', { hard: { 'requests.memory': '2Gi', pods: '10' } }))
  await w.ports.until(() => must(w, 'Deployment', 'web').status?.readyReplicas === 2)
  expect(condition(w, 'web', 'ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate', message: expect.stringContaining('exceeded quota: team') })
  expect(must(w, 'ResourceQuota', 'team').status).toMatchObject({ used: { 'requests.memory': '2Gi', pods: '2' } })
  const quota = must(w, 'ResourceQuota', 'team')
  w.store.update({ ...quota, spec: { hard: { 'requests.memory': '4Gi', pods: '10' } } })
  await w.ports.until(rolledOut(w, 'web'))
  expect(condition(w, 'web', 'ReplicaFailure')).toBeUndefined()
})

test('a pod that no node has room for is unschedulable until there is room', async () => {
  const w = world(deployment('huge', { replicas: 1, resources: { requests: { memory: '64Gi' } } }))
  await w.ports.until(() => pods(w, 'huge')[0]?.status?.conditions?.some((c) => c.reason === 'Unschedulable') ?? false)
  expect(reasons(w)).toContain('FailedScheduling')
  const status = { allocatable: { cpu: '64', memory: '256Gi' } }
  w.store.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-3' }, spec: {}, status })
  await w.ports.until(rolledOut(w, 'huge'))
})

test('a budget allows as many evictions as leave enough healthy pods', async () => {
  const w = world(deployment('web'), plain('PodDisruptionBudget', 'web', { minAvailable: 2, selector: { matchLabels: { app: 'web' } } }, 'policy/v1'))
  await w.ports.until(rolledOut(w, 'web'))
  await w.ports.settle()
  expect(must(w, 'PodDisruptionBudget', 'web').status).toMatchObject({ currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 })
  w.store.remove('Pod', NS, pods(w, 'web')[0]?.metadata.name ?? '')
  await w.ports.settle()
  expect(must(w, 'PodDisruptionBudget', 'web').status?.disruptionsAllowed).toBe(0)
})

test('with its Deployment gone, ReplicaSets and pods are gone too, and what is not theirs stays', async () => {
  const w = world(deployment('web'), deployment('other'))
  await w.ports.until(() => rolledOut(w, 'web')() && rolledOut(w, 'other')())
  w.store.remove('Deployment', NS, 'web')
  await w.ports.advance(1_000)
  expect(pods(w, 'web')).toEqual([])
  expect(sets(w).map((set) => set.spec?.template?.metadata?.labels?.['app'])).toEqual(['other'])
  expect(pods(w, 'other')).toHaveLength(3)
})

test('what a pod uses is measured while it runs', async () => {
  const w = world(deployment('web', { replicas: 1 }), behaviour('busy', { labels: { app: 'web' } }, { usage: { cpu: '900m', memory: '300Mi' }, throttled: 0.4 }))
  await w.ports.until(rolledOut(w, 'web'))
  const name = pods(w, 'web')[0]?.metadata.name ?? ''
  expect(get(w.store, 'PodMetrics', NS, name)?.containers).toEqual([{ name: 'app', usage: { cpu: '900m', memory: '300Mi' } }])
  expect(get(w.store, 'PodMetrics', NS, name)?.metadata.annotations).toEqual({ 'practice.alerts-slm.io/throttled': 'app=0.4' })
  w.store.remove('Pod', NS, name)
  await w.ports.settle()
  expect(get(w.store, 'PodMetrics', NS, name)).toBeUndefined()
})

const stateful = (name: string, more: object = {}) => workload('apps/v1', 'StatefulSet', name, { more: { serviceName: name, ...more } })
const setStateful = (w: World, name: string, image: string) => {
  const now = must(w, 'StatefulSet', name)
  const changed = { ...now, spec: { ...(now.spec ?? {}), template: templateOf(name, { image }) } }
  w.store.update(changed)
}

test('a StatefulSet makes its pods in order and replaces them from the last to the first', async () => {
  const w = world(stateful('db'))
  const made: string[] = []
  const order: string[] = []
  w.store.onChange(({ type, object }) => {
    if (object.kind === 'Pod' && type === 'ADDED') made.push(`${object.metadata.name} after ${pods(w, 'db').filter(isReady).length} ready`)
    if (object.kind === 'Pod' && type === 'DELETED') order.push(object.metadata.name)
  })
  await w.ports.until(() => must(w, 'StatefulSet', 'db').status?.readyReplicas === 3)
  expect(made).toEqual(['db-0 after 0 ready', 'db-1 after 1 ready', 'db-2 after 2 ready'])
  const before = must(w, 'StatefulSet', 'db').status?.currentRevision
  setStateful(w, 'db', 'db:2')
  await w.ports.until(() => must(w, 'StatefulSet', 'db').status?.currentRevision !== before)
  expect(order).toEqual(['db-2', 'db-1', 'db-0'])
  expect(must(w, 'StatefulSet', 'db').status).toMatchObject({ updatedReplicas: 3, readyReplicas: 3 })
  expect(list(w.store, 'ControllerRevision', NS).map(({ revision }) => revision)).toEqual([1, 2])
})

test('OnDelete waits for somebody to delete the pods', async () => {
  const w = world(stateful('db', { updateStrategy: { type: 'OnDelete' } }))
  await w.ports.until(() => must(w, 'StatefulSet', 'db').status?.readyReplicas === 3)
  setStateful(w, 'db', 'db:2')
  await w.ports.advance(3_000)
  expect(new Set(imagesOf(w, 'db'))).toEqual(new Set(['db:1']))
  w.store.remove('Pod', NS, 'db-1')
  await w.ports.until(() => imagesOf(w, 'db').includes('db:2'))
  expect(must(w, 'StatefulSet', 'db').status?.updatedReplicas).toBe(1)
})

test('claims of a StatefulSet are bound, outlive its pods and grow when more is requested', async () => {
  const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
  const w = world(stateful('db', { replicas: 1, volumeClaimTemplates: [claim] }))
  await w.ports.until(() => must(w, 'StatefulSet', 'db').status?.readyReplicas === 1)
  w.store.remove('Pod', NS, 'db-0')
  await w.ports.settle()
  expect(must(w, 'PersistentVolumeClaim', 'data-db-0').status).toMatchObject({ phase: 'Bound', capacity: { storage: '1Gi' } })
  const now = must(w, 'PersistentVolumeClaim', 'data-db-0')
  const grown = { ...now, spec: { ...now.spec, resources: { requests: { storage: '2Gi' } } } }
  w.store.update(grown)
  await w.ports.settle()
  expect(must(w, 'PersistentVolumeClaim', 'data-db-0').status?.capacity?.['storage']).toBe('2Gi')
})

test('a DaemonSet has one pod on each node and replaces one at a time', async () => {
  const w = world(workload('apps/v1', 'DaemonSet', 'agent', {}))
  await w.ports.until(() => must(w, 'DaemonSet', 'agent').status?.numberReady === 2)
  expect(
    pods(w, 'agent')
      .map((pod) => pod.spec?.nodeName)
      .sort(),
  ).toEqual(['node-1', 'node-2'])
  const now = must(w, 'DaemonSet', 'agent')
  const changed = { ...now, spec: { ...(now.spec ?? { selector: {} }), template: templateOf('agent', { image: 'agent:2' }) } }
  w.store.update(changed)
  let fewest = 2
  await w.ports.until(
    () => {
      fewest = Math.min(fewest, pods(w, 'agent').filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp).length)
      return must(w, 'DaemonSet', 'agent').status?.updatedNumberScheduled === 2 && must(w, 'DaemonSet', 'agent').status?.numberReady === 2
    },
    10_000,
    5,
  )
  expect(fewest).toBe(1)
  w.store.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-3' } })
  await w.ports.until(() => must(w, 'DaemonSet', 'agent').status?.numberReady === 3)
})

const job = (name: string, backoffLimit: number): Stored => {
  const template = templateOf(name, {})
  return plain('Job', name, { backoffLimit, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } }, 'batch/v1')
}

test('a Job is complete when its pod has ended well, and failed when too many have not', async () => {
  const w = world(job('good', 2), job('bad', 2), behaviour('b', { labels: { app: 'bad' } }, { fail: 'jobFails', exitCode: 7 }))
  await w.ports.until(() => must(w, 'Job', 'bad').status?.conditions?.some(({ type }) => type === 'Failed') ?? false)
  expect(must(w, 'Job', 'good').status).toMatchObject({ succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] })
  expect(must(w, 'Job', 'bad').status).toMatchObject({ failed: 3, active: 0, conditions: [{ type: 'Failed', reason: 'BackoffLimitExceeded' }] })
  expect(pods(w, 'bad').map((pod) => pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode)).toEqual([7, 7, 7])
})

test('pods that came with their status stay as they were seen', async () => {
  const status = { phase: 'Running', containerStatuses: [{ name: 'app', ready: false, restartCount: 40, state: { waiting: { reason: 'CrashLoopBackOff' } } }] }
  const spec = { nodeName: 'node-1', containers: [{ name: 'app', image: 'x' }] }
  const w = world({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'seen', namespace: NS }, spec, status })
  await w.ports.advance(5_000)
  expect(must(w, 'Pod', 'seen').status).toEqual(status)
})

test('the same world twice is the same, down to the names of its pods', async () => {
  const play = async () => {
    const w = world(deployment('web'), behaviour('b', { podsStuck: 1 }, { fail: 'crash' }))
    await w.ports.advance(3_000)
    running?.stop()
    return [w.store.version, pods(w, 'web').map((pod) => pod.metadata.name)]
  }
  expect(await play()).toEqual(await play())
})

test('a quiet world changes nothing any more', async () => {
  const w = world(deployment('web'), stateful('db'), job('good', 1))
  await w.ports.advance(5_000)
  const before = w.store.version
  await w.ports.advance(9_000)
  expect(w.store.version).toBe(before)
  expect(running?.quiet()).toBe(true)
})
