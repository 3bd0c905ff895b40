// Rolls a Deployment out: a ReplicaSet per template, revisions, RollingUpdate and Recreate, history, progress deadline.
import { type Condition, controllerOf, get, type Live, namespaceOf, ownedBy, ownerReference, portion, setStatus, stamp, withCondition, withoutCondition } from './cluster.ts'
import type { Controller, Ground, Key } from './ground.ts'
import { bareTemplate, HASH, isTerminating, type PodTemplate, sameTemplate, templateHash } from './pods.ts'

type Deployment = Live<'Deployment'>
type ReplicaSet = Live<'ReplicaSet'>
const REVISION = 'deployment.kubernetes.io/revision'
const DESIRED = 'deployment.kubernetes.io/desired-replicas'
const MAXIMUM = 'deployment.kubernetes.io/max-replicas'
/** Annotations that a Deployment keeps to itself; all others are copied to its ReplicaSets. */
const OWN = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  'deployment.kubernetes.io/revision-history',
  DESIRED,
  MAXIMUM,
  'deprecated.deployment.rollback.to',
])

interface Progress {
  readonly generation: number
  /** What had been reached; a change is progress. */
  readonly reached: string
  readonly at: number
}

export function deploymentController(ground: Ground): Controller {
  const progress = new Map<string, Progress>()
  return {
    concerns({ object }): readonly Key[] {
      if (object.kind === 'Deployment') return [{ namespace: namespaceOf(object), name: object.metadata.name }]
      const owner = controllerOf(object)
      if (object.kind === 'ReplicaSet' && owner?.kind === 'Deployment') return [{ namespace: namespaceOf(object), name: owner.name }]
      // Recreate waits for the last old pod to be gone, and no ReplicaSet's status tells of pods on their way out.
      const set = object.kind === 'Pod' && owner?.kind === 'ReplicaSet' ? ground.store.peek('ReplicaSet', namespaceOf(object), owner.name) : undefined
      const top = set && controllerOf(set)
      return top ? [{ namespace: namespaceOf(object), name: top.name }] : []
    },
    sync({ namespace, name }) {
      const deployment = get(ground.store, 'Deployment', namespace, name)
      if (!deployment || deployment.metadata.deletionTimestamp) return undefined
      const sets = ownedBy(ground.store, 'ReplicaSet', deployment)
      if (deployment.spec?.paused) scaleActive(ground, deployment, sets)
      else if (deployment.spec?.strategy?.type === 'Recreate') recreate(ground, deployment, sets)
      else rollingUpdate(ground, deployment, sets)
      return report(ground, deployment, progress)
    },
  }
}

const template = (deployment: Deployment): PodTemplate => deployment.spec?.template ?? {}
const wanted = (deployment: Deployment): number => deployment.spec?.replicas ?? 1
const size = (set: ReplicaSet): number => set.spec?.replicas ?? 0
const available = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0
const total = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number => sets.reduce((sum, set) => sum + count(set), 0)
const revisionOf = (set: ReplicaSet): number => Number(set.metadata.annotations?.[REVISION] ?? 0)

