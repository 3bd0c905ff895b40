// Gate 10: disruption budgets, the last healthy pod, and the share of healthy pods that one plan may stop.

import type { Planned } from '../../domain/case-file.ts'
import { matchesSelector } from '../../domain/label-selector.ts'
import { isUnknown } from '../../domain/unknown.ts'
import type { Kinds } from '../../kube/wire.ts'
import { failing, ready } from './pod-state.ts'
import { stepsOf } from './seen.ts'
import { type Gate, hold, LOOK_AGAIN_MS, PASS, refuse, type Stop } from './verdict.ts'

type Pod = Kinds['Pod']
type Budget = Kinds['PodDisruptionBudget']

export const disruption: Gate = {
  name: 'disruption',
  judge(file, { pods, budgets, policy }, now) {
    if (!stopsPods(file)) return PASS
    if (isUnknown(pods)) return unread(pods.unknown, now)
    if (isUnknown(budgets)) return unread(budgets.unknown, now)
    const named = podsNamed(file, pods)
    if (!named) return unread('a pod that the plan stops is not among the pods of its owner', now)
    return byBudget(file, named, pods, budgets) ?? byLastHealthy(file, named, pods, now) ?? byShare(file, named, pods, policy.limits.maxPodShare, now) ?? PASS
  },
}

const podSteps = ({ plan }: Planned) => stepsOf(plan.steps, 'delete', 'evict').filter(({ object }) => object.kind === 'Pod')
const stopsPods = (file: Planned): boolean => file.plan.blast.podsLost > 0 || podSteps(file).length > 0

/** The pods that are deleted or evicted by name; undefined when one of them was not seen. */
function podsNamed(file: Planned, pods: readonly Pod[]): readonly Pod[] | undefined {
  const found = podSteps(file).map(({ object }) => pods.find(({ metadata }) => metadata?.uid === object.uid))
  return found.every((pod) => pod !== undefined) ? found : undefined
}

/**
 * How many of the pods that count are lost. Pods stopped by name: those of them that count. Of the rest the controller chooses: it
 * takes pods that are not ready first, and keeps all but `podsLost` of the wanted number.
 */
function lost({ plan }: Planned, named: readonly Pod[], pods: readonly Pod[], counts: (pod: Pod) => boolean): number {
  const byName = named.filter(counts).length
  if (plan.blast.podsLost <= named.length) return byName
  const keeps = Math.max(0, plan.before.desired - plan.blast.podsLost)
  return byName + Math.max(0, pods.filter(counts).length - byName - keeps)
}

/** As the API server judges an eviction: pods that never ran are free, unready ones unless the budget says otherwise. */
function costs(pod: Pod, { spec, status }: Budget): boolean {
  if (pod.status?.phase !== 'Running' || pod.metadata?.deletionTimestamp !== undefined) return false
  if (ready(pod)) return true
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return false
  const [now, wanted] = [status?.currentHealthy ?? 0, status?.desiredHealthy ?? 0]
  return !(wanted > 0 && now >= wanted)
}

function byBudget(file: Planned, named: readonly Pod[], pods: readonly Pod[], budgets: readonly Budget[]): Stop | undefined {
  const affected = named.length > 0 ? named : pods
  const guarding = budgets.filter(({ spec }) => affected.some(({ metadata }) => matchesSelector(spec?.selector, metadata?.labels)))
  const twice = named.find(({ metadata }) => guarding.filter(({ spec }) => matchesSelector(spec?.selector, metadata?.labels)).length > 1)
  if (twice)
    return refuse(
      'DISRUPTION_BUDGET',
      `more than one PodDisruptionBudget selects pod ${twice.metadata?.name ?? ''}: the API server evicts no such pod`,
      'leave one budget for the pod',
    )
  for (const budget of guarding) {
    const guarded = (pod: Pod): boolean => matchesSelector(budget.spec?.selector, pod.metadata?.labels)
    // A controller that rolls or scales takes unready pods first; only what it takes of the ready ones touches the budget.
    const counts = named.length > 0 ? (pod: Pod) => guarded(pod) && costs(pod, budget) : (pod: Pod) => guarded(pod) && ready(pod)
    const cost = lost(file, named, pods, counts)
    const allowed = budget.status?.disruptionsAllowed ?? 0
    if (cost > allowed)
      return refuse(
        'DISRUPTION_BUDGET',
        `PodDisruptionBudget ${budget.metadata?.name ?? ''} allows ${allowed} more pods to stop, and the plan stops ${cost}`,
        'more healthy pods, or a wider budget',
      )
  }
  return undefined
}

const healthyAt =
  (now: number, container: string | undefined) =>
  (pod: Pod): boolean =>
    ready(pod) && !failing(pod, container, now)

function byLastHealthy(file: Planned, named: readonly Pod[], pods: readonly Pod[], now: number): Stop | undefined {
  const healthy = healthyAt(now, file.target.container)
  const all = pods.filter(healthy).length
  const gone = lost(file, named, pods, healthy)
  if (gone === 0 || all - gone >= 1) return undefined
  return refuse('LAST_HEALTHY_POD', `the plan would stop the last healthy pod of ${file.target.owner.kind} ${file.target.owner.name}`, 'let another pod become healthy first')
}

function byShare(file: Planned, named: readonly Pod[], pods: readonly Pod[], share: number, now: number): Stop | undefined {
  const gone = lost(file, named, pods, healthyAt(now, file.target.container))
  const of = Math.max(pods.length, file.plan.before.desired)
  if (of === 0 || gone / of <= share) return undefined
  return refuse(
    'POD_SHARE',
    `the plan would stop ${gone} of ${of} pods at once while ${Math.floor(share * 100)} % are allowed`,
    'raise actions.limits.max_pod_share, or do it in smaller steps',
  )
}

const unread = (why: string, now: number): Stop =>
  hold('DISRUPTION_UNKNOWN', `what else keeps the workload up is not known: ${why}`, 'grant get and list on pods and poddisruptionbudgets', now + LOOK_AGAIN_MS)
