// Keeps a StatefulSet's pods by ordinal: made in order, replaced from the highest down, one at a time.
import type { Store } from '../store.ts'
import { controllerOf, get, type Live, namespaceOf, ownedBy, setStatus, stamp } from './cluster.ts'
import { createPod } from './create-pod.ts'
import type { Controller, Ground, Key } from './ground.ts'
import { isOver, isReady, isTerminating, type Pod, type PodTemplate, podOf, REVISION_HASH, stopPod } from './pods.ts'
import { availability } from './replica-set.ts'
import { cleanRevisions, ensureRevision, isOfRevision } from './revisions.ts'

type StatefulSet = Live<'StatefulSet'>

export const statefulSetController = (ground: Ground): Controller => ({
  concerns({ object }): readonly Key[] {
    if (object.kind === 'StatefulSet') return [{ namespace: namespaceOf(object), name: object.metadata.name }]
    const owner = object.kind === 'Pod' ? controllerOf(object) : undefined
    return owner?.kind === 'StatefulSet' ? [{ namespace: namespaceOf(object), name: owner.name }] : []
  },
  sync({ namespace, name }) {
    const set = get(ground.store, 'StatefulSet', namespace, name)
    if (!set || set.metadata.deletionTimestamp) return undefined
    const update = ensureRevision(ground.store, set).metadata.name
    const current = set.status?.currentRevision || update
    step(ground, set, { update, current })
    return report(ground, set, { update, current })
  },
})

interface Revisions {
  readonly current: string
  readonly update: string
}
const wanted = (set: StatefulSet): number => set.spec?.replicas ?? 1
const first = (set: StatefulSet): number => set.spec?.ordinals?.start ?? 0
const ordinalOf = (pod: Pod): number => Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf('-') + 1))
const partition = (set: StatefulSet): number => set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0
const inOrder = (set: StatefulSet): boolean => set.spec?.podManagementPolicy !== 'Parallel'

/** One step towards the spec; the change that it makes brings the next look. */
function step(ground: Ground, set: StatefulSet, revisions: Revisions): void {
  const pods = new Map(ownedBy(ground.store, 'Pod', set).map((pod) => [ordinalOf(pod), pod]))
  const ordinals = Array.from({ length: wanted(set) }, (_, i) => first(set) + i)
  const now = stamp(ground.clock.now())
  for (const ordinal of ordinals) {
    const pod = pods.get(ordinal)
    if (!pod) make(ground, set, ordinal, revisions)
    else if (isOver(pod) && !isTerminating(pod)) stopPod(ground.store, pod, now)
    // In order, a pod that is not well holds up everything after it, updates included.
    if (inOrder(set) && !(pod && isReady(pod) && !isTerminating(pod))) return
  }
  const spare = [...pods.values()].filter((pod) => !ordinals.includes(ordinalOf(pod))).sort((a, b) => ordinalOf(b) - ordinalOf(a))
  for (const pod of inOrder(set) ? spare.slice(0, 1) : spare) stopPod(ground.store, pod, now)
  if (spare.length === 0 && set.spec?.updateStrategy?.type !== 'OnDelete') replaceOne(ground, set, [...pods.values()], revisions)
}

/** The highest pod that is not of the new revision, once all above it are well. */
function replaceOne(ground: Ground, set: StatefulSet, pods: readonly Pod[], { update }: Revisions): void {
  const open = pods.filter((pod) => ordinalOf(pod) >= first(set) + partition(set)).sort((a, b) => ordinalOf(b) - ordinalOf(a))
  const next = open.find((pod) => isTerminating(pod) || !isReady(pod) || !isOfRevision(pod, set, update))
  if (next && !isTerminating(next) && !isOfRevision(next, set, update)) stopPod(ground.store, next, stamp(ground.clock.now()))
}

function make(ground: Ground, set: StatefulSet, ordinal: number, { current, update }: Revisions): void {
  const name = `${set.metadata.name}-${ordinal}`
  const revision = ordinal < first(set) + partition(set) ? current : update
  const labels = { 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': String(ordinal), [REVISION_HASH]: revision }
  const pod = withClaims(ground.store, set, podOf(set, templateOf(ground.store, set, revision), name, labels))
  const refused = createPod(ground.store, pod)
  const done = refused === undefined
  ground.record(set, {
    type: done ? 'Normal' : 'Warning',
    reason: done ? 'SuccessfulCreate' : 'FailedCreate',
    message: done ? `create Pod ${name} in StatefulSet ${set.metadata.name} successful` : `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${refused}`,
    component: 'statefulset-controller',
  })
}

const isTemplate = (value: unknown): value is { spec: { template: PodTemplate } } =>
  typeof value === 'object' && value !== null && 'spec' in value && typeof value.spec === 'object' && value.spec !== null && 'template' in value.spec

function templateOf(store: Store, set: StatefulSet, revision: string): PodTemplate {
  const data: unknown = get(store, 'ControllerRevision', namespaceOf(set), revision)?.data
  if (!isTemplate(data)) return set.spec?.template ?? {}
  const { metadata, spec } = data.spec.template
  return { ...(metadata && { metadata }), ...(spec && { spec }) }
}

/** Claims outlive their pods: made once per template and ordinal, mounted by name. */
function withClaims(store: Store, set: StatefulSet, pod: Pod): Pod {
  const templates = set.spec?.volumeClaimTemplates ?? []
  for (const template of templates) {
    const name = `${template.metadata?.name ?? 'data'}-${pod.metadata.name}`
    if (store.get('PersistentVolumeClaim', namespaceOf(set), name)) continue
    const claim: Live<'PersistentVolumeClaim'> = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...template.metadata, name, namespace: namespaceOf(set), labels: { ...set.spec?.selector?.matchLabels } },
      ...(template.spec && { spec: template.spec }),
    }
    store.create(claim)
  }
  const volumes = templates.map(({ metadata }) => ({ name: metadata?.name ?? 'data', persistentVolumeClaim: { claimName: `${metadata?.name ?? 'data'}-${pod.metadata.name}` } }))
  return pod.spec && volumes.length > 0 ? { ...pod, spec: { ...pod.spec, volumes: [...(pod.spec.volumes ?? []), ...volumes] } } : pod
}

function report(ground: Ground, set: StatefulSet, { current, update }: Revisions): { againAfterMs: number } | undefined {
  const pods = ownedBy(ground.store, 'Pod', set)
  const alive = pods.filter((pod) => !isTerminating(pod))
  const { available, againAfterMs } = availability(ground, alive, set.spec?.minReadySeconds)
  const updated = alive.filter((pod) => isOfRevision(pod, set, update)).length
  const done = updated === wanted(set) && pods.length === wanted(set) && alive.filter(isReady).length === wanted(set)
  const rolledOut = done && set.spec?.updateStrategy?.type !== 'OnDelete'
  setStatus(ground.store, set, {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    readyReplicas: alive.filter(isReady).length,
    availableReplicas: available,
    currentReplicas: alive.filter((pod) => isOfRevision(pod, set, rolledOut ? update : current)).length,
    updatedReplicas: updated,
    currentRevision: rolledOut ? update : current,
    updateRevision: update,
    collisionCount: 0,
  })
  if (rolledOut) cleanRevisions(ground.store, set, pods)
  return againAfterMs === undefined ? undefined : { againAfterMs }
}
