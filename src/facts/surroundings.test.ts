import { describe, expect, it } from 'vitest'
import { START } from '../../test/manual-ports.ts'
import { ago, CRASHING, deployment, firingAlert, type Manifest, NAMESPACE, ownedBy, pod, podTemplate, reading, replicaSet } from '../../test/readings.ts'

const about = ['Deployment', 'web'] as const
const web = [deployment(), replicaSet(1, 9_000)]
const object = (apiVersion: string, kind: string, name: string, more: Manifest): Manifest => ({ apiVersion, kind, metadata: { name, namespace: NAMESPACE }, ...more })

describe('the fact autoscaler', () => {
  const hpa = object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', {
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 5 },
    status: {
      currentReplicas: 5,
      desiredReplicas: 5,
      conditions: [
        { type: 'ScalingActive', status: 'True' },
        { type: 'ScalingLimited', status: 'True', reason: 'TooManyReplicas' },
      ],
    },
  })
  it('finds the one that scales the workload, and none for another', async () => {
    const expected = {
      name: 'web',
      minReplicas: 1,
      maxReplicas: 5,
      atMax: true,
      scalingActive: true,
      ableToScale: false,
      scalingLimited: true,
      scalingLimitedReason: 'TooManyReplicas',
      byKeda: false,
    }
    expect(await reading('autoscaler', { manifests: [...web, hpa], about })).toMatchObject(expected)
    expect(await reading('autoscaler', { manifests: [hpa, deployment({ metadata: { name: 'api' } })], about: ['Deployment', 'api'] })).toBeNull()
  })
  it('is the one that the alert names', async () => {
    expect(await reading('autoscaler', { manifests: [hpa], about: ['HorizontalPodAutoscaler', 'web'] })).toMatchObject({ name: 'web' })
  })
})

describe('the fact ownership', () => {
  it.each([
    [{}, 'none', null],
    [{ annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:team-a/web' } }, 'argocd', 'annotation argocd.argoproj.io/tracking-id'],
    [{ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }, 'flux', 'label kustomize.toolkit.fluxcd.io/name'],
    [{ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'helm', 'label app.kubernetes.io/managed-by'],
    [{ managedFields: [{ manager: 'argocd-controller', operation: 'Apply' }] }, 'argocd', 'field manager argocd-controller'],
  ])('reads %j as %s', async (metadata, managedBy, evidence) => {
    const scene = { manifests: [deployment({ metadata })], about }
    expect(await reading('ownership', scene)).toEqual({ managedBy, evidence })
  })
  it('takes a custom resource above the workload for an operator', async () => {
    const owned = deployment({ metadata: { ownerReferences: [{ apiVersion: 'kafka.example/v1', kind: 'Kafka', name: 'bus', uid: 'k', controller: true }] } })
    expect(await reading('ownership', { manifests: [owned], about })).toEqual({ managedBy: 'operator', evidence: 'owned by Kafka bus' })
  })
})

describe('the fact disruption', () => {
  const budget = (name: string, selector: Manifest, allowed: number) =>
    object('policy/v1', 'PodDisruptionBudget', name, { spec: { minAvailable: '50%', selector }, status: { disruptionsAllowed: allowed, currentHealthy: 3, desiredHealthy: 2 } })
  it('is the tightest of the budgets that select the pods', async () => {
    const manifests = [
      ...web,
      budget('loose', { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'api'] }] }, 2),
      budget('tight', {}, 0),
      budget('other', { matchLabels: { app: 'api' } }, 0),
    ]
    expect(await reading('disruption', { manifests, about })).toEqual({
      budgets: 2,
      disruptionsAllowed: 0,
      currentHealthy: 3,
      desiredHealthy: 2,
      minAvailable: '50%',
      maxUnavailable: null,
    })
    expect(await reading('disruption', { manifests: web, about })).toBeNull()
  })
})

describe('the facts of quotas', () => {
  const quota = object('v1', 'ResourceQuota', 'compute', {
    spec: { hard: { pods: '10', 'requests.memory': '4Gi', 'requests.cpu': '2' } },
    status: { hard: { pods: '10', 'requests.memory': '4Gi', 'requests.cpu': '2' }, used: { pods: '10', 'requests.memory': '3900Mi', 'requests.cpu': '500m' } },
  })
  it('tell what is used up and what is left', async () => {
    expect(await reading('quota', { manifests: [quota], about })).toEqual({ quotas: 1, exhausted: ['pods'], nearly: ['pods', 'requests.memory'], exceeded: [], lowestFreeShare: 0 })
    expect(await reading('quotaOf', { manifests: [quota], about }, { resource: 'requests.cpu' })).toEqual({ hard: 2, used: 0.5, free: 1.5, freeShare: 0.75 })
    expect(await reading('quotaOf', { manifests: [quota], about }, { resource: 'limits.cpu' })).toBeNull()
    expect(await reading('quota', { manifests: web, about })).toBeNull()
  })
})

