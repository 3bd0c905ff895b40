// Series of workloads, autoscalers, quotas, claims and nodes, with the names and labels that kube-state-metrics documents.
import { parseQuantity } from '../../../src/domain/quantity.ts'
import type { Kinds } from '../../../src/kube/wire.ts'
import { flag, type Labels, oneOf, type Sample, sample } from './sample.ts'

const seconds = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time) / 1000)
const STATES = ['true', 'false', 'unknown'] as const
const place = (object: { readonly metadata?: { readonly namespace?: string; readonly name?: string } }, own: string): Labels => ({
  namespace: object.metadata?.namespace,
  [own]: object.metadata?.name,
})

export function ofDeployment(deployment: Kinds['Deployment']): readonly Sample[] {
  const { metadata, spec, status } = deployment
  const labels = place(deployment, 'deployment')
  return [
    ...sample('kube_deployment_created', labels, seconds(metadata?.creationTimestamp)),
    ...sample('kube_deployment_metadata_generation', labels, metadata?.generation),
    ...sample('kube_deployment_spec_replicas', labels, spec?.replicas),
    ...flag('kube_deployment_spec_paused', labels, spec?.paused ?? false),
    ...sample('kube_deployment_status_observed_generation', labels, status?.observedGeneration),
    ...sample('kube_deployment_status_replicas', labels, status?.replicas ?? 0),
    ...sample('kube_deployment_status_replicas_available', labels, status?.availableReplicas ?? 0),
    ...sample('kube_deployment_status_replicas_ready', labels, status?.readyReplicas ?? 0),
    ...sample('kube_deployment_status_replicas_unavailable', labels, status?.unavailableReplicas ?? 0),
    ...sample('kube_deployment_status_replicas_updated', labels, status?.updatedReplicas ?? 0),
    ...(status?.conditions ?? []).flatMap(({ type, status: state, reason }) =>
      oneOf('kube_deployment_status_condition', { ...labels, reason, condition: type }, 'status', STATES, state.toLowerCase()),
    ),
  ]
}

export function ofStatefulSet(set: Kinds['StatefulSet']): readonly Sample[] {
  const { metadata, spec, status } = set
  const labels = place(set, 'statefulset')
  const revision = (name: string, value: string | undefined) => (value === undefined ? [] : sample(name, { ...labels, revision: value }, 1))
  return [
    ...sample('kube_statefulset_created', labels, seconds(metadata?.creationTimestamp)),
    ...sample('kube_statefulset_metadata_generation', labels, metadata?.generation),
    ...sample('kube_statefulset_replicas', labels, spec?.replicas),
    ...sample('kube_statefulset_status_observed_generation', labels, status?.observedGeneration),
    ...sample('kube_statefulset_status_replicas', labels, status?.replicas),
    ...sample('kube_statefulset_status_replicas_available', labels, status?.availableReplicas ?? 0),
    ...sample('kube_statefulset_status_replicas_current', labels, status?.currentReplicas ?? 0),
    ...sample('kube_statefulset_status_replicas_ready', labels, status?.readyReplicas ?? 0),
    ...sample('kube_statefulset_status_replicas_updated', labels, status?.updatedReplicas ?? 0),
    ...revision('kube_statefulset_status_current_revision', status?.currentRevision),
    ...revision('kube_statefulset_status_update_revision', status?.updateRevision),
  ]
}

export function ofDaemonSet(set: Kinds['DaemonSet']): readonly Sample[] {
  const { metadata, status } = set
  const labels = place(set, 'daemonset')
  return [
    ...sample('kube_daemonset_created', labels, seconds(metadata?.creationTimestamp)),
    ...sample('kube_daemonset_metadata_generation', labels, metadata?.generation),
    ...sample('kube_daemonset_status_observed_generation', labels, status?.observedGeneration),
    ...sample('kube_daemonset_status_current_number_scheduled', labels, status?.currentNumberScheduled),
    ...sample('kube_daemonset_status_desired_number_scheduled', labels, status?.desiredNumberScheduled),
    ...sample('kube_daemonset_status_number_available', labels, status?.numberAvailable ?? 0),
    ...sample('kube_daemonset_status_number_misscheduled', labels, status?.numberMisscheduled),
    ...sample('kube_daemonset_status_number_ready', labels, status?.numberReady),
    ...sample('kube_daemonset_status_number_unavailable', labels, status?.numberUnavailable ?? 0),
    ...sample('kube_daemonset_status_updated_number_scheduled', labels, status?.updatedNumberScheduled ?? 0),
  ]
}

