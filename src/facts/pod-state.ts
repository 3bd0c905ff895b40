// How one pod does, read from its status alone: pure, shared by the facts about pods.
import type { Kinds } from '../kube/wire.ts'
import { each, str, tally, when } from './plain.ts'

type Pod = Kinds['Pod']
export type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

/** A container that waits for one of these does not start by waiting longer. */
const STUCK = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'StartError',
  'PostStartHookError',
])

export const isReady = (pod: Pod): boolean => each(pod.status?.conditions).some((c) => c.type === 'Ready' && c.status === 'True')
export const isLeaving = (pod: Pod): boolean => str(pod.metadata?.deletionTimestamp) !== undefined
/** Succeeded, or Failed and replaced: it is no member of its workload any more. */
export const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

export const statusesOf = (pod: Pod): readonly ContainerStatus[] => [...each(pod.status?.initContainerStatuses), ...each(pod.status?.containerStatuses)]

/** Between two crashes a container runs, and without a probe it even counts as ready: what ended twice and just now still crashes. */
const RECENT_MS = 600_000
const REPEATED = 2
function keepsEnding({ restartCount, lastState }: ContainerStatus, now: number): boolean {
  const ended = when(lastState?.terminated?.finishedAt)
  return tally(restartCount) >= REPEATED && ended !== undefined && now - ended < RECENT_MS
}

function isContainerFailing(status: ContainerStatus, now: number): boolean {
  if (STUCK.has(status.state?.waiting?.reason ?? '')) return true
  const ended = status.state?.terminated
  if (ended) return ended.exitCode !== 0
  return keepsEnding(status, now)
}
/** Stuck for a reason that the status names, or crashing again and again; a pod that is merely not ready is not failing. */
export const isFailing = (pod: Pod, now: number): boolean => pod.status?.phase === 'Failed' || statusesOf(pod).some((status) => isContainerFailing(status, now))
/** Ready for good: between two crashes a pod is not. */
export const isHealthy = (pod: Pod, now: number): boolean => isReady(pod) && !isFailing(pod, now)

export const restartsOf = (pod: Pod): number => statusesOf(pod).reduce((sum, status) => sum + tally(status.restartCount), 0)

const trouble = (pod: Pod, now: number): number => (hasEnded(pod) ? 0 : isFailing(pod, now) ? 3 : isReady(pod) ? 1 : 2)
/** Worst first; the order is total, so that two readings choose the same pod. */
export const byTrouble =
  (now: number) =>
  (a: Pod, b: Pod): number =>
    trouble(b, now) - trouble(a, now) || restartsOf(b) - restartsOf(a) || (str(a.metadata?.name) ?? '').localeCompare(str(b.metadata?.name) ?? '')

/** The container that the labels name where the pod has it, else the one in trouble, else the first. */
export function chosenContainer(pod: Pod, named: string | undefined, now: number): string | undefined {
  const spec = pod.spec
  const names = [...each(spec?.initContainers), ...each(spec?.containers)].map((container) => container.name)
  if (named && (names.includes(named) || statusesOf(pod).some((status) => status.name === named))) return named
  const statuses = statusesOf(pod)
  const inTrouble =
    statuses.find((s) => isContainerFailing(s, now)) ??
    statuses.find((s) => !s.ready && s.lastState?.terminated) ??
    [...statuses].sort((a, b) => tally(b.restartCount) - tally(a.restartCount)).find((s) => tally(s.restartCount) > 0)
  return str(inTrouble?.name) ?? str(each(spec?.containers)[0]?.name) ?? str(each(pod.status?.containerStatuses)[0]?.name)
}
export const statusOf = (pod: Pod, container: string | undefined): ContainerStatus | undefined => statusesOf(pod).find((status) => status.name === container)
