// What a Prometheus with the kube-prometheus rules would alert on, judged on the practice store: same names, labels, severities and ranges.
import type { Labels } from '../domain/alert.ts'
import { parseQuantity } from '../domain/quantity.ts'
import { type Live, list, namespaceOf } from './controllers/cluster.ts'
import { THROTTLED } from './controllers/pod-metrics.ts'
import type { Store, Stored } from './store.ts'

export const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** One series for which a rule's expression holds. */
export interface Series {
  readonly labels: Labels
  readonly description: string
}
/** What rules may look at besides the present: how long a value has been as it is, in real (unscaled) milliseconds. */
export interface View {
  readonly store: Store
  readonly unchangedFor: (key: string, value: unknown) => number
}
export interface AlertRule {
  readonly alert: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly summary: string
  /** Real time; the world's pace shortens it. */
  readonly forMs: number
  /** Of `max_over_time(…[5m])`: a series goes on that long after it last held, whatever became of its pod. */
  readonly overMs?: number
  readonly series: (view: View) => readonly Series[]
}

/** On a pod template or workload: its Prometheus scrapes without honor_labels, and what kube-state-metrics says arrives as exported_*. */
const EXPORTED = 'practice.alerts-slm.io/exported-labels'
/** On a claim: how much of it is used, which only the kubelet's metrics tell. */
const USED = 'practice.alerts-slm.io/used'

const EXPORTER = {
  container: 'kube-rbac-proxy-main',
  endpoint: 'https-main',
  instance: '10.0.0.9:8443',
  job: 'kube-state-metrics',
  pod: 'kube-state-metrics-5b9c7d8f4-x2z9k',
  service: 'kube-state-metrics',
}

/**
 * Labels of a series of kube-state-metrics. Its own pod and container stay where the metric names none: a Deployment's alert carries
 * the exporter's pod, and a reader who takes that for the target restarts the monitoring.
 */
function stateLabels(object: Stored, own: Labels): Labels {
  const named: Labels = { namespace: namespaceOf(object), ...own }
  if (object.metadata.annotations?.[EXPORTED] !== 'true') return { ...EXPORTER, ...named }
  const clashing = ['namespace', 'pod', 'container']
  const exported = Object.entries(named).map(([name, value]) => [clashing.includes(name) ? `exported_${name}` : name, value])
  return { ...EXPORTER, namespace: namespaceOf(object), ...Object.fromEntries(exported) }
}

type Pod = Live<'Pod'>
type Status = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]
const containers = (store: Store): readonly { readonly pod: Pod; readonly status: Status }[] =>
  list(store, 'Pod').flatMap((pod) => (pod.status?.containerStatuses ?? []).map((status) => ({ pod, status })))
const place = (object: Stored): string => `${namespaceOf(object)}/${object.metadata.name}`
const podLabels = (pod: Pod, status: Status, more: Labels = {}): Labels =>
  stateLabels(pod, { pod: pod.metadata.name, container: status.name, uid: pod.metadata.uid ?? '', ...more })

