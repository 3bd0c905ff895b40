// The health of a workload from its status and its pods: `kubectl rollout status` in counts, and what is wrong in a sentence.
import type { Health } from '../domain/plan.ts'
import { describeRef, type ObjectRef, type Target } from '../domain/target.ts'
import type { Kinds, Reader } from '../kube/wire.ts'
import { type Counts, daemonSetCounts, deploymentCounts, jobCounts, podCounts, replicaSetCounts, statefulSetCounts } from './counts.ts'
import { controllerOf, podsOwnedBy, replicaSetsOf, revisionOf } from './owned-pods.ts'
import { followsTemplate } from './pod-template.ts'
import { isReady, isTerminating, restartsOf, trouble } from './pod-trouble.ts'

type Pod = Kinds['Pod']

/** Health, and what verification wants besides. */
export interface Reading {
  readonly health: Health
  /** Its pods, ended and terminating ones included. */
  readonly pods: readonly Pod[]
  /** The controller cannot go on, in a sentence: progress deadline exceeded, pods that cannot be created. */
  readonly stuck: string | undefined
  /** Why a pod of the newest template keeps failing. */
  readonly newestFails: string | undefined
  /** Why a pod keeps failing although nothing is starting any more: waiting will not help. */
  readonly atRestFails: string | undefined
}

interface Found {
  readonly counts: Counts
  readonly pods: readonly Pod[]
  readonly isNewest: (pod: Pod) => boolean
}
type Find = (read: Reader, owner: ObjectRef) => Promise<Found | undefined>

const podLabel = (pod: Pod, label: string): string | undefined => pod.metadata?.labels?.[label]

/** The kinds whose health can be told. `undefined`: the object is gone, or another of its name took its place. */
const FIND: Readonly<Record<string, Find>> = {
  async Deployment(read, owner) {
    const found = await read.get('Deployment', owner.name)
    if (found?.metadata?.uid !== owner.uid) return undefined
    const sets = await replicaSetsOf(read, owner, found.spec?.selector)
    const revision = sets.reduce((highest, set) => Math.max(highest, revisionOf(set) ?? 0), 0)
    const newest = sets.find((set) => (revisionOf(set) ?? 0) === revision)?.metadata?.uid
    const uids = sets.flatMap((set) => set.metadata?.uid ?? [])
    const seen = (found.status?.observedGeneration ?? 0) >= (found.metadata.generation ?? 0)
    return {
      counts: deploymentCounts(found),
      pods: await podsOwnedBy(read, uids, found.spec?.selector),
      // Until the controller has seen the new template, its newest ReplicaSet is the old one.
      isNewest: (pod) => seen && controllerOf(pod)?.uid === newest,
    }
  },
  async StatefulSet(read, owner) {
    const found = await read.get('StatefulSet', owner.name)
    if (found?.metadata?.uid !== owner.uid) return undefined
    const counts = statefulSetCounts(found)
    const revision = found.status?.updateRevision
    return {
      counts,
      pods: await podsOwnedBy(read, [owner.uid], found.spec?.selector),
      isNewest: (pod) => counts.waitingFor === undefined && revision !== undefined && podLabel(pod, 'controller-revision-hash') === revision,
    }
  },
  async DaemonSet(read, owner) {
    const found = await read.get('DaemonSet', owner.name)
    if (found?.metadata?.uid !== owner.uid) return undefined
    const template = found.spec?.template
    // Which hash is the newest would cost a list of ControllerRevisions and a right for it.
    return {
      counts: daemonSetCounts(found),
      pods: await podsOwnedBy(read, [owner.uid], found.spec?.selector),
      isNewest: (pod) => template !== undefined && followsTemplate(pod, template),
    }
  },
  async ReplicaSet(read, owner) {
    const found = await read.get('ReplicaSet', owner.name)
    if (found?.metadata?.uid !== owner.uid) return undefined
    return { counts: replicaSetCounts(found), pods: await podsOwnedBy(read, [owner.uid], found.spec?.selector), isNewest: () => true }
  },
  async Job(read, owner) {
    const found = await read.get('Job', owner.name)
    if (found?.metadata?.uid !== owner.uid) return undefined
    return { counts: jobCounts(found), pods: await podsOwnedBy(read, [owner.uid], found.spec?.selector), isNewest: () => true }
  },
  async Pod(read, owner) {
    const found = await read.get('Pod', owner.name)
    if (found?.metadata?.uid !== owner.uid) return undefined
    return { counts: podCounts(found), pods: [found], isNewest: () => true }
  },
}

