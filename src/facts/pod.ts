// Facts of the pod that the alert is about, and of its siblings: enough to tell one stuck pod from a broken workload.
import * as z from 'zod'
import { isUnknown } from '../domain/unknown.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { OWN_PODS } from './needs.ts'
import { chosenPod, ofTarget, ownPods, type Pod } from './owned.ts'
import { each, secondsBetween, str, tally, when } from './plain.ts'
import { byTrouble, type ContainerStatus, chosenContainer, hasEnded, isFailing, isHealthy, isLeaving, isReady, restartsOf, statusOf } from './pod-state.ts'
import { schedulingProblems, startProblem } from './scheduling.ts'
import { count, seconds, text, words, yes } from './shape.ts'

const LAST_TERMINATION = z
  .object({
    reason: text('as the kubelet says: OOMKilled, Error, Completed, ContainerCannotRun, …'),
    exitCode: z.number().int().describe('exit code'),
    finishedSecondsAgo: seconds('since it ended').nullable(),
    ranSeconds: seconds('how long it had run').nullable(),
  })
  .describe('how the container ended last')

const POD = z
  .object({
    name: text('name'),
    phase: text('Pending, Running, Succeeded, Failed or Unknown'),
    reason: text('the pod-level reason, such as Evicted or NodeLost').nullable(),
    ready: yes('the Ready condition is True'),
    failing: yes('stuck for a named reason, or it ended twice and within the last 10 minutes'),
    notReadySeconds: seconds('since it has not been ready; null when it is ready or never said').nullable(),
    leaving: yes('it is being deleted'),
    controlled: yes('a controller owns it, so a deleted one comes back'),
    scheduled: yes('it has a node'),
    schedulingProblems: words('why no node takes it: insufficientMemory, insufficientCpu, taint, affinity, volume, …'),
    ageSeconds: seconds('since it was created').nullable(),
    container: text('the container meant: the one that the labels name, else the one in trouble').nullable(),
    image: text('image of that container').nullable(),
    waitingReason: text('why that container waits: CrashLoopBackOff, ImagePullBackOff, …').nullable(),
    startProblem: text(
      'class of the message: imageNotFound, imageForbidden, registryUnreachable, registryLimit, imageNameInvalid, configMapMissing, secretMissing, keyMissing, runAsNonRoot, commandNotFound',
    ).nullable(),
    lastTermination: LAST_TERMINATION.nullable(),
    restarts: count('restarts of that container'),
    totalRestarts: count('restarts of all its containers'),
  })
  .nullable()

function lastTermination(status: ContainerStatus | undefined, now: number): z.output<typeof LAST_TERMINATION> | null {
  const ended = status?.state?.terminated ?? status?.lastState?.terminated
  if (!ended) return null
  const finished = when(ended.finishedAt)
  const started = when(ended.startedAt)
  return {
    reason: str(ended.reason) ?? 'Error',
    exitCode: Math.trunc(Number(ended.exitCode)) || 0,
    finishedSecondsAgo: finished === undefined ? null : secondsBetween(finished, now),
    ranSeconds: finished === undefined || started === undefined ? null : secondsBetween(started, finished),
  }
}

function describePod(found: Pod, label: string | undefined, now: number): NonNullable<z.output<typeof POD>> {
  const container = chosenContainer(found, label, now)
  const status = statusOf(found, container)
  const waiting = status?.state?.waiting
  const conditions = each(found.status?.conditions)
  const readiness = conditions.find((c) => c.type === 'Ready')
  const placed = conditions.find((c) => c.type === 'PodScheduled')
  const since = when(readiness?.lastTransitionTime)
  const created = when(found.metadata?.creationTimestamp)
  const specified = [...each(found.spec?.containers), ...each(found.spec?.initContainers)].find((c) => c.name === container)
  return {
    name: str(found.metadata?.name) ?? '',
    phase: str(found.status?.phase) ?? 'Unknown',
    reason: str(found.status?.reason) ?? null,
    ready: isReady(found),
    failing: isFailing(found, now),
    notReadySeconds: isReady(found) || since === undefined ? null : secondsBetween(since, now),
    leaving: isLeaving(found),
    controlled: each(found.metadata?.ownerReferences).some((ref) => ref.controller === true),
    scheduled: str(found.spec?.nodeName) !== undefined || placed?.status === 'True',
    schedulingProblems: placed?.status === 'False' ? schedulingProblems(str(placed.message) ?? '') : [],
    ageSeconds: created === undefined ? null : secondsBetween(created, now),
    container: container ?? null,
    image: str(specified?.image) ?? str(status?.image) ?? null,
    waitingReason: str(waiting?.reason) ?? null,
    startProblem: waiting ? startProblem(str(waiting.reason) ?? '', str(waiting.message) ?? '') : null,
    lastTermination: lastTermination(status, now),
    restarts: tally(status?.restartCount),
    totalRestarts: restartsOf(found),
  }
}

export const pod: Fact = defineFact({
  name: 'pod',
  group: 'pod',
  summary: "the pod that the labels name, or the workload's pod in most trouble; null when there is none",
  schema: POD,
  cost: 1,
  needs: OWN_PODS,
  read: (from) =>
    ofTarget(from, async (target) => {
      const found = await chosenPod(from, target)
      return found === null || isUnknown(found) ? found : describePod(found, target.container, from.now)
    }),
})

const SIBLINGS = z
  .object({
    total: count('pods of the workload that are meant to run'),
    ready: count('of these, ready and not failing'),
    notReady: count('of these, the others'),
    failing: count('of these, stuck for a named reason (crash loop, image, configuration) or crashing again and again'),
    pending: count('of these, in phase Pending'),
    leaving: count('pods being deleted; not in total'),
    ended: count('pods that failed or succeeded for good; not in total'),
    restarts: count('restarts of all containers of these'),
    othersReady: yes('every pod of the workload but the one meant is ready, and there is at least one other'),
  })
  .nullable()

export const siblings: Fact = defineFact({
  name: 'siblings',
  group: 'pod',
  summary: "counts over all pods of the target's workload; null when it has none by nature",
  schema: SIBLINGS,
  cost: 2,
  needs: OWN_PODS,
  read: (from) =>
    ofTarget(from, async (target) => {
      const pods = await ownPods(from, target)
      if (pods === undefined) return null
      if (isUnknown(pods)) return pods
      const present = pods.filter((p) => !hasEnded(p) && !isLeaving(p))
      const meant = target.object.kind === 'Pod' ? target.object.name : str([...present].sort(byTrouble(from.now))[0]?.metadata?.name)
      const others = present.filter((p) => p.metadata?.name !== meant)
      const ready = present.filter((p) => isHealthy(p, from.now)).length
      return {
        total: present.length,
        ready,
        notReady: present.length - ready,
        failing: present.filter((p) => isFailing(p, from.now)).length,
        pending: present.filter((p) => p.status?.phase === 'Pending').length,
        leaving: pods.filter((p) => isLeaving(p) && !hasEnded(p)).length,
        ended: pods.filter(hasEnded).length,
        restarts: present.reduce((sum, p) => sum + restartsOf(p), 0),
        othersReady: others.length > 0 && others.every((p) => isHealthy(p, from.now)),
      }
    }),
})
