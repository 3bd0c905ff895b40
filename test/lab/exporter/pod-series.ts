// Series of pods and their containers, with the names and labels that kube-state-metrics documents.
import { parseQuantity } from '../../../src/domain/quantity.ts'
import type { Kinds } from '../../../src/kube/wire.ts'
import { flag, type Labels, oneOf, type Sample, sample } from './sample.ts'

type Pod = Kinds['Pod']
type Status = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]
type Container = NonNullable<Pod['spec']>['containers'][number]

const PHASES = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running'] as const
const READY = ['true', 'false', 'unknown'] as const

export function ofPod(pod: Pod): readonly Sample[] {
  const { metadata, spec, status } = pod
  const labels = { namespace: metadata?.namespace, pod: metadata?.name, uid: metadata?.uid }
  const [owner] = metadata?.ownerReferences ?? []
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status.toLowerCase()
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')?.status.toLowerCase()
  return [
    ...sample('kube_pod_info', { ...labels, node: spec?.nodeName, pod_ip: status?.podIP, created_by_kind: owner?.kind, created_by_name: owner?.name }, 1),
    ...sample('kube_pod_owner', { ...labels, owner_kind: owner?.kind ?? '', owner_name: owner?.name ?? '', owner_is_controller: String(owner?.controller ?? '') }, 1),
    ...oneOf('kube_pod_status_phase', labels, 'phase', PHASES, status?.phase ?? 'Pending'),
    ...(ready === undefined ? [] : oneOf('kube_pod_status_ready', labels, 'condition', READY, ready)),
    ...(scheduled === undefined ? [] : oneOf('kube_pod_status_scheduled', labels, 'condition', READY, scheduled)),
    ...(status?.containerStatuses ?? []).flatMap((one) => ofContainer({ ...labels, container: one.name }, one)),
    ...(spec?.containers ?? []).flatMap((one) => resourcesOf({ ...labels, container: one.name, node: spec?.nodeName }, one)),
  ]
}

function ofContainer(labels: Labels, { ready, restartCount, state, lastState }: Status): readonly Sample[] {
  const reason = (name: string, value: string | undefined) => (value === undefined ? [] : sample(name, { ...labels, reason: value }, 1))
  return [
    ...flag('kube_pod_container_status_ready', labels, ready),
    ...flag('kube_pod_container_status_running', labels, state?.running !== undefined),
    ...flag('kube_pod_container_status_waiting', labels, state?.waiting !== undefined),
    ...flag('kube_pod_container_status_terminated', labels, state?.terminated !== undefined),
    ...sample('kube_pod_container_status_restarts_total', labels, restartCount),
    ...reason('kube_pod_container_status_waiting_reason', state?.waiting?.reason),
    ...reason('kube_pod_container_status_terminated_reason', state?.terminated?.reason),
    ...reason('kube_pod_container_status_last_terminated_reason', lastState?.terminated?.reason),
    ...sample('kube_pod_container_status_last_terminated_exitcode', labels, lastState?.terminated?.exitCode),
  ]
}

const unitOf = (resource: string): string => (resource === 'cpu' ? 'core' : 'byte')

function resourcesOf(labels: Labels, { resources }: Container): readonly Sample[] {
  const amounts = (name: string, of: Readonly<Record<string, string>> | undefined) =>
    Object.entries(of ?? {}).flatMap(([resource, amount]) => sample(name, { ...labels, resource, unit: unitOf(resource) }, parseQuantity(amount)))
  return [...amounts('kube_pod_container_resource_limits', resources?.limits), ...amounts('kube_pod_container_resource_requests', resources?.requests)]
}