/** The topmost object of the chain whose health can be told: a Deployment below a custom resource, for one. */
export const workloadOf = (target: Target): ObjectRef => [target.owner, ...target.chain.toReversed()].find((ref) => Object.hasOwn(FIND, ref.kind)) ?? target.owner

export async function readWorkload(read: Reader, owner: ObjectRef, now: number): Promise<Reading> {
  const find = Object.hasOwn(FIND, owner.kind) ? FIND[owner.kind] : undefined
  // Not read: an agent of one namespace has seldom the right to read a custom resource.
  if (!find) return nothingKnown(true, `how a ${owner.kind} fares is not known`)
  const found = await find(read, owner)
  return found ? reading(owner, found, now) : nothingKnown(false, `${describeRef(owner)} does not exist any more`)
}

export const readHealth = async (read: Reader, owner: ObjectRef, now: number): Promise<Health> => (await readWorkload(read, owner, now)).health

/** Not good, and the counts mean nothing: two such readings compare as the same. */
function nothingKnown(exists: boolean, why: string): Reading {
  const health: Health = { exists, desired: 0, ready: 0, available: 0, updated: 0, failing: 0, restarts: 0, rolledOut: false, good: false, why }
  return { health, pods: [], stuck: undefined, newestFails: undefined, atRestFails: undefined }
}

function reading(owner: ObjectRef, { counts, pods, isNewest }: Found, now: number): Reading {
  const present = pods.filter((pod) => !isTerminating(pod) && !(LEAVES_ENDED_PODS.includes(owner.kind) && hasEnded(pod)))
  const seen = present.map((pod) => ({ ready: isReady(pod), newest: isNewest(pod), trouble: trouble(pod, now) }))
  const troubled = seen.filter((one) => one.trouble)
  const lasting = troubled.filter((one) => one.trouble?.lasting)
  const failing = Math.max(troubled.length, owner.kind === 'Job' && counts.stuck !== undefined ? 1 : 0)
  // A pod that is ready between two crashes serves nobody for long.
  const available = Math.max(0, counts.available - troubled.filter((one) => one.ready).length)
  const settled = seen.filter((one) => one.ready || one.trouble?.lasting).length
  const good = counts.rolledOut && available >= counts.desired && failing === 0 && counts.stuck === undefined
  const { desired, ready, updated, rolledOut, stuck } = counts
  const restarts = present.reduce((sum, pod) => sum + restartsOf(pod), 0)
  const why = sentence({ ...counts, available }, troubled[0]?.trouble?.why)
  return {
    health: { exists: true, desired, ready, available, updated, failing, restarts, rolledOut, good, why },
    pods,
    stuck,
    newestFails: lasting.find((one) => one.newest)?.trouble?.why,
    atRestFails: settled >= Math.max(present.length, desired) ? lasting[0]?.trouble?.why : undefined,
  }
}

/** These leave pods that ended for good (evicted, lost with a node, retried) beside the ones that took their place. */
const LEAVES_ENDED_PODS = ['Deployment', 'ReplicaSet', 'Job']
const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'

function sentence({ available, desired, rolledOut, waitingFor, stuck }: Counts, firstTrouble: string | undefined): string {
  const rollout = waitingFor ?? (rolledOut ? undefined : 'the rollout is not complete')
  return [`${available} of ${desired} available`, rollout, stuck, firstTrouble].filter(Boolean).join('; ')
}
