// Whether the revision before the newest one was healthy: an inference from what the cluster still shows, else unknown.
import { type Unknown, unknown } from '../domain/unknown.ts'
import type { Kinds } from '../kube/wire.ts'
import type { Pod } from './owned.ts'
import { each, num, tally, when } from './plain.ts'
import { isFailing, isHealthy } from './pod-state.ts'
import type { Revision } from './revisions.ts'

type Deployment = Kinds['Deployment']
type Condition = NonNullable<NonNullable<Deployment['status']>['conditions']>[number]

const DEFAULT_DEADLINE_S = 600
/** A Deployment without a deadline has the largest 32-bit number and no Progressing condition to read. */
const NO_DEADLINE = 2_147_483_647
/** Recreate ends the old pods before the new ReplicaSet exists: this long before, the loss still belongs to the update. */
const TAKEN_DOWN_MS = 120_000

const conditionOf = (deployment: Deployment, type: string): Condition | undefined => each(deployment.status?.conditions).find((c) => c.type === type)

/**
 * The pods that are left speak first. With none left, the Deployment's conditions do: each says since when it has been
 * what it is, and that reaches back over the moment at which the newest revision came.
 */
export function previousWasHealthy(owner: Deployment, kind: string, newest: Revision, previous: Revision, pods: readonly Pod[], now: number): boolean | Unknown {
  const left = pods.filter(previous.has)
  if (left.some((pod) => isHealthy(pod, now))) return true
  if (left.some((pod) => isFailing(pod, now))) return false
  if (tally(previous.set?.status?.availableReplicas) > 0) return true
  if (kind !== 'Deployment') return unknown(`no pod of revision ${previous.revision} is left, and a ${kind} keeps no trace of how it did`)
  return fromConditions(owner, newest, previous)
}

function fromConditions(deployment: Deployment, newest: Revision, previous: Revision): boolean | Unknown {
  const [from, to] = [previous.createdAt, newest.createdAt]
  if (from === undefined || to === undefined || to < from) return unknown('the order in which the revisions came is not recorded')
  if (completedBefore(deployment, from, to)) return true
  const available = conditionOf(deployment, 'Available')
  const since = when(available?.lastTransitionTime)
  if (since === undefined || since > to) return unknown(`nothing in the cluster tells how revision ${previous.revision} did`)
  if (available?.status === 'True') return true
  const recreated = deployment.spec?.strategy?.type === 'Recreate' && to - since <= TAKEN_DOWN_MS
  return recreated
}

/** Never stalled from its beginning on, and its time ran longer than the deadline: so it had rolled out completely. */
function completedBefore(deployment: Deployment, from: number, to: number): boolean {
  const deadline = num(deployment.spec?.progressDeadlineSeconds) ?? DEFAULT_DEADLINE_S
  const progressing = conditionOf(deployment, 'Progressing')
  const since = when(progressing?.lastTransitionTime)
  if (progressing?.status !== 'True' || since === undefined || deadline >= NO_DEADLINE) return false
  return to - Math.max(from, since) > deadline * 1_000
}