const POD_RULES: readonly AlertRule[] = [
  {
    alert: 'KubePodCrashLooping',
    severity: 'warning',
    summary: 'Pod is crash looping.',
    forMs: 15 * MINUTE,
    overMs: 5 * MINUTE,
    series: ({ store }) =>
      containers(store)
        .filter(({ status }) => status.state?.waiting?.reason === 'CrashLoopBackOff')
        .map(({ pod, status }) => ({
          labels: podLabels(pod, status, { reason: 'CrashLoopBackOff' }),
          description: `Pod ${place(pod)} (${status.name}) is in waiting state (reason: "CrashLoopBackOff").`,
        })),
  },
  {
    alert: 'KubePodNotReady',
    severity: 'warning',
    summary: 'Pod has been in a non-ready state for more than 15 minutes.',
    forMs: 15 * MINUTE,
    // By phase, as the real rule: a pod that runs and is not ready is told by its workload's alert.
    series: ({ store }) =>
      list(store, 'Pod')
        .filter((pod) => ['Pending', 'Unknown', 'Failed'].includes(pod.status?.phase ?? 'Pending') && !pod.metadata.ownerReferences?.some(({ kind }) => kind === 'Job'))
        .map((pod) => ({
          labels: { namespace: namespaceOf(pod), pod: pod.metadata.name },
          description: `Pod ${place(pod)} has been in a non-ready state for longer than 15 minutes.`,
        })),
  },
  {
    alert: 'KubeContainerWaiting',
    severity: 'warning',
    summary: 'Pod container waiting longer than 1 hour',
    forMs: HOUR,
    series: ({ store }) =>
      containers(store).flatMap(({ pod, status }) => {
        const reason = status.state?.waiting?.reason
        if (reason === undefined || reason === 'CrashLoopBackOff') return []
        return [
          {
            labels: podLabels(pod, status, { reason }),
            description: `pod/${pod.metadata.name} in namespace ${namespaceOf(pod)} on container ${status.name} has been in waiting state for longer than 1 hour. (reason: "${reason}")`,
          },
        ]
      }),
  },
  {
    alert: 'KubeContainerOOMKilled',
    severity: 'warning',
    summary: 'Container was killed for its memory.',
    forMs: 0,
    overMs: 5 * MINUTE,
    // Only while it goes on: the last state names the reason for as long as the pod lives.
    series: ({ store, unchangedFor }) =>
      containers(store)
        .filter(
          ({ pod, status }) => status.lastState?.terminated?.reason === 'OOMKilled' && unchangedFor(`oom ${pod.metadata.uid} ${status.name}`, status.restartCount) < 10 * MINUTE,
        )
        .map(({ pod, status }) => ({
          labels: podLabels(pod, status, { reason: 'OOMKilled' }),
          description: `Container ${status.name} of pod ${place(pod)} has been OOMKilled ${status.restartCount} times.`,
        })),
  },
  {
    alert: 'CPUThrottlingHigh',
    severity: 'info',
    summary: 'Processes experience elevated CPU throttling.',
    forMs: 15 * MINUTE,
    series: ({ store }) => list(store, 'PodMetrics').flatMap((metrics) => throttled(metrics)),
  },
]

function throttled(metrics: Live<'PodMetrics'>): readonly Series[] {
  const [container = '', share = ''] = (metrics.metadata.annotations?.[THROTTLED] ?? '').split('=')
  if (!(Number(share) > 0.25)) return []
  const labels = { namespace: namespaceOf(metrics), pod: metrics.metadata.name, container }
  return [{ labels, description: `${Math.round(Number(share) * 100)}% throttling of CPU in namespace ${labels.namespace} for container ${container} in pod ${labels.pod}.` }]
}

/** `changes(…[10m]) == 0`. Asked first, of every object: what is not asked of is forgotten, and would count as changed just now. */
const still = (view: View, object: Stored, what: string, value: unknown, ms: number): boolean => view.unchangedFor(`${what} ${object.metadata.uid}`, value) >= ms

