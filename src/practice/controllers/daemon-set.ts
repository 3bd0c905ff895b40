// Keeps one pod of a DaemonSet on every node, and replaces them a few at a time.
import { controllerOf, get, type Live, list, namespaceOf, ownedBy, portion, setStatus, stamp } from './cluster.ts'
import { createPod } from './create-pod.ts'
import type { Controller, Ground, Key } from './ground.ts'
import { isOver, isReady, isTerminating, type Pod, podOf, REVISION_HASH, stopPod, suffix } from './pods.ts'
import { availability } from './replica-set.ts'
import { cleanRevisions, ensureRevision, hashOf, isOfRevision } from './revisions.ts'

type DaemonSet = Live<'DaemonSet'>

export const daemonSetController = (ground: Ground): Controller => ({
  concerns({ object }): readonly Key[] {
    if (object.kind === 'DaemonSet') return [{ namespace: namespaceOf(object), name: object.metadata.name }]
    if (object.kind === 'Node') return ground.store.peekAll('DaemonSet').map((set) => ({ namespace: namespaceOf(set), name: set.metadata.name }))
    const owner = object.kind === 'Pod' ? controllerOf(object) : undefined
    return owner?.kind === 'DaemonSet' ? [{ namespace: namespaceOf(object), name: owner.name }] : []
  },
  sync({ namespace, name }) {
    const set = get(ground.store, 'DaemonSet', namespace, name)
    if (!set || set.metadata.deletionTimestamp) return undefined
    const update = ensureRevision(ground.store, set).metadata.name
    place(ground, set, update)
    if (set.spec?.updateStrategy?.type !== 'OnDelete') replace(ground, set, update)
    return report(ground, set, update)
  },
})

const nodesFor = ({ store }: Ground, set: DaemonSet): readonly string[] => {
  const wants = Object.entries(set.spec?.template.spec?.nodeSelector ?? {})
  return list(store, 'Node')
    .filter((node) => wants.every(([key, value]) => node.metadata.labels?.[key] === value))
    .map((node) => node.metadata.name)
}

/** Its pods go straight to their node: the scheduler has no say in which. */
function place(ground: Ground, set: DaemonSet, revision: string): void {
  const nodes = nodesFor(ground, set)
  const pods = ownedBy(ground.store, 'Pod', set)
  for (const pod of pods) if (isOver(pod) || !nodes.includes(pod.spec?.nodeName ?? '')) stopPod(ground.store, pod, stamp(ground.clock.now()))
  for (const node of nodes) {
    if (pods.some((pod) => pod.spec?.nodeName === node)) continue
    const pod = podOf(set, set.spec?.template ?? {}, `${set.metadata.name}-${suffix(ground.random)}`, { [REVISION_HASH]: hashOf(set, revision) })
    const placed: Pod = { ...pod, spec: { containers: [], ...pod.spec, nodeName: node } }
    const refused = createPod(ground.store, placed)
    const [type, reason, message] =
      refused === undefined ? (['Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`] as const) : (['Warning', 'FailedCreate', refused] as const)
    ground.record(set, { type, reason, message, component: 'daemonset-controller' })
  }
}

/** Pods that do not work are replaced at once; of those that do, no more than maxUnavailable are missing at a time. */
function replace(ground: Ground, set: DaemonSet, revision: string): void {
  const pods = ownedBy(ground.store, 'Pod', set)
  const missing = nodesFor(ground, set).length - pods.filter((pod) => isReady(pod) && !isTerminating(pod)).length
  let may = Math.max(1, portion(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable, pods.length, 1, 'up')) - missing
  const old = pods.filter((pod) => !isOfRevision(pod, set, revision) && !isTerminating(pod))
  for (const pod of old) {
    if (isReady(pod) && may-- <= 0) continue
    stopPod(ground.store, pod, stamp(ground.clock.now()))
  }
}

function report(ground: Ground, set: DaemonSet, revision: string): { againAfterMs: number } | undefined {
  const desired = nodesFor(ground, set).length
  const pods = ownedBy(ground.store, 'Pod', set).filter((pod) => !isTerminating(pod))
  const { available, againAfterMs } = availability(ground, pods, set.spec?.minReadySeconds)
  const updated = pods.filter((pod) => isOfRevision(pod, set, revision)).length
  setStatus(ground.store, set, {
    observedGeneration: set.metadata.generation ?? 1,
    desiredNumberScheduled: desired,
    currentNumberScheduled: pods.length,
    numberMisscheduled: 0,
    numberReady: pods.filter(isReady).length,
    numberAvailable: available,
    numberUnavailable: Math.max(0, desired - available),
    updatedNumberScheduled: updated,
  })
  if (updated === desired) cleanRevisions(ground.store, set, pods)
  return againAfterMs === undefined ? undefined : { againAfterMs }
}
