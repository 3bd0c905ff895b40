// Keeps as many pods of a ReplicaSet as it wants.
import { type Condition, controllerOf, get, type Live, namespaceOf, ownedBy, setStatus, stamp, withCondition, withoutCondition } from './cluster.ts'
import { createPod } from './create-pod.ts'
import type { Controller, Ground, Key } from './ground.ts'
import { isActive, isReady, type Pod, podOf, stopPod, suffix } from './pods.ts'

type ReplicaSet = Live<'ReplicaSet'>

export const replicaSetController = (ground: Ground): Controller => ({
  concerns({ object }): readonly Key[] {
    const { store } = ground
    if (object.kind === 'ReplicaSet') return [{ namespace: namespaceOf(object), name: object.metadata.name }]
    // A pod that ends may be the room in the quota that another set waits for.
    const all = () => store.peekAll('ReplicaSet', namespaceOf(object)).map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name }))
    if (object.kind === 'ResourceQuota') return all()
    const owner = object.kind === 'Pod' ? controllerOf(object) : undefined
    return owner?.kind === 'ReplicaSet' ? [{ namespace: namespaceOf(object), name: owner.name }] : []
  },
  sync({ namespace, name }) {
    const set = get(ground.store, 'ReplicaSet', namespace, name)
    if (!set || set.metadata.deletionTimestamp) return undefined
    const active = ownedBy(ground.store, 'Pod', set).filter(isActive)
    const more = (set.spec?.replicas ?? 1) - active.length
    const failure = more > 0 ? grow(ground, set, more) : undefined
    if (more < 0) shrink(ground, active, -more)
    return report(ground, set, failure)
  },
})

/** Creates pods until one is refused; answers why it was. */
function grow(ground: Ground, set: ReplicaSet, more: number): string | undefined {
  const template = set.spec?.template ?? {}
  for (let i = 0; i < more; i++) {
    const pod = podOf(set, template, `${set.metadata.name}-${suffix(ground.random)}`)
    const refused = createPod(ground.store, pod)
    if (refused !== undefined) {
      ground.record(set, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${refused}`, component: 'replicaset-controller' })
      return refused
    }
    ground.record(set, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}`, component: 'replicaset-controller' })
  }
  return undefined
}

/** Pods without a node go first, then those that are not ready, then the youngest: the order of the real controller, less its finer ties. */
function shrink(ground: Ground, active: readonly Pod[], fewer: number): void {
  const rank = (pod: Pod): number => (!pod.spec?.nodeName ? 0 : pod.status?.phase === 'Pending' ? 1 : isReady(pod) ? 3 : 2)
  const order = [...active].reverse().sort((a, b) => rank(a) - rank(b))
  for (const pod of order.slice(0, fewer)) stopPod(ground.store, pod, stamp(ground.clock.now()))
}

/** Counts pods that have been ready for `minReadySeconds` at the world's pace, and says when the next one will have been. */
export function availability(ground: Ground, pods: readonly Pod[], minReadySeconds = 0): { readonly available: number; readonly againAfterMs: number | undefined } {
  const wait = minReadySeconds * ground.pace.secondMs
  const since = (pod: Pod): number => ground.readyAt.get(pod.metadata.uid ?? '') ?? Number.NEGATIVE_INFINITY
  const left = pods.filter(isReady).map((pod) => since(pod) + wait - ground.clock.elapsed())
  const soonest = left.filter((ms) => ms > 0)
  return { available: left.length - soonest.length, againAfterMs: soonest.length > 0 ? Math.min(...soonest) : undefined }
}

function report(ground: Ground, set: ReplicaSet, failure: string | undefined): { againAfterMs: number } | undefined {
  const active = ownedBy(ground.store, 'Pod', set).filter(isActive)
  const { available, againAfterMs } = availability(ground, active, set.spec?.minReadySeconds)
  const now = stamp(ground.clock.now())
  const before: Condition[] | undefined = set.status?.conditions
  const conditions =
    failure === undefined
      ? withoutCondition(before, 'ReplicaFailure')
      : withCondition(before, { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: failure }, now)
  setStatus(ground.store, set, {
    replicas: active.length,
    fullyLabeledReplicas: active.length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: available,
    observedGeneration: set.metadata.generation ?? 1,
    ...(conditions.length > 0 && { conditions }),
  })
  return againAfterMs === undefined ? undefined : { againAfterMs }
}