const WORKLOAD_RULES: readonly AlertRule[] = [
  {
    alert: 'KubeDeploymentReplicasMismatch',
    severity: 'warning',
    summary: 'Deployment has not matched the expected number of replicas.',
    forMs: 15 * MINUTE,
    series: (view) =>
      list(view.store, 'Deployment')
        .filter((d) => still(view, d, 'updated', d.status?.updatedReplicas, 10 * MINUTE) && (d.spec?.replicas ?? 1) > (d.status?.availableReplicas ?? 0))
        .map((d) => ({
          labels: stateLabels(d, { deployment: d.metadata.name }),
          description: `Deployment ${place(d)} has not matched the expected number of replicas for longer than 15 minutes.`,
        })),
  },
  {
    alert: 'KubeDeploymentRolloutStuck',
    severity: 'warning',
    summary: 'Deployment rollout is not progressing.',
    forMs: 15 * MINUTE,
    series: ({ store }) =>
      list(store, 'Deployment')
        .filter((d) => d.status?.conditions?.some(({ type, status }) => type === 'Progressing' && status === 'False'))
        .map((d) => ({
          labels: stateLabels(d, { deployment: d.metadata.name, condition: 'Progressing', status: 'false' }),
          description: `Rollout of deployment ${place(d)} is not progressing for longer than 15 minutes.`,
        })),
  },
  {
    alert: 'KubeDeploymentGenerationMismatch',
    severity: 'warning',
    summary: 'Deployment generation mismatch due to possible roll-back',
    forMs: 15 * MINUTE,
    series: ({ store }) =>
      list(store, 'Deployment')
        .filter((d) => d.status?.observedGeneration !== d.metadata.generation)
        .map((d) => ({
          labels: stateLabels(d, { deployment: d.metadata.name }),
          description: `Deployment generation for ${place(d)} does not match, this indicates that the Deployment has failed but has not been rolled back.`,
        })),
  },
  {
    alert: 'KubeStatefulSetReplicasMismatch',
    severity: 'warning',
    summary: 'StatefulSet has not matched the expected number of replicas.',
    forMs: 15 * MINUTE,
    series: (view) =>
      list(view.store, 'StatefulSet')
        .filter((s) => still(view, s, 'updated', s.status?.updatedReplicas, 10 * MINUTE) && (s.spec?.replicas ?? 1) !== (s.status?.readyReplicas ?? 0))
        .map((s) => ({
          labels: stateLabels(s, { statefulset: s.metadata.name }),
          description: `StatefulSet ${place(s)} has not matched the expected number of replicas for longer than 15 minutes.`,
        })),
  },
  {
    alert: 'KubeStatefulSetUpdateNotRolledOut',
    severity: 'warning',
    summary: 'StatefulSet update has not been rolled out.',
    forMs: 15 * MINUTE,
    series: (view) =>
      list(view.store, 'StatefulSet')
        .filter((s) => still(view, s, 'updated', s.status?.updatedReplicas, 5 * MINUTE))
        .filter(({ spec, status }) => status?.currentRevision !== status?.updateRevision && (spec?.replicas ?? 1) !== (status?.updatedReplicas ?? 0))
        .map((s) => ({ labels: { ...stateLabels(s, { statefulset: s.metadata.name }) }, description: `StatefulSet ${place(s)} update has not been rolled out.` })),
  },
  {
    alert: 'KubeDaemonSetRolloutStuck',
    severity: 'warning',
    summary: 'DaemonSet rollout is stuck.',
    forMs: 15 * MINUTE,
    series: (view) =>
      list(view.store, 'DaemonSet')
        .filter((d) => still(view, d, 'updated', d.status?.updatedNumberScheduled, 5 * MINUTE))
        .filter(
          ({ status }) =>
            status !== undefined &&
            [status.currentNumberScheduled, status.updatedNumberScheduled ?? 0, status.numberAvailable ?? 0].some((count) => count !== status.desiredNumberScheduled),
        )
        .map((d) => ({ labels: stateLabels(d, { daemonset: d.metadata.name }), description: `DaemonSet ${place(d)} has not finished or progressed for at least 15m.` })),
  },
  {
    alert: 'KubeJobFailed',
    severity: 'warning',
    summary: 'Job failed to complete.',
    forMs: 15 * MINUTE,
    series: ({ store }) =>
      list(store, 'Job')
        .filter((job) => (job.status?.failed ?? 0) > 0 && job.status?.conditions?.some(({ type, status }) => type === 'Failed' && status === 'True'))
        .map((job) => ({
          labels: stateLabels(job, { job_name: job.metadata.name, condition: 'true' }),
          description: `Job ${place(job)} failed to complete. Removing failed job after investigation should clear this alert.`,
        })),
  },
]

