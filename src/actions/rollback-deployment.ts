// rollback_deployment: back to the template of the revision before, as `kubectl rollout undo` does it.
import * as z from 'zod'
import { type Blast, NO_BLAST, type PatchOp, type Step } from '../domain/plan.ts'
import { describeRef, type ObjectRef } from '../domain/target.ts'
import type { AnyObject, Kinds } from '../kube/wire.ts'
import { defineAction } from './define-action.ts'
import { readHealth } from './health.ts'
import { pointerKey, sameValue } from './in-place.ts'
import { asJson } from './json-copy.ts'
import { replicaSetsOf, revisionOf } from './owned-pods.ts'
import { highestMemory, podRequests, podsLostByRollout, replicasOf } from './pod-template.ts'
import { seeRollout } from './see-effect.ts'

type Deployment = Kinds['Deployment']
type Template = NonNullable<Deployment['spec']>['template']
const HASH = 'pod-template-hash'

export const rollbackDeployment = defineAction({
  name: 'rollback_deployment',
  summary: 'Put the pod template of the revision before back into a Deployment; its pods are replaced step by step.',
  category: 'application',
  targets: ['Deployment'],
  scope: 'namespace',
  safety: 'reversible',
  undoWhen: 'worse',
  params: z.strictObject({}),
  needs: [
    { apiGroup: 'apps', resource: 'deployments', verbs: ['get', 'patch'] },
    { apiGroup: 'apps', resource: 'replicasets', verbs: ['list'] },
    { apiGroup: '', resource: 'pods', verbs: ['list'] },
  ],
  async plan(object, _params, { read, now }) {
    const deployment = await read.get('Deployment', object.name)
    const current = deployment?.spec?.template
    if (deployment?.metadata?.uid !== object.uid || !current) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} does not exist any more` }
    if (deployment.spec?.paused === true) return { code: 'PLAN_REFUSED', refused: `the rollout of ${describeRef(object)} is paused` }
    const previous = previousOf(await replicaSetsOf(read, object, deployment.spec?.selector))
    const former = previous?.spec?.template
    if (!previous || !former) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} has no revision before this one that is still kept` }
    const back = withoutHash(former)
    if (sameValue(back, withoutHash(current)))
      return { code: 'NOTHING_TO_CHANGE', refused: `revision ${revisionOf(previous)} of ${describeRef(object)} has the template that it has now` }
    const [cause, formerCause] = [causeOf(deployment), causeOf(previous)]
    return {
      summary: `roll ${describeRef(object)} back to revision ${revisionOf(previous)}`,
      object,
      steps: [swap(object, { template: current, cause }, { template: back, cause: formerCause }, `the template of revision ${revisionOf(previous)}`)],
      undo: [swap(object, { template: back, cause: formerCause }, { template: current, cause }, 'the template before the rollback')],
      blast: blastOf(deployment, current, back),
      before: await readHealth(read, object, now),
    }
  },
  verify: (plan, look) => seeRollout(plan, look),
})

/** kubectl's choice: the second highest revision among the ReplicaSets that are kept. */
const previousOf = (sets: readonly Kinds['ReplicaSet'][]): Kinds['ReplicaSet'] | undefined =>
  sets.filter((set) => revisionOf(set) !== undefined).toSorted((a, b) => (revisionOf(b) ?? 0) - (revisionOf(a) ?? 0))[1]

/** The controller's own label of a ReplicaSet; in a Deployment it would be selected by. */
function withoutHash(template: Template): Template {
  const { [HASH]: _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

const CHANGE_CAUSE = 'kubernetes.io/change-cause'
const CAUSE_PATH = `/metadata/annotations/${pointerKey(CHANGE_CAUSE)}`
const causeOf = (object: Pick<AnyObject, 'metadata'>): string | undefined => object.metadata?.annotations?.[CHANGE_CAUSE]

interface Side {
  readonly template: Template
  readonly cause: string | undefined
}
/**
 * The whole template is judged, so the whole template is tested. kubectl puts back all annotations of the old ReplicaSet; here
 * only the change-cause goes with the template it tells of: what others put on the Deployment since (GitOps, Helm) must stay.
 */
const swap = (object: ObjectRef, from: Side, to: Side, why: string): Step => ({
  kind: 'patch',
  object,
  ops: [
    { op: 'test', path: '/spec/template', value: asJson(from.template) },
    { op: 'replace', path: '/spec/template', value: asJson(to.template) },
    ...causeOps(from.cause, to.cause),
  ],
  why,
})

function causeOps(from: string | undefined, to: string | undefined): readonly PatchOp[] {
  if (from === to) return []
  const test: PatchOp = { op: 'test', path: CAUSE_PATH, value: from ?? null }
  return [test, to === undefined ? { op: 'remove', path: CAUSE_PATH } : { op: 'add', path: CAUSE_PATH, value: to }]
}

function blastOf(deployment: Deployment, now: Template, back: Template): Blast {
  const more = (resource: 'memory' | 'cpu') => Math.max(0, podRequests(back.spec, resource) - podRequests(now.spec, resource)) * replicasOf(deployment)
  const [from, to] = [highestMemory(now.spec), highestMemory(back.spec)]
  return {
    ...NO_BLAST,
    podsLost: podsLostByRollout(deployment),
    memoryBytes: to === undefined || to === from ? undefined : { from, to },
    moreMemoryBytes: more('memory'),
    moreCpuCores: more('cpu'),
  }
}