describe('the fact volume', () => {
  it('tells a claim that grows, and does not know how full it is', async () => {
    const claim = object('v1', 'PersistentVolumeClaim', 'data', {
      spec: { storageClassName: 'fast', resources: { requests: { storage: '20Gi' } } },
      status: { phase: 'Bound', capacity: { storage: '10Gi' }, conditions: [{ type: 'FileSystemResizePending', status: 'True' }] },
    })
    expect(await reading('volume', { manifests: [claim], about: ['PersistentVolumeClaim', 'data'] })).toEqual({
      phase: 'Bound',
      capacityBytes: 10 * 2 ** 30,
      requestedBytes: 20 * 2 ** 30,
      growing: true,
      conditions: ['FileSystemResizePending'],
      storageClass: 'fast',
      usedShare: { unknown: expect.any(String) },
    })
    expect(await reading('volume', { manifests: web, about })).toBeNull()
  })
})

describe('the fact job', () => {
  const run = (name: string, ageSeconds: number, condition: Manifest, status: Manifest = {}): Manifest => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: NAMESPACE,
      creationTimestamp: ago(ageSeconds),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: '', controller: true }],
    },
    spec: { backoffLimit: 2, template: podTemplate() },
    status: { ...status, conditions: [{ status: 'True', ...condition }] },
  })
  const cron = object('batch/v1', 'CronJob', 'nightly', { spec: { schedule: '0 3 * * *', jobTemplate: {} }, status: { lastSuccessfulTime: ago(100) } })
  it('tells why it failed, and that a later run of its CronJob succeeded', async () => {
    const failed = run('nightly-1', 7_200, { type: 'Failed', reason: 'BackoffLimitExceeded' }, { failed: 3 })
    const expected = { failed: 3, backoffLimit: 2, failedReason: 'BackoffLimitExceeded', ageSeconds: 7_200, complete: false }
    const scene = (...later: Manifest[]) => ({ manifests: [cron, failed, ...later], about: ['Job', 'nightly-1'] as const })
    expect(await reading('job', scene())).toMatchObject({ ...expected, cronJob: { name: 'nightly', laterRunSucceeded: false, lastSuccessSecondsAgo: 100 } })
    expect(await reading('job', scene(run('nightly-2', 3_600, { type: 'Complete' })))).toMatchObject({ cronJob: { laterRunSucceeded: true } })
    expect(await reading('job', scene(run('nightly-0', 9_000, { type: 'Complete' })))).toMatchObject({ cronJob: { laterRunSucceeded: false } })
  })
})