const RESOURCE_RULES: readonly AlertRule[] = [
  {
    alert: 'KubeHpaMaxedOut',
    severity: 'warning',
    summary: 'HPA is running at max replicas',
    forMs: 15 * MINUTE,
    series: ({ store }) =>
      list(store, 'HorizontalPodAutoscaler')
        .filter(({ spec, status }) => status?.currentReplicas === spec?.maxReplicas && spec?.maxReplicas !== (spec?.minReplicas ?? 1))
        .map((hpa) => ({
          labels: stateLabels(hpa, { horizontalpodautoscaler: hpa.metadata.name }),
          description: `HPA ${place(hpa)} has been running at max replicas for longer than 15 minutes.`,
        })),
  },
  {
    alert: 'KubeHpaReplicasMismatch',
    severity: 'warning',
    summary: 'HPA has not matched desired number of replicas.',
    forMs: 15 * MINUTE,
    series: (view) =>
      list(view.store, 'HorizontalPodAutoscaler')
        .filter((hpa) => still(view, hpa, 'current', hpa.status?.currentReplicas, 15 * MINUTE))
        .filter(({ spec, status }) => {
          const current = status?.currentReplicas ?? 0
          return status?.desiredReplicas !== current && current > (spec?.minReplicas ?? 1) && current < (spec?.maxReplicas ?? 0)
        })
        .map((hpa) => ({
          labels: stateLabels(hpa, { horizontalpodautoscaler: hpa.metadata.name }),
          description: `HPA ${place(hpa)} has not matched the desired number of replicas for longer than 15 minutes.`,
        })),
  },
  {
    alert: 'KubePersistentVolumeFillingUp',
    severity: 'critical',
    summary: 'PersistentVolume is filling up.',
    forMs: MINUTE,
    series: ({ store }) =>
      list(store, 'PersistentVolumeClaim').flatMap((claim) => {
        const free = 1 - (parseQuantity(claim.metadata.annotations?.[USED]) ?? 0) / (parseQuantity(claim.status?.capacity?.['storage']) ?? Number.POSITIVE_INFINITY)
        if (!(free < 0.03)) return []
        const labels = {
          endpoint: 'https-metrics',
          instance: '10.0.0.1:10250',
          job: 'kubelet',
          metrics_path: '/metrics',
          namespace: namespaceOf(claim),
          node: 'node-1',
          persistentvolumeclaim: claim.metadata.name,
          service: 'kubelet',
        }
        return [{ labels, description: `The PersistentVolume claimed by ${claim.metadata.name} in Namespace ${namespaceOf(claim)} is only ${(free * 100).toFixed(2)}% free.` }]
      }),
  },
  {
    alert: 'KubeQuotaAlmostFull',
    severity: 'info',
    summary: 'Namespace quota is going to be full.',
    forMs: 15 * MINUTE,
    series: ({ store }) => quotas(store, (share) => share > 0.9 && share < 1),
  },
  {
    alert: 'KubeQuotaFullyUsed',
    severity: 'info',
    summary: 'Namespace quota is fully used.',
    forMs: 15 * MINUTE,
    series: ({ store }) => quotas(store, (share) => share === 1),
  },
]

function quotas(store: Store, holds: (share: number) => boolean): readonly Series[] {
  return list(store, 'ResourceQuota').flatMap((quota) =>
    Object.entries(quota.status?.hard ?? {}).flatMap(([resource, hard]) => {
      const share = (parseQuantity(quota.status?.used?.[resource]) ?? 0) / (parseQuantity(hard) ?? 0)
      const { instance: _, job: __, ...rest } = stateLabels(quota, { resourcequota: quota.metadata.name, resource })
      return holds(share) ? [{ labels: rest, description: `Namespace ${namespaceOf(quota)} is using ${Math.round(share * 100)}% of its ${resource} quota.` }] : []
    }),
  )
}

export const ALERT_RULES: readonly AlertRule[] = [...POD_RULES, ...WORKLOAD_RULES, ...RESOURCE_RULES].map((rule) => ({
  ...rule,
  series: (view) => rule.series(view).filter(isOfTenant),
}))

/** The cluster's own namespaces have other people to look after them. */
const isOfTenant = ({ labels }: Series): boolean => !labels['namespace']?.startsWith('kube-')