/** The oldest set of this template: a template that comes back finds its old set. */
const newSetOf = (deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined => sets.find((set) => sameTemplate(set.spec?.template ?? {}, template(deployment)))

function surge(deployment: Deployment): number {
  const { maxSurge, maxUnavailable } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const extra = portion(maxSurge, wanted(deployment), '25%', 'up')
  return extra === 0 && portion(maxUnavailable, wanted(deployment), '25%', 'down') === 0 ? 1 : extra
}
const mayMiss = (deployment: Deployment): number =>
  deployment.spec?.strategy?.type === 'Recreate'
    ? wanted(deployment)
    : Math.min(wanted(deployment), portion(deployment.spec?.strategy?.rollingUpdate?.maxUnavailable, wanted(deployment), '25%', 'down'))

/** Sets what a ReplicaSet wants, and tells of it as kubectl describe shows it. */
function scale(ground: Ground, deployment: Deployment, set: ReplicaSet, replicas: number): void {
  const now = get(ground.store, 'ReplicaSet', namespaceOf(set), set.metadata.name)
  if (!now?.spec || size(now) === replicas) return
  const next: ReplicaSet = { ...now, spec: { ...now.spec, replicas } }
  ground.store.update(next)
  const [direction, from] = replicas > size(now) ? ['up', size(now)] : ['down', size(now)]
  ground.record(deployment, {
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${replicas}`,
    component: 'deployment-controller',
  })
}

/** The set of the present template with the newest revision, made when there is none. */
function ensureNewSet(ground: Ground, deployment: Deployment, sets: readonly ReplicaSet[], replicas: number): ReplicaSet {
  const present = newSetOf(deployment, sets)
  const others = sets.filter((set) => set !== present)
  const revision = Math.max(0, ...others.map(revisionOf)) + 1
  const inherited = Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !OWN.has(key)))
  const newest = String(Math.max(revision, present ? revisionOf(present) : 0))
  const annotations = { ...inherited, [REVISION]: newest, [DESIRED]: String(wanted(deployment)), [MAXIMUM]: String(wanted(deployment) + surge(deployment)) }
  noteRevision(ground, deployment, newest)
  if (!present) return createSet(ground, deployment, annotations, replicas)
  const next: ReplicaSet = { ...present, metadata: { ...present.metadata, annotations: { ...present.metadata.annotations, ...annotations } } }
  ground.store.update(next)
  return get(ground.store, 'ReplicaSet', namespaceOf(present), present.metadata.name) ?? present
}

function createSet(ground: Ground, deployment: Deployment, annotations: Record<string, string>, replicas: number): ReplicaSet {
  const bare = bareTemplate(template(deployment))
  let collisions = 0
  while (ground.store.peek('ReplicaSet', namespaceOf(deployment), `${deployment.metadata.name}-${templateHash(bare, collisions)}`)) collisions++
  const hash = templateHash(bare, collisions)
  const labels = { ...bare.metadata?.labels, [HASH]: hash }
  const set: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `${deployment.metadata.name}-${hash}`, namespace: namespaceOf(deployment), labels, annotations, ownerReferences: [ownerReference(deployment)] },
    spec: {
      replicas,
      selector: { ...deployment.spec?.selector, matchLabels: { ...deployment.spec?.selector?.matchLabels, [HASH]: hash } },
      template: { ...bare, metadata: { ...bare.metadata, labels } },
      ...(deployment.spec?.minReadySeconds !== undefined && { minReadySeconds: deployment.spec.minReadySeconds }),
    },
    status: { replicas: 0 },
  }
  ground.store.create(set)
  const message = `Scaled up replica set ${set.metadata.name} from 0 to ${replicas}`
  if (replicas > 0) ground.record(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message, component: 'deployment-controller' })
  return get(ground.store, 'ReplicaSet', namespaceOf(set), set.metadata.name) ?? set
}

function noteRevision(ground: Ground, deployment: Deployment, revision: string): void {
  const now = get(ground.store, 'Deployment', namespaceOf(deployment), deployment.metadata.name)
  if (now) ground.store.update({ ...now, metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, [REVISION]: revision } } })
}

/** Paused: no new template, but the number of replicas is still obeyed by the one set that runs. */
function scaleActive(ground: Ground, deployment: Deployment, sets: readonly ReplicaSet[]): void {
  const active = sets.filter((set) => size(set) > 0)
  const only = active.length === 1 ? active[0] : active.length === 0 ? newSetOf(deployment, sets) : undefined
  if (only) scale(ground, deployment, only, wanted(deployment))
}

function rollingUpdate(ground: Ground, deployment: Deployment, sets: readonly ReplicaSet[]): void {
  const old = sets.filter((set) => set !== newSetOf(deployment, sets))
  const most = wanted(deployment) + surge(deployment)
  const room = (newSize: number): number => Math.max(newSize, Math.min(wanted(deployment), most - total(old, size)))
  const newSet = ensureNewSet(ground, deployment, sets, Math.max(0, room(0)))
  const target = size(newSet) > wanted(deployment) ? wanted(deployment) : room(size(newSet))
  if (target !== size(newSet)) {
    scale(ground, deployment, newSet, target)
    return
  }
  shrinkOld(ground, deployment, old, newSet)
  clean(ground, deployment, old, newSet)
}

/** What is broken goes first and counts for nothing; what works goes only as far as the new set stands in for it. */
function shrinkOld(ground: Ground, deployment: Deployment, old: readonly ReplicaSet[], newSet: ReplicaSet): void {
  const least = wanted(deployment) - mayMiss(deployment)
  let mayGo = total(old, size) + size(newSet) - least - (size(newSet) - available(newSet))
  const left = new Map(old.map((set) => [set, size(set)]))
  const take = (set: ReplicaSet, most: number): number => {
    const fewer = Math.max(0, Math.min(most, mayGo, left.get(set) ?? 0))
    left.set(set, (left.get(set) ?? 0) - fewer)
    mayGo -= fewer
    return fewer
  }
  for (const set of old) take(set, size(set) - available(set))
  let spare = Math.min(mayGo, total(old, available) + available(newSet) - least)
  for (const set of old) spare -= take(set, spare)
  for (const [set, replicas] of left) scale(ground, deployment, set, replicas)
}

function recreate(ground: Ground, deployment: Deployment, sets: readonly ReplicaSet[]): void {
  const old = sets.filter((set) => set !== newSetOf(deployment, sets))
  for (const set of old) scale(ground, deployment, set, 0)
  const running = old.some((set) => ownedBy(ground.store, 'Pod', set).some((pod) => isTerminating(pod) || (pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded')))
  if (running) return
  const newSet = ensureNewSet(ground, deployment, sets, wanted(deployment))
  scale(ground, deployment, newSet, wanted(deployment))
  clean(ground, deployment, old, newSet)
}

/** Once all is rolled out, sets beyond revisionHistoryLimit fall out of the history, oldest revision first. */
function clean(ground: Ground, deployment: Deployment, old: readonly ReplicaSet[], newSet: ReplicaSet): void {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10
  if (available(newSet) < wanted(deployment)) return
  const empty = old.filter((set) => size(set) === 0 && (set.status?.replicas ?? 0) === 0).sort((a, b) => revisionOf(a) - revisionOf(b))
  for (const set of empty.slice(0, Math.max(0, old.length - limit))) ground.store.remove('ReplicaSet', namespaceOf(set), set.metadata.name)
}

function report(ground: Ground, seen: Deployment, progress: Map<string, Progress>): { againAfterMs: number } | undefined {
  const deployment = get(ground.store, 'Deployment', namespaceOf(seen), seen.metadata.name)
  if (!deployment) return undefined
  const sets = ownedBy(ground.store, 'ReplicaSet', deployment)
  const newSet = newSetOf(deployment, sets)
  const replicas = total(sets, (set) => set.status?.replicas ?? 0)
  const ready = total(sets, available)
  const counts = {
    replicas,
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: total(sets, (set) => set.status?.readyReplicas ?? 0),
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, total(sets, size) - ready),
  }
  const complete = counts.updatedReplicas === wanted(deployment) && replicas === counts.updatedReplicas && ready === counts.updatedReplicas
  const stalled = progressOf(ground, deployment, progress, { ...counts, complete })
  const conditions = conditionsOf(ground, deployment, { sets, newSet, ready, complete, stalled: stalled.over })
  setStatus(ground.store, deployment, { observedGeneration: deployment.metadata.generation ?? 1, ...counts, conditions })
  return stalled.leftMs === undefined ? undefined : { againAfterMs: stalled.leftMs }
}

/** The deadline starts anew with each new spec and each step forward, and not at all once the rollout is complete. */
function progressOf(ground: Ground, deployment: Deployment, all: Map<string, Progress>, counts: Counts): { readonly over: boolean; readonly leftMs: number | undefined } {
  const uid = deployment.metadata.uid ?? ''
  const generation = deployment.metadata.generation ?? 1
  const reached = `${counts.updatedReplicas} ${counts.replicas - counts.updatedReplicas} ${counts.readyReplicas} ${counts.availableReplicas}`
  const before = all.get(uid)
  const wasComplete = before?.reached === 'complete' && before.generation === generation
  if (counts.complete || deployment.spec?.paused) {
    all.set(uid, { generation, reached: 'complete', at: ground.clock.elapsed() })
    return { over: false, leftMs: undefined }
  }
  // A pod that breaks long after its rollout is no stalled rollout.
  if (wasComplete) return { over: false, leftMs: undefined }
  const forward = !before || before.generation !== generation || isForward(before.reached, reached)
  const now = forward ? { generation, reached, at: ground.clock.elapsed() } : before
  all.set(uid, now)
  const left = now.at + (deployment.spec?.progressDeadlineSeconds ?? 600) * ground.pace.secondMs - ground.clock.elapsed()
  return left <= 0 ? { over: true, leftMs: undefined } : { over: false, leftMs: left }
}

interface Counts {
  readonly complete: boolean
  readonly replicas: number
  readonly updatedReplicas: number
  readonly readyReplicas: number
  readonly availableReplicas: number
}
/** More updated, fewer old, more ready or more available than ever in this rollout: a pod that flaps is no progress. */
function isForward(before: string, after: string): boolean {
  const [a, b] = [before.split(' ').map(Number), after.split(' ').map(Number)]
  const at = (list: readonly number[], i: number): number => list[i] ?? 0
  return at(b, 0) > at(a, 0) || at(b, 1) < at(a, 1) || at(b, 2) > at(a, 2) || at(b, 3) > at(a, 3)
}

interface Picture {
  readonly sets: readonly ReplicaSet[]
  readonly newSet: ReplicaSet | undefined
  readonly ready: number
  readonly complete: boolean
  readonly stalled: boolean
}
function conditionsOf(ground: Ground, deployment: Deployment, { sets, newSet, ready, complete, stalled }: Picture): Condition[] {
  const now = stamp(ground.clock.now())
  const name = newSet?.metadata.name ?? deployment.metadata.name
  const enough = ready >= wanted(deployment) - mayMiss(deployment)
  const before: Condition[] | undefined = deployment.status?.conditions
  const available = enough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }
  const found = before?.find(({ type }) => type === 'Progressing')
  const settled = found?.reason === 'NewReplicaSetAvailable' && (deployment.status?.observedGeneration ?? 0) === deployment.metadata.generation
  const progressing = stalled
    ? { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: `ReplicaSet "${name}" has timed out progressing.` }
    : complete || settled
      ? { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: `ReplicaSet "${name}" has successfully progressed.` }
      : { type: 'Progressing', status: 'True', reason: deployment.spec?.paused ? 'DeploymentPaused' : 'ReplicaSetUpdated', message: `ReplicaSet "${name}" is progressing.` }
  const failure = sets.flatMap((set) => set.status?.conditions ?? []).find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  const dated = (condition: Condition): Condition => ({ ...condition, lastUpdateTime: now })
  const next = withCondition(withCondition(before, dated(available), now), dated(progressing), now)
  return failure ? withCondition(next, dated({ ...failure }), now) : withoutCondition(next, 'ReplicaFailure')
}
