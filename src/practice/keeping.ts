// Two statuses that follow from other objects at once: what a PodDisruptionBudget allows and what a ResourceQuota has used.
import { budgetOf } from './disruption.ts'
import { at, isPlain, listAt, type Plain, plainAt } from './fields.ts'
import { quotaStatus } from './quota.ts'
import type { Resources } from './resources.ts'
import type { Change, Store, Stored } from './store.ts'

export interface Keeping {
  /** Runs a load: a status that a manifest brings stays as it is until something about its pods changes. */
  readonly asGiven: (load: () => void) => void
}

const SCALED = ['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController']

export function keepStatuses(store: Store, resources: Resources): Keeping {
  let loading = false
  const keepBudgets = (namespace: string) => {
    for (const budget of store.peekAll('PodDisruptionBudget', namespace)) keepBudget(store, budget)
  }
  const keepQuotas = (namespace: string) => {
    for (const quota of store.peekAll('ResourceQuota', namespace)) keep(store, quota, { ...quotaStatus(store, resources, quota) })
  }
  const heard = (change: Change) => {
    const namespace = change.object.metadata.namespace
    if (loading || namespace === undefined || isOwnStatus(change)) return
    const { kind } = change.object
    if (kind === 'Pod' || kind === 'PodDisruptionBudget' || SCALED.includes(kind)) keepBudgets(namespace)
    if (kind === 'Pod' || kind === 'PersistentVolumeClaim' || kind === 'ResourceQuota' || change.type !== 'MODIFIED') keepQuotas(namespace)
  }
  store.onChange(heard)
  return {
    asGiven(load) {
      loading = true
      try {
        load()
      } finally {
        loading = false
      }
      for (const budget of store.peekAll('PodDisruptionBudget')) if (!isGiven(budget)) keepBudget(store, budget)
      for (const quota of store.peekAll('ResourceQuota')) if (!isGiven(quota)) keep(store, quota, { ...quotaStatus(store, resources, quota) })
    },
  }
}
const isGiven = (object: Stored): boolean => Object.keys(plainAt(object, 'status')).length > 0
/** What we wrote ourselves, or anybody wrote into a status, needs no second look. */
const isOwnStatus = ({ object, before }: Change): boolean =>
  (object.kind === 'PodDisruptionBudget' || object.kind === 'ResourceQuota') && before !== undefined && before.metadata.generation === object.metadata.generation && isGiven(object)

function keepBudget(store: Store, budget: Stored): void {
  const counted = budgetOf(store, budget)
  const enough = counted.disruptionsAllowed > 0
  const conditions = listAt(budget, 'status', 'conditions').filter((each) => isPlain(each) && each['type'] !== 'DisruptionAllowed')
  const known = listAt(budget, 'status', 'conditions').find((each) => at(each, 'type') === 'DisruptionAllowed' && at(each, 'status') === (enough ? 'True' : 'False'))
  const condition = known ?? {
    type: 'DisruptionAllowed',
    status: enough ? 'True' : 'False',
    reason: enough ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: budget.metadata.generation,
  }
  keep(store, budget, { ...counted, observedGeneration: budget.metadata.generation, conditions: [...conditions, condition] })
}
/** A listener that runs after this one may have removed the object meanwhile. */
function keep(store: Store, object: Stored, status: Plain): void {
  const current = store.peek(object.kind, object.metadata.namespace ?? '', object.metadata.name)
  if (current) store.update({ ...current, status: { ...plainAt(current, 'status'), ...status } })
}
