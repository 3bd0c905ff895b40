// Facts of the rollout: which revision runs, since when, what it changed, how it and the one before it do.
import * as z from 'zod'
import { isUnknown, type Unknown, unknown } from '../domain/unknown.ts'
import type { Kinds } from '../kube/wire.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { OWN_PODS, REVISIONS, WORKLOADS } from './needs.ts'
import { ofTarget, ownPods, type Pod, type Workload, workload, workloadRef } from './owned.ts'
import { each, field, isRecord, lookup, num, secondsBetween, str, tally } from './plain.ts'
import { hasEnded, isFailing, isHealthy, isLeaving } from './pod-state.ts'
import { previousWasHealthy } from './previous-health.ts'
import { type Revision, revisionsOf } from './revisions.ts'
import { count, knowable, seconds, text, yes } from './shape.ts'
import { compareTemplates } from './template.ts'

type Rolling = Kinds['Deployment'] | Kinds['StatefulSet'] | Kinds['DaemonSet']

const CHANGED = z
  .object({
    image: yes('an image'),
    env: yes('environment'),
    command: yes('command, arguments or working directory'),
    probes: yes('a probe'),
    volumes: yes('volumes or mounts'),
    resources: yes('requests or limits'),
    resourcesLowered: yes('a limit went down or came anew'),
    whatRuns: yes('anything but annotations and raised resources: more than a restart or a resize'),
  })
  .describe('what the newest revision changed')

const ROLLOUT = z
  .object({
    revision: count('number of the newest revision; 0 when it is not recorded'),
    ageSeconds: knowable(seconds('since the newest revision came')),
    inProgress: yes('the controller still replaces pods and has not given up'),
    paused: yes('a person paused it'),
    progressDeadlineExceeded: yes('the controller has given up waiting (Deployments only)'),
    strategy: text('RollingUpdate, Recreate or OnDelete'),
    previousRevision: count('number of the revision before').nullable(),
    previousRevisionWasHealthy: knowable(z.boolean().describe('it had available pods, or had rolled out completely')).nullable(),
    templateChanged: knowable(CHANGED).nullable(),
    newRevisionPods: count('pods of the newest revision'),
    newRevisionReady: count('of these, ready and not failing'),
    newRevisionFailing: count('of these, stuck for a named reason or crashing again and again'),
    oldRevisionPods: count('pods of older revisions'),
    oldRevisionReady: count('of these, ready and not failing'),
    oldRevisionFailing: count('of these, stuck for a named reason or crashing again and again'),
    targetIsOfOldRevision: yes('the pod that the labels name is not of the newest revision'),
  })
  .nullable()

/** A revision that comes back keeps its old creation time, so its age says nothing about when it came back. */
function ageOf(newest: Revision, all: readonly Revision[], now: number): number | Unknown {
  if (newest.createdAt === undefined) return unknown('the newest revision has no creation time')
  const later = all.some((other) => other.createdAt !== undefined && other.createdAt > (newest.createdAt ?? 0))
  return later ? unknown('the newest revision had run before; when it came back is not recorded') : secondsBetween(newest.createdAt, now)
}

const progressing = (owner: Rolling) => each(owner.status?.conditions).find((condition) => condition.type === 'Progressing')

function countsOf(owner: Rolling): { desired: number; updated: number; present: number } {
  const { spec, status } = owner
  if (isRecord(status) && 'desiredNumberScheduled' in status)
    return { desired: tally(status.desiredNumberScheduled), updated: tally(status.updatedNumberScheduled), present: tally(status.currentNumberScheduled) }
  const desired = isRecord(spec) && 'replicas' in spec ? tally(spec.replicas ?? 1) : 1
  const counted: { updatedReplicas?: number; replicas?: number } = isRecord(status) && 'replicas' in status ? status : {}
  return { desired, updated: tally(counted.updatedReplicas), present: tally(counted.replicas) }
}

const isStalled = (owner: Rolling): boolean => progressing(owner)?.status === 'False' && progressing(owner)?.reason === 'ProgressDeadlineExceeded'

/** A Deployment's own word where it gives one: pods that crash after a complete rollout do not reopen it. */
function isInProgress(owner: Rolling, kind: string): boolean {
  if (tally(owner.status?.observedGeneration) < tally(owner.metadata?.generation)) return true
  const said = kind === 'Deployment' ? progressing(owner) : undefined
  if (said?.status === 'False') return false
  if (said) return said.reason !== 'NewReplicaSetAvailable'
  const { desired, updated, present } = countsOf(owner)
  return updated < desired || present > updated
}

function strategyOf(owner: Rolling): string {
  const spec = owner.spec
  return lookup(field(spec, 'updateStrategy') ?? field(spec, 'strategy'), 'type') ?? 'RollingUpdate'
}

