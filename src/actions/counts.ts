// What a workload's own status says, in counts; the conditions are those of `kubectl rollout status`. Pure.
import type { Kinds } from '../kube/wire.ts'
import { isReady, isTerminating } from './pod-trouble.ts'

export interface Counts {
  readonly desired: number
  readonly ready: number
  readonly available: number
  readonly updated: number
  readonly rolledOut: boolean
  /** What the controller is still busy with, or cannot do, in a sentence. */
  readonly waitingFor?: string | undefined
  /** The controller has given up, or cannot go on. */
  readonly stuck?: string | undefined
}

interface Generations {
  readonly metadata?: { readonly generation?: number }
  readonly status?: { readonly observedGeneration?: number }
}
/** The controller has seen the newest spec; before that, its status speaks of the one before. */
const observed = ({ metadata, status }: Generations): boolean => (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0)

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}
const condition = (conditions: readonly Condition[] | undefined, type: string, status: string): Condition | undefined =>
  conditions?.find((one) => one.type === type && one.status === status)
const told = (found: Condition): string => [found.reason, found.message].filter(Boolean).join(': ')

export function deploymentCounts(deployment: Kinds['Deployment']): Counts {
  const { spec, status } = deployment
  const desired = spec?.replicas ?? 1
  const updated = status?.updatedReplicas ?? 0
  const seen = observed(deployment)
  const late = condition(status?.conditions, 'Progressing', 'False')
  const failure = condition(status?.conditions, 'ReplicaFailure', 'True')
  return {
    desired,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    updated,
    rolledOut: seen && updated >= desired && (status?.replicas ?? 0) <= updated,
    waitingFor: seen ? undefined : 'the controller has not seen the newest spec',
    stuck: seen && late?.reason === 'ProgressDeadlineExceeded' ? told(late) : failure && seen ? told(failure) : undefined,
  }
}

export function statefulSetCounts(set: Kinds['StatefulSet']): Counts {
  const { spec, status } = set
  const desired = spec?.replicas ?? 1
  const updated = status?.updatedReplicas ?? 0
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0
  const byHand = spec?.updateStrategy?.type === 'OnDelete'
  // Below the partition old pods are wanted; with OnDelete nobody replaces any.
  const reached = byHand || (partition > 0 ? updated >= Math.max(0, desired - partition) : (status?.currentRevision ?? '') === (status?.updateRevision ?? ''))
  return {
    desired,
    ready: status?.readyReplicas ?? 0,
    // Servers before 1.25 do not count availability of a StatefulSet.
    available: status?.availableReplicas ?? status?.readyReplicas ?? 0,
    updated,
    rolledOut: observed(set) && reached && (status?.replicas ?? 0) === desired,
    waitingFor: observed(set) ? undefined : 'the controller has not seen the newest spec',
  }
}

export function daemonSetCounts(set: Kinds['DaemonSet']): Counts {
  const { spec, status } = set
  const desired = status?.desiredNumberScheduled ?? 0
  const updated = status?.updatedNumberScheduled ?? 0
  return {
    desired,
    ready: status?.numberReady ?? 0,
    available: status?.numberAvailable ?? 0,
    updated,
    rolledOut: observed(set) && (spec?.updateStrategy?.type === 'OnDelete' || updated >= desired),
    waitingFor: observed(set) ? undefined : 'the controller has not seen the newest spec',
  }
}

export function replicaSetCounts(set: Kinds['ReplicaSet']): Counts {
  const desired = set.spec?.replicas ?? 1
  const replicas = set.status?.replicas ?? 0
  const failure = condition(set.status?.conditions, 'ReplicaFailure', 'True')
  return {
    desired,
    ready: set.status?.readyReplicas ?? 0,
    available: set.status?.availableReplicas ?? 0,
    updated: replicas,
    rolledOut: observed(set) && replicas === desired,
    stuck: failure && told(failure),
  }
}

/** A pod by itself: one wanted, and one that ended well is as good as one that serves. */
export function podCounts(pod: Kinds['Pod']): Counts {
  const serves = (pod.status?.phase === 'Succeeded' || isReady(pod)) && !isTerminating(pod) ? 1 : 0
  return { desired: 1, ready: serves, available: serves, updated: 1, rolledOut: !isTerminating(pod), waitingFor: isTerminating(pod) ? 'the pod is being ended' : undefined }
}

/** A Job that runs counts for available: its pods' end is what it is for, not their readiness. */
export function jobCounts(job: Kinds['Job']): Counts {
  const { spec, status } = job
  const succeeded = status?.succeeded ?? 0
  const complete = condition(status?.conditions, 'Complete', 'True') !== undefined
  const failed = condition(status?.conditions, 'Failed', 'True')
  const desired = spec?.completions ?? Math.max(1, succeeded)
  const available = complete ? desired : Math.min(desired, succeeded + (status?.active ?? 0))
  return {
    desired,
    ready: complete ? desired : succeeded + (status?.ready ?? 0),
    available: failed ? Math.min(succeeded, available) : available,
    updated: desired,
    rolledOut: complete || failed === undefined,
    stuck: failed && told(failed),
  }
}
