// restart_pod: evicts one pod, so that its controller starts a new one. Eviction, never deletion: it honours disruption budgets.
import * as z from 'zod'
import { NO_BLAST } from '../domain/plan.ts'
import { describeRef } from '../domain/target.ts'
import type { Kinds } from '../kube/wire.ts'
import { defineAction, type Refusal } from './define-action.ts'
import { readHealth, readWorkload, workloadOf } from './health.ts'
import { controllerOf } from './owned-pods.ts'
import { isReady, isTerminating } from './pod-trouble.ts'

export const restartPod = defineAction({
  name: 'restart_pod',
  summary: 'End one pod by eviction; its controller starts a new one in its place.',
  category: 'core',
  targets: ['Pod'],
  scope: 'namespace',
  safety: 'disruptive',
  undoWhen: 'never',
  params: z.strictObject({}),
  needs: [
    { apiGroup: '', resource: 'pods', verbs: ['get', 'list'] },
    { apiGroup: '', resource: 'pods/eviction', verbs: ['create'] },
    { apiGroup: 'apps', resource: 'deployments', verbs: ['get'] },
    { apiGroup: 'apps', resource: 'replicasets', verbs: ['get', 'list'] },
    { apiGroup: 'apps', resource: 'statefulsets', verbs: ['get'] },
    { apiGroup: 'apps', resource: 'daemonsets', verbs: ['get'] },
  ],
  async plan(object, _params, { read, now }, target) {
    const pod = await read.get('Pod', object.name)
    if (pod?.metadata?.uid !== object.uid) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} does not exist any more` }
    const unfit = whyNot(pod)
    if (unfit) return { ...unfit, refused: `${describeRef(object)} ${unfit.refused}` }
    return {
      summary: `evict ${describeRef(object)}; ${controllerOf(pod)?.kind} ${controllerOf(pod)?.name} starts a new one`,
      object,
      steps: [{ kind: 'evict', object, why: 'its controller starts a new pod in its place' }],
      undo: { impossible: 'a pod that ended does not come back; its controller has started another' },
      blast: { ...NO_BLAST, podsLost: isReady(pod) ? 1 : 0 },
      before: await readHealth(read, workloadOf(target), now),
      removes: [object.uid],
    }
  },
  async verify(plan, { read, now }, target) {
    const old = await read.get('Pod', plan.object.name)
    const { health, atRestFails } = await readWorkload(read, workloadOf(target), now)
    const there = old?.metadata?.uid === plan.object.uid
    if (there && !isTerminating(old)) return { state: 'bad', why: `${describeRef(plan.object)} was not evicted`, health }
    if (there) return { state: 'waiting', why: `${describeRef(plan.object)} is still being ended`, health }
    if (health.good) return { state: 'good', why: health.why, health }
    return atRestFails === undefined ? { state: 'waiting', why: health.why, health } : { state: 'bad', why: atRestFails, health }
  },
})

/** Why this pod is not restarted, to be read after its name. */
function whyNot(pod: Kinds['Pod']): Refusal | undefined {
  const controller = controllerOf(pod)
  if (isTerminating(pod)) return { code: 'NOTHING_TO_CHANGE', refused: 'is being ended already' }
  if (!controller) return { code: 'PLAN_REFUSED', refused: 'has no controller: nobody would start it again' }
  if (controller.kind === 'Node') return { code: 'PLAN_REFUSED', refused: 'is a static pod: the kubelet runs it from a file, evicting it changes nothing' }
  if (controller.kind === 'Job') return { code: 'PLAN_REFUSED', refused: 'belongs to a Job: its work would begin anew and the end would count as a failed try' }
  const phase = pod.status?.phase
  return phase === 'Succeeded' || phase === 'Failed' ? { code: 'NOTHING_TO_CHANGE', refused: `has ended (${phase}): there is nothing to restart` } : undefined
}