const isRolling = (owner: Workload, kind: string): owner is Rolling => owner !== null && ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)
const changed = (newest: Revision, previous: Revision) =>
  newest.template && previous.template ? { ...compareTemplates(previous.template, newest.template) } : unknown('the template of a revision is not kept')

export const rollout: Fact = defineFact({
  name: 'rollout',
  group: 'rollout',
  summary: 'the newest revision of the workload and the one before; null for what has no revisions',
  schema: ROLLOUT,
  cost: 3,
  needs: [...OWN_PODS, REVISIONS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const ref = workloadRef(target)
      const owner = await workload(from.read, target)
      if (isUnknown(owner)) return owner
      if (!ref || !owner || !isRolling(owner, ref.kind)) return null
      const [revisions, pods] = [await revisionsOf(from.read, ref, owner), await ownPods(from, target)]
      if (isUnknown(pods)) return pods
      const [newest, previous] = revisions
      if (!newest) return unknown(`${ref.kind} ${ref.name} has no revision`)
      const members = (pods ?? []).filter((pod) => !hasEnded(pod) && !isLeaving(pod))
      const [news, olds] = [members.filter(newest.has), members.filter((pod) => !newest.has(pod))]
      const healthy = (pods: readonly Pod[]) => pods.filter((pod) => isHealthy(pod, from.now)).length
      const failing = (pods: readonly Pod[]) => pods.filter((pod) => isFailing(pod, from.now)).length
      return {
        revision: newest.revision,
        ageSeconds: ageOf(newest, revisions, from.now),
        inProgress: isInProgress(owner, ref.kind),
        paused: field(owner.spec, 'paused') === true,
        progressDeadlineExceeded: ref.kind === 'Deployment' && isStalled(owner),
        strategy: strategyOf(owner),
        previousRevision: previous ? previous.revision : null,
        previousRevisionWasHealthy: previous ? previousWasHealthy(owner, ref.kind, newest, previous, members, from.now) : null,
        templateChanged: previous ? changed(newest, previous) : null,
        newRevisionPods: news.length,
        newRevisionReady: healthy(news),
        newRevisionFailing: failing(news),
        oldRevisionPods: olds.length,
        oldRevisionReady: healthy(olds),
        oldRevisionFailing: failing(olds),
        targetIsOfOldRevision: olds.some((pod: Pod) => target.object.kind === 'Pod' && pod.metadata?.name === target.object.name),
      }
    }),
})

/** Quota is refused by admission too, so it is looked for first. */
function notCreated(owner: Rolling): 'quota' | 'forbidden' | 'other' | null {
  const failure = each(owner.status?.conditions).find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True')
  if (!failure) return null
  const message = str(failure.message) ?? ''
  return message.includes('exceeded quota') ? 'quota' : message.includes('forbidden') ? 'forbidden' : 'other'
}

export const replicas: Fact = defineFact({
  name: 'replicas',
  group: 'rollout',
  summary: 'what the workload wants and has, by its own status; null for what has no replicas',
  schema: z
    .object({
      desired: count('replicas wanted (for a DaemonSet: nodes that should run it)'),
      present: count('pods that exist'),
      updated: count('pods of the newest revision'),
      ready: count('ready pods'),
      available: count('available pods'),
      scaledToZero: yes('nobody wants a pod: replicas is 0'),
      misscheduled: count('DaemonSet pods on nodes that should not run them'),
      specObserved: yes('the controller has seen the newest spec'),
      podsNotCreated: z.enum(['quota', 'forbidden', 'other']).nullable().describe('why pods cannot even be created, as the Deployment says'),
    })
    .nullable(),
  cost: 1,
  needs: WORKLOADS,
  read: (from) =>
    ofTarget(from, async (target) => {
      const ref = workloadRef(target)
      const owner = await workload(from.read, target)
      if (isUnknown(owner)) return owner
      if (!ref || !owner || !isRolling(owner, ref.kind)) return null
      const status: { readyReplicas?: number; numberReady?: number; availableReplicas?: number; numberAvailable?: number; numberMisscheduled?: number } = owner.status ?? {}
      const { desired, updated, present } = countsOf(owner)
      return {
        desired,
        present,
        updated,
        ready: tally(status.readyReplicas ?? status.numberReady),
        available: tally(status.availableReplicas ?? status.numberAvailable),
        scaledToZero: ref.kind !== 'DaemonSet' && desired === 0,
        misscheduled: tally(status.numberMisscheduled),
        podsNotCreated: notCreated(owner),
        specObserved: (num(owner.status?.observedGeneration) ?? 0) >= (num(owner.metadata?.generation) ?? 0),
      }
    }),
})