describe('the facts of Events', () => {
  const event = (kind: string, name: string, reason: string, message: string, secondsAgo: number, count = 1): Manifest => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${reason}.${secondsAgo}`, namespace: NAMESPACE },
    involvedObject: { kind, name, namespace: NAMESPACE },
    type: 'Warning',
    reason,
    message,
    count,
    lastTimestamp: ago(secondsAgo),
  })
  const manifests = [
    ...web,
    pod('web-a', { status: CRASHING }),
    event('Pod', 'web-a', 'BackOff', 'Back-off restarting failed container', 60, 12),
    event('Pod', 'web-a', 'Unhealthy', 'Readiness probe failed: 503', 120),
    event('Pod', 'web-a', 'Unhealthy', 'Liveness probe failed: 503', 3_000),
    event('Pod', 'other', 'FailedScheduling', '0/3 nodes are available: 3 Insufficient cpu.', 60),
    event('ReplicaSet', 'web-1', 'FailedCreate', 'pods "web-1-x" is forbidden: exceeded quota: compute, requested: pods=1', 30),
  ]
  it('tell what happened to the workload in the last 15 minutes', async () => {
    expect(await reading('events', { manifests, about })).toEqual({
      total: 14,
      warnings: 14,
      reasons: ['BackOff', 'FailedCreate', 'Unhealthy'],
      scheduling: [],
      quotaBlocksPods: true,
      podsForbidden: true,
      probes: ['readiness'],
      startProblem: null,
    })
  })
  it('count one reason over another window', async () => {
    expect(await reading('eventCount', { manifests, about }, { reason: 'BackOff' })).toBe(12)
    expect(await reading('eventCount', { manifests, about }, { reason: 'Unhealthy', window: '1h' })).toBe(2)
    expect(await reading('eventCount', { manifests, about }, { reason: 'Unhealthy', window: 'soon' })).toEqual({ unknown: expect.stringContaining('parameters') })
  })
})

describe('the facts of other alerts', () => {
  const firing = [
    firingAlert({ alertname: 'PostgresDown', severity: 'critical', pod: 'db-0' }),
    firingAlert({ alertname: 'KubeDeploymentReplicasMismatch', severity: 'warning', deployment: 'web' }),
    firingAlert({ alertname: 'Watchdog', severity: 'none' }),
    firingAlert({ alertname: 'DeadMansSwitch', severity: 'critical' }),
    firingAlert({ alertname: 'CPUThrottlingHigh', severity: 'info', pod: 'web-a' }),
    firingAlert({ alertname: 'Told', severity: 'warning', alerts_slm_case: '01J' }),
  ]
  it('tell trouble elsewhere from trouble of the same workload, and leave out what fires by design', async () => {
    expect(await reading('dependencies', { manifests: web, about, firing })).toEqual({
      elsewhere: 1,
      names: ['PostgresDown'],
      same: 1,
      sameNames: ['KubeDeploymentReplicasMismatch'],
    })
    expect(await reading('firing', { manifests: web, about, firing }, { name: 'PostgresDown' })).toBe(1)
  })
  it('are unknown when Alertmanager cannot be asked', async () => {
    expect(await reading('dependencies', { manifests: web, about, firing: { unknown: 'no answer' } })).toEqual({ unknown: 'no answer' })
  })
})

describe('the facts of history and time', () => {
  const attempt = (action: string, secondsAgo: number, outcome: 'fixed' | 'unproven' | undefined) => ({
    at: START - secondsAgo * 1_000,
    caseId: String(secondsAgo),
    alert: 'KubePodCrashLooping',
    owner: `Deployment/${NAMESPACE}/web`,
    rule: undefined,
    action,
    direction: undefined,
    outcome,
  })
  const attempts = [
    attempt('restart_pod', 60, undefined),
    attempt('restart_pod', 600, 'unproven'),
    attempt('rollout_restart', 900, 'unproven'),
    attempt('restart_pod', 1_200, 'fixed'),
  ]
  it('count attempts on the owner, and those in a row that did not help', async () => {
    expect(await reading('history', { manifests: web, about, attempts })).toEqual({ attempts: 4, ineffectiveInARow: 2, lastAttemptSecondsAgo: 60, lastOutcome: null })
    expect(await reading('history', { manifests: web, about, attempts }, { action: 'rollout_restart', window: '1h' })).toMatchObject({
      attempts: 1,
      ineffectiveInARow: 1,
      lastOutcome: 'unproven',
    })
    expect(await reading('history', { manifests: web, about, attempts }, { action: 'restart_pod', window: '15m' })).toMatchObject({ attempts: 2 })
  })
  it('tell the hour where people live', async () => {
    expect(await reading('time', {})).toEqual({ hour: 12, minute: 0, weekday: 'Thursday', weekend: false })
    expect(await reading('time', {}, { timezone: 'Asia/Kolkata' })).toMatchObject({ hour: 17, minute: 30 })
    expect(await reading('time', {}, { timezone: 'Mars/Olympus' })).toEqual({ unknown: 'there is no time zone Mars/Olympus' })
  })
  it('count how often the alert came back', async () => {
    expect(await reading('alertsInWindow', { manifests: web, about, episodes: 4 }, { window: '1h' })).toBe(4)
  })
})

describe("the facts of the alert's own words", () => {
  it('read labels and annotations by their full name, and nothing of the prototype', async () => {
    const scene = { labels: { 'app.kubernetes.io/name': 'web', severity: 'critical' }, annotations: { summary: 'down' } }
    expect(await reading('alert', scene)).toEqual({ name: 'KubePodCrashLooping', severity: 'critical', ageSeconds: 900, alerts: 1 })
    expect(await reading('label', scene, { name: 'app.kubernetes.io/name' })).toBe('web')
    expect(await reading('label', scene, { name: 'constructor' })).toBeNull()
    expect(await reading('annotation', scene, { name: 'summary' })).toBe('down')
  })
  it('tell the target and what is written on it', async () => {
    const manifests = [
      deployment({ metadata: { labels: { tier: 'front' } } }),
      replicaSet(1, 9_000),
      pod('web-a', { metadata: { ownerReferences: ownedBy('ReplicaSet', 'web-1') } }),
    ]
    expect(await reading('target', { manifests, about: ['Pod', 'web-a'] })).toMatchObject({ kind: 'Pod', ownerKind: 'Deployment', ownerName: 'web' })
    expect(await reading('targetLabel', { manifests, about: ['Pod', 'web-a'] }, { name: 'tier' })).toBe('front')
    expect(await reading('targetLabel', { manifests, about: ['Pod', 'web-a'] }, { name: 'app', of: 'object' })).toBe('web')
  })
})
