// PodDisruptionBudgets: how many of their pods may be disrupted now, counted as the disruption controller counts.
import { at, isPlain, listAt, mapAt, numberAt, textAt } from './fields.ts'
import { selects } from './selectors.ts'
import type { Store, Stored } from './store.ts'

export interface Budget {
  readonly currentHealthy: number
  readonly desiredHealthy: number
  readonly expectedPods: number
  readonly disruptionsAllowed: number
}

export const isReady = (pod: Stored): boolean =>
  listAt(pod, 'status', 'conditions').some((condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True')

/** The budgets that count a pod; one with an empty selector counts every pod of its namespace. */
export const budgetsOf = (store: Store, pod: Stored): readonly Stored[] =>
  store.peekAll('PodDisruptionBudget', pod.metadata.namespace).filter((budget) => selects(at(budget, 'spec', 'selector'), pod.metadata.labels ?? {}))

export function budgetOf(store: Store, budget: Stored): Budget {
  const pods = store.peekAll('Pod', budget.metadata.namespace).filter((pod) => selects(at(budget, 'spec', 'selector'), mapAt(pod, 'metadata', 'labels')))
  const active = pods.filter((pod) => !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? ''))
  const { expected, desired } = expectation(store, budget, pods)
  const healthy = active.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined).length
  return { currentHealthy: healthy, desiredHealthy: desired, expectedPods: expected, disruptionsAllowed: expected <= 0 ? 0 : Math.max(0, healthy - desired) }
}

function expectation(store: Store, budget: Stored, pods: readonly Stored[]): { readonly expected: number; readonly desired: number } {
  const [least, most] = [at(budget, 'spec', 'minAvailable'), at(budget, 'spec', 'maxUnavailable')]
  if (most !== undefined) {
    const expected = scaleSum(store, pods)
    return { expected, desired: Math.max(0, expected - share(most, expected)) }
  }
  if (typeof least === 'number') return { expected: pods.length, desired: least }
  const expected = scaleSum(store, pods)
  return { expected, desired: share(least ?? 0, expected) }
}
/** A percentage is rounded up, for what must stay and for what may go. */
const share = (value: unknown, of: number): number => (typeof value === 'string' ? Math.ceil((Number.parseFloat(value) * of) / 100) : Number(value))

/** What the controllers above the pods want in all; 0 when one of them has none, since then nobody can tell. */
function scaleSum(store: Store, pods: readonly Stored[]): number {
  const owners = new Map<string, number>()
  for (const pod of pods) {
    const owner = scaledOwner(store, pod)
    if (!owner) return 0
    owners.set(owner.metadata.uid ?? owner.metadata.name, numberAt(owner, 'spec', 'replicas') ?? 1)
  }
  return [...owners.values()].reduce((sum, replicas) => sum + replicas, 0)
}
function scaledOwner(store: Store, object: Stored): Stored | undefined {
  const reference = listAt(object, 'metadata', 'ownerReferences').find((owner) => at(owner, 'controller') === true)
  if (!isPlain(reference)) return undefined
  const owner = store.peek(textAt(reference, 'kind') ?? '', object.metadata.namespace ?? '', textAt(reference, 'name') ?? '')
  if (!owner) return undefined
  return owner.kind === 'ReplicaSet' ? (scaledOwner(store, owner) ?? owner) : owner
}