export function ofJob(job: Kinds['Job']): readonly Sample[] {
  const { metadata, spec, status } = job
  const labels = place(job, 'job_name')
  const ended = (name: string, type: string) =>
    (status?.conditions ?? []).filter((condition) => condition.type === type).flatMap(({ status: state }) => oneOf(name, labels, 'condition', STATES, state.toLowerCase()))
  return [
    ...sample('kube_job_created', labels, seconds(metadata?.creationTimestamp)),
    ...sample('kube_job_spec_completions', labels, spec?.completions),
    ...sample('kube_job_status_active', labels, status?.active ?? 0),
    ...sample('kube_job_status_failed', labels, status?.failed ?? 0),
    ...sample('kube_job_status_succeeded', labels, status?.succeeded ?? 0),
    ...sample('kube_job_status_start_time', labels, seconds(status?.startTime)),
    ...ended('kube_job_complete', 'Complete'),
    ...ended('kube_job_failed', 'Failed'),
    ...(metadata?.ownerReferences ?? []).flatMap((owner) =>
      sample('kube_job_owner', { ...labels, owner_kind: owner.kind, owner_name: owner.name, owner_is_controller: String(owner.controller ?? false) }, 1),
    ),
  ]
}

export function ofAutoscaler(autoscaler: Kinds['HorizontalPodAutoscaler']): readonly Sample[] {
  const { spec, status } = autoscaler
  const labels = place(autoscaler, 'horizontalpodautoscaler')
  return [
    ...sample('kube_horizontalpodautoscaler_spec_max_replicas', labels, spec?.maxReplicas),
    ...sample('kube_horizontalpodautoscaler_spec_min_replicas', labels, spec?.minReplicas ?? 1),
    ...sample('kube_horizontalpodautoscaler_status_current_replicas', labels, status?.currentReplicas),
    ...sample('kube_horizontalpodautoscaler_status_desired_replicas', labels, status?.desiredReplicas),
  ]
}

export function ofQuota(quota: Kinds['ResourceQuota']): readonly Sample[] {
  const labels = place(quota, 'resourcequota')
  const amounts = (type: 'hard' | 'used') =>
    Object.entries(quota.status?.[type] ?? {}).flatMap(([resource, amount]) => sample('kube_resourcequota', { ...labels, resource, type }, parseQuantity(amount)))
  return [...amounts('hard'), ...amounts('used')]
}

const CLAIM_PHASES = ['Lost', 'Bound', 'Pending'] as const

export function ofClaim(claim: Kinds['PersistentVolumeClaim']): readonly Sample[] {
  const labels = place(claim, 'persistentvolumeclaim')
  return [
    ...sample('kube_persistentvolumeclaim_info', { ...labels, storageclass: claim.spec?.storageClassName, volumename: claim.spec?.volumeName }, 1),
    ...oneOf('kube_persistentvolumeclaim_status_phase', labels, 'phase', CLAIM_PHASES, claim.status?.phase),
    ...sample('kube_persistentvolumeclaim_resource_requests_storage_bytes', labels, parseQuantity(claim.spec?.resources?.requests?.['storage'])),
    ...(claim.spec?.accessModes ?? []).flatMap((access_mode) => sample('kube_persistentvolumeclaim_access_mode', { ...labels, access_mode }, 1)),
  ]
}

/** On a claim: how much of it is used. Only the kubelet knows, and no volume of the lab holds anything. */
export const USED = 'lab.alerts-slm.io/used'

/** What the kubelet's own endpoint says of mounted volumes. */
export function ofVolume(claim: Kinds['PersistentVolumeClaim']): readonly Sample[] {
  const labels = place(claim, 'persistentvolumeclaim')
  const capacity = parseQuantity(claim.status?.capacity?.['storage'])
  const used = parseQuantity(claim.metadata?.annotations?.[USED])
  if (capacity === undefined || used === undefined) return []
  return [
    ...sample('kubelet_volume_stats_capacity_bytes', labels, capacity),
    ...sample('kubelet_volume_stats_used_bytes', labels, used),
    ...sample('kubelet_volume_stats_available_bytes', labels, Math.max(0, capacity - used)),
  ]
}

export function ofNode(node: Kinds['Node']): readonly Sample[] {
  const labels = { node: node.metadata?.name }
  return [
    ...sample('kube_node_info', { ...labels, kubelet_version: node.status?.nodeInfo?.kubeletVersion }, 1),
    ...flag('kube_node_spec_unschedulable', labels, node.spec?.unschedulable ?? false),
    ...(node.status?.conditions ?? []).flatMap(({ type, status }) => oneOf('kube_node_status_condition', { ...labels, condition: type }, 'status', STATES, status.toLowerCase())),
  ]
}

export function ofDisruptionBudget(budget: Kinds['PodDisruptionBudget']): readonly Sample[] {
  const labels = place(budget, 'poddisruptionbudget')
  return [
    ...sample('kube_poddisruptionbudget_status_current_healthy', labels, budget.status?.currentHealthy),
    ...sample('kube_poddisruptionbudget_status_desired_healthy', labels, budget.status?.desiredHealthy),
    ...sample('kube_poddisruptionbudget_status_expected_pods', labels, budget.status?.expectedPods),
    ...sample('kube_poddisruptionbudget_status_pod_disruptions_allowed', labels, budget.status?.disruptionsAllowed),
  ]
}
