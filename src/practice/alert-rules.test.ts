import { expect, test } from 'vitest'
import { type ManualPorts, manualPorts, START } from '../../test/manual-ports.ts'
import { ADDRESSES, type Kind } from '../kube/wire.ts'
import { ALERT_RULES, MINUTE } from './alert-conditions.ts'
import { type Evaluator, makeEvaluator } from './alert-rules.ts'
import { PRACTICE_PACE } from './pace.ts'
import { Store, type Stored } from './store.ts'

interface Bench {
  readonly ports: ManualPorts
  readonly store: Store
  readonly evaluator: Evaluator
  /** Looks every quarter of a minute, in Prometheus' time. */
  readonly after: (minutes: number) => Promise<string[]>
}
const SCALE = PRACTICE_PACE.forFactor
function bench(...objects: readonly Stored[]): Bench {
  const ports = manualPorts()
  const store = new Store(ports.clock)
  for (const object of objects) store.create(object)
  const evaluator = makeEvaluator(store, ports.clock, PRACTICE_PACE)
  const after = async (minutes: number): Promise<string[]> => {
    let firing: string[] = []
    for (let passed = 0; passed <= minutes; passed += 0.25) {
      firing = evaluator
        .evaluate()
        .filter(({ endsAt }) => (endsAt ?? 0) > ports.clock.now())
        .map(({ labels }) => labels['alertname'] ?? '')
      if (passed < minutes) await ports.advance(0.25 * MINUTE * SCALE)
    }
    return firing
  }
  return { ports, store, evaluator, after }
}

const object = (kind: Kind, name: string, more: object, annotations?: Record<string, string>): Stored => ({
  apiVersion: ADDRESSES[kind].apiVersion,
  kind,
  metadata: { name, namespace: 'shop', ...(annotations && { annotations }) },
  ...more,
})
const pod = (containerStatus: object, phase = 'Running', name = 'web-1'): Stored => {
  const containerStatuses = [{ name: 'app', restartCount: 3, ...containerStatus }]
  return object('Pod', name, { spec: { containers: [{ name: 'app' }] }, status: { phase, containerStatuses } })
}
const CRASHING = { state: { waiting: { reason: 'CrashLoopBackOff' } } }
const RUNNING = { state: { running: { startedAt: '2026-01-15T12:00:00Z' } } }

