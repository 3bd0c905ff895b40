// How many pods of a PodDisruptionBudget may be evicted now.
import type { Store } from '../store.ts'
import { type Condition, controllerOf, get, type Live, list, namespaceOf, portion, selects, setStatus, stamp, withCondition } from './cluster.ts'
import type { Controller, Ground } from './ground.ts'
import { isActive, isReady, type Pod } from './pods.ts'

type Budget = Live<'PodDisruptionBudget'>

export const disruptionController = (ground: Ground): Controller => ({
  concerns({ object }) {
    const { store } = ground
    if (object.kind === 'PodDisruptionBudget') return [{ namespace: namespaceOf(object), name: object.metadata.name }]
    if (!['Pod', 'ReplicaSet', 'StatefulSet', 'Deployment'].includes(object.kind)) return []
    return store.peekAll('PodDisruptionBudget', namespaceOf(object)).map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name }))
  },
  sync({ namespace, name }) {
    const budget = get(ground.store, 'PodDisruptionBudget', namespace, name)
    if (budget) report(ground, budget)
    return undefined
  },
})

function report(ground: Ground, budget: Budget): void {
  const pods = list(ground.store, 'Pod', namespaceOf(budget)).filter((pod) => selects(budget.spec?.selector, pod.metadata.labels) && isActive(pod))
  const healthy = pods.filter(isReady).length
  const expected = expectedOf(ground.store, budget, pods)
  const { minAvailable, maxUnavailable } = budget.spec ?? {}
  const desired = maxUnavailable !== undefined ? Math.max(0, expected - portion(maxUnavailable, expected, 0, 'up')) : portion(minAvailable, expected, 1, 'up')
  const allowed = Math.max(0, healthy - desired)
  const condition: Condition = { type: 'DisruptionAllowed', status: allowed > 0 ? 'True' : 'False', reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods', message: '' }
  setStatus(ground.store, budget, {
    observedGeneration: budget.metadata.generation ?? 1,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed: allowed,
    conditions: withCondition<Condition>(budget.status?.conditions, condition, stamp(ground.clock.now())),
  })
}

/** A whole number of minAvailable counts the pods; all else counts what their controllers want, so that missing pods are missed. */
function expectedOf(store: Store, budget: Budget, pods: readonly Pod[]): number {
  if (typeof budget.spec?.minAvailable === 'number') return pods.length
  const wants = new Map<string, number>()
  for (const pod of pods) {
    const owner = controllerOf(pod)
    const set = owner && store.peek(owner.kind, namespaceOf(pod), owner.name)
    if (!owner || !set) continue
    const top = controllerOf(set)
    const scaled = top
      ? get(store, 'Deployment', namespaceOf(pod), top.name)
      : owner.kind === 'StatefulSet'
        ? get(store, 'StatefulSet', namespaceOf(pod), owner.name)
        : get(store, 'ReplicaSet', namespaceOf(pod), owner.name)
    if (scaled) wants.set(scaled.metadata.uid ?? '', scaled.spec?.replicas ?? 1)
  }
  return [...wants.values()].reduce((sum, replicas) => sum + replicas, 0)
}