/** Each with how long it takes to fire, what makes it, and what ends it. Where the number that has to stand still changed too, its range comes on top. */
const CASES: readonly (readonly [alert: string, minutes: number, bad: Stored, good: Stored, labels: object])[] = [
  ['KubePodCrashLooping', 15, pod(CRASHING), pod(RUNNING), { pod: 'web-1', container: 'app', reason: 'CrashLoopBackOff', severity: 'warning', job: 'kube-state-metrics' }],
  ['KubePodNotReady', 15, pod({}, 'Pending'), pod(RUNNING), { pod: 'web-1', severity: 'warning' }],
  ['KubeContainerWaiting', 60, pod({ state: { waiting: { reason: 'ImagePullBackOff' } } }), pod(RUNNING), { pod: 'web-1', reason: 'ImagePullBackOff' }],
  ['KubeContainerOOMKilled', 0, pod({ lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }), pod(RUNNING), { pod: 'web-1', container: 'app', reason: 'OOMKilled' }],
  [
    'CPUThrottlingHigh',
    15,
    object('PodMetrics', 'web-1', {}, { 'practice.alerts-slm.io/throttled': 'app=0.6' }),
    object('PodMetrics', 'web-1', {}),
    { pod: 'web-1', container: 'app', severity: 'info' },
  ],
  [
    'KubeDeploymentReplicasMismatch',
    15,
    object('Deployment', 'web', { spec: { replicas: 3 }, status: { observedGeneration: 1, availableReplicas: 2, updatedReplicas: 3 } }),
    object('Deployment', 'web', { spec: { replicas: 3 }, status: { observedGeneration: 1, availableReplicas: 3, updatedReplicas: 3 } }),
    { deployment: 'web', pod: 'kube-state-metrics-5b9c7d8f4-x2z9k' },
  ],
  [
    'KubeDeploymentRolloutStuck',
    15,
    object('Deployment', 'web', { spec: { replicas: 0 }, status: { observedGeneration: 1, conditions: [{ type: 'Progressing', status: 'False' }] } }),
    object('Deployment', 'web', { spec: { replicas: 0 }, status: { observedGeneration: 1, conditions: [{ type: 'Progressing', status: 'True' }] } }),
    { deployment: 'web' },
  ],
  [
    'KubeDeploymentGenerationMismatch',
    15,
    object('Deployment', 'web', { spec: { replicas: 0 }, status: { observedGeneration: 0 } }),
    object('Deployment', 'web', { spec: { replicas: 0 }, status: { observedGeneration: 1 } }),
    { deployment: 'web' },
  ],
  [
    'KubeStatefulSetReplicasMismatch',
    15,
    object('StatefulSet', 'db', { spec: { replicas: 2 }, status: { readyReplicas: 1, updatedReplicas: 2 } }),
    object('StatefulSet', 'db', { spec: { replicas: 2 }, status: { readyReplicas: 2, updatedReplicas: 2 } }),
    { statefulset: 'db' },
  ],
  [
    'KubeStatefulSetUpdateNotRolledOut',
    20,
    object('StatefulSet', 'db', { spec: { replicas: 2 }, status: { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' } }),
    object('StatefulSet', 'db', { spec: { replicas: 2 }, status: { readyReplicas: 2, updatedReplicas: 2, currentRevision: 'b', updateRevision: 'b' } }),
    { statefulset: 'db' },
  ],
  [
    'KubeDaemonSetRolloutStuck',
    20,
    object('DaemonSet', 'agent', { status: { desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2 } }),
    object('DaemonSet', 'agent', { status: { desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 } }),
    { daemonset: 'agent' },
  ],
  [
    'KubeJobFailed',
    15,
    object('Job', 'nightly', { status: { failed: 1, conditions: [{ type: 'Failed', status: 'True' }] } }),
    object('Job', 'nightly', { status: { succeeded: 1 } }),
    { job_name: 'nightly', condition: 'true' },
  ],
  [
    'KubeHpaMaxedOut',
    15,
    object('HorizontalPodAutoscaler', 'web', { spec: { minReplicas: 1, maxReplicas: 3 }, status: { currentReplicas: 3, desiredReplicas: 3 } }),
    object('HorizontalPodAutoscaler', 'web', { spec: { minReplicas: 1, maxReplicas: 5 }, status: { currentReplicas: 3, desiredReplicas: 3 } }),
    { horizontalpodautoscaler: 'web' },
  ],
  [
    'KubeHpaReplicasMismatch',
    30,
    object('HorizontalPodAutoscaler', 'web', { spec: { minReplicas: 1, maxReplicas: 5 }, status: { currentReplicas: 3, desiredReplicas: 4 } }),
    object('HorizontalPodAutoscaler', 'web', { spec: { minReplicas: 1, maxReplicas: 5 }, status: { currentReplicas: 4, desiredReplicas: 4 } }),
    { horizontalpodautoscaler: 'web' },
  ],
  [
    'KubePersistentVolumeFillingUp',
    1,
    object('PersistentVolumeClaim', 'media', { status: { capacity: { storage: '10Gi' } } }, { 'practice.alerts-slm.io/used': '9990Mi' }),
    object('PersistentVolumeClaim', 'media', { status: { capacity: { storage: '20Gi' } } }, { 'practice.alerts-slm.io/used': '9990Mi' }),
    { persistentvolumeclaim: 'media', job: 'kubelet', severity: 'critical' },
  ],
  [
    'KubeQuotaAlmostFull',
    15,
    object('ResourceQuota', 'team', { status: { hard: { pods: '20' }, used: { pods: '19' } } }),
    object('ResourceQuota', 'team', { status: { hard: { pods: '20' }, used: { pods: '17' } } }),
    { resourcequota: 'team', resource: 'pods' },
  ],
  [
    'KubeQuotaFullyUsed',
    15,
    object('ResourceQuota', 'team', { status: { hard: { 'requests.memory': '2Gi' }, used: { 'requests.memory': '2048Mi' } } }),
    object('ResourceQuota', 'team', { status: { hard: { 'requests.memory': '3Gi' }, used: { 'requests.memory': '2048Mi' } } }),
    { resourcequota: 'team', resource: 'requests.memory' },
  ],
]

test.each(CASES)('%s fires once it has held for %d minutes, with its labels, and ends', async (alert, minutes, bad, good, labels) => {
  const b = bench(good)
  const become = (next: Stored) =>
    b.store.update({ ...next, metadata: { ...b.store.get(next.kind, 'shop', next.metadata.name)?.metadata, ...next.metadata, annotations: { ...next.metadata.annotations } } })
  // Well for longer than the ranges of the rules, so that only what changes now counts as changed.
  expect(await b.after(20)).toEqual([])
  become(bad)
  if (minutes > 0) expect(await b.after(minutes - 0.5)).not.toContain(alert)
  expect(b.evaluator.pending() || minutes === 0).toBe(true)
  expect(await b.after(1)).toContain(alert)
  const fired = b.evaluator.evaluate().find((posted) => posted.labels['alertname'] === alert)
  expect(fired?.labels).toMatchObject({ namespace: 'shop', prometheus: 'monitoring/k8s', ...labels })
  expect(fired?.annotations['description']).toMatch(/shop/i)
  become(good)
  expect(await b.after(6)).not.toContain(alert)
})

test('every rule has a case here', () => {
  expect(ALERT_RULES.map(({ alert }) => alert).sort()).toEqual(CASES.map(([alert]) => alert).sort())
})

test('what was well is not alerted on, at any time', async () => {
  const b = bench(...CASES.map(([alert, , , good]) => ({ ...good, metadata: { ...good.metadata, name: `${good.metadata.name}-${alert.toLowerCase()}` } })))
  expect(await b.after(90)).toEqual([])
})

test('a crash loop fires on although its container runs between the crashes', async () => {
  const b = bench(pod(CRASHING))
  const set = (status: object) => b.store.update({ ...pod(status), metadata: b.store.get('Pod', 'shop', 'web-1')?.metadata ?? { name: '' } })
  for (let round = 0; round < 6; round++) {
    set(CRASHING)
    await b.after(1)
    set(RUNNING)
    await b.after(2)
  }
  expect(await b.after(0)).toEqual(['KubePodCrashLooping'])
  expect(await b.after(5)).toEqual([])
})

test('what ended is posted once with its end, and its start stays', async () => {
  const b = bench(pod({}, 'Pending'))
  await b.after(16)
  const firing = b.evaluator.evaluate()[0]
  expect(firing?.startsAt).toBe(START + 15 * MINUTE * SCALE)
  b.store.remove('Pod', 'shop', 'web-1')
  await b.ports.advance(10)
  expect(b.evaluator.evaluate()).toMatchObject([{ startsAt: firing?.startsAt, endsAt: b.ports.clock.now() }])
  expect(b.evaluator.evaluate()).toEqual([])
})

test('a condition that broke off begins its time anew', async () => {
  const b = bench(pod({}, 'Pending'))
  await b.after(14)
  b.store.update({ ...pod(RUNNING), metadata: b.store.get('Pod', 'shop', 'web-1')?.metadata ?? { name: '' } })
  await b.after(1)
  b.store.update({ ...pod({}, 'Pending'), metadata: b.store.get('Pod', 'shop', 'web-1')?.metadata ?? { name: '' } })
  expect(await b.after(14)).toEqual([])
  expect(await b.after(2)).toEqual(['KubePodNotReady'])
})

test('without honor_labels the pod arrives as exported_pod, and pod is the exporter', async () => {
  const seen = pod(CRASHING)
  const b = bench({ ...seen, metadata: { ...seen.metadata, annotations: { 'practice.alerts-slm.io/exported-labels': 'true' } } })
  await b.after(16)
  expect(b.evaluator.evaluate()[0]?.labels).toMatchObject({
    namespace: 'shop',
    exported_namespace: 'shop',
    exported_pod: 'web-1',
    exported_container: 'app',
    pod: expect.stringMatching(/^kube-state-metrics-/),
  })
})

test('pods of Jobs and of the cluster itself raise no KubePodNotReady', async () => {
  const waiting = pod({}, 'Pending')
  const ofJob = { ...waiting, metadata: { ...waiting.metadata, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }] } }
  const ofCluster = { ...waiting, metadata: { name: 'dns', namespace: 'kube-system' } }
  expect(await bench(ofJob, ofCluster).after(30)).toEqual([])
})

test('on a slow machine one look between two crashes ends no crash loop', async () => {
  const b = bench(pod(CRASHING))
  await b.after(16)
  const set = (status: object) => b.store.update({ ...pod(status), metadata: b.store.get('Pod', 'shop', 'web-1')?.metadata ?? { name: '' } })
  set(RUNNING)
  await b.ports.advance(2_000)
  expect(b.evaluator.evaluate()).toMatchObject([{ labels: { alertname: 'KubePodCrashLooping' }, endsAt: b.ports.clock.now() + PRACTICE_PACE.resolveTimeoutMs }])
})

test('a clock that goes on during the evaluation ends nothing', () => {
  let now = 0
  const clock = { now: () => START + ++now, elapsed: () => ++now }
  const store = new Store(clock)
  store.create(pod({}, 'Pending'))
  const evaluator = makeEvaluator(store, clock, PRACTICE_PACE)
  evaluator.evaluate()
  now += 15 * MINUTE * SCALE
  expect(evaluator.evaluate().map(({ labels }) => labels['alertname'])).toEqual(['KubePodNotReady'])
})
