// rollout_restart: new pods for a whole workload, as `kubectl rollout restart` does it.
import * as z from 'zod'
import { NO_BLAST, type PatchOp, type Plan } from '../domain/plan.ts'
import { describeRef } from '../domain/target.ts'
import { defineAction } from './define-action.ts'
import { readHealth } from './health.ts'
import { pointerKey, valueAt, writtenBy } from './in-place.ts'
import { podsLostByRollout, RESTARTED_AT, rolloutHindered, TEMPLATED, type Templated, templated } from './pod-template.ts'
import { seeRollout } from './see-effect.ts'

const ANNOTATIONS = '/spec/template/metadata/annotations'
const PATH = `${ANNOTATIONS}/${pointerKey(RESTARTED_AT)}`

export const rolloutRestart = defineAction({
  name: 'rollout_restart',
  summary: 'Replace all pods of a Deployment, StatefulSet or DaemonSet step by step, under its own rollout strategy.',
  category: 'core',
  targets: TEMPLATED,
  scope: 'namespace',
  safety: 'disruptive',
  undoWhen: 'never',
  params: z.strictObject({}),
  needs: [
    { apiGroup: 'apps', resource: 'deployments', verbs: ['get', 'patch'] },
    { apiGroup: 'apps', resource: 'statefulsets', verbs: ['get', 'patch'] },
    { apiGroup: 'apps', resource: 'daemonsets', verbs: ['get', 'patch'] },
    { apiGroup: 'apps', resource: 'replicasets', verbs: ['list'] },
    { apiGroup: '', resource: 'pods', verbs: ['list'] },
  ],
  async plan(object, _params, { read, now }) {
    const workload = await templated(read, object)
    if (!workload) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} does not exist any more` }
    const hindered = rolloutHindered(workload)
    if (hindered) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} cannot be restarted: ${hindered}` }
    const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
    if (valueAt(workload, PATH) === at) return { code: 'NOTHING_TO_CHANGE', refused: `${describeRef(object)} was restarted this very second` }
    return {
      summary: `restart ${describeRef(object)}: all its pods, one batch after the other`,
      object,
      steps: [{ kind: 'patch', object, ops: restartOps(object.kind, workload, at), why: 'a new restartedAt in the pod template makes the controller replace every pod' }],
      undo: { impossible: 'pods that ended do not come back; the new ones run the same template' },
      blast: { ...NO_BLAST, podsLost: podsLostByRollout(workload) },
      before: await readHealth(read, object, now),
    }
  },
  verify: (plan, look) => seeRollout(plan, look, restartGone),
})

/** `null` tests for absence: the API server's JSON Patch takes a missing key for null (evanphx/json-patch). */
function restartOps(kind: string, workload: Templated, at: string): readonly PatchOp[] {
  const annotations = workload.spec?.template.metadata?.annotations
  const unpaused: PatchOp[] = kind === 'Deployment' ? [{ op: 'test', path: '/spec/paused', value: valueAt(workload, '/spec/paused') === false ? false : null }] : []
  if (!annotations) return [...unpaused, { op: 'test', path: ANNOTATIONS, value: null }, { op: 'add', path: ANNOTATIONS, value: { [RESTARTED_AT]: at } }]
  return [...unpaused, { op: 'test', path: PATH, value: annotations[RESTARTED_AT] ?? null }, { op: 'add', path: PATH, value: at }]
}

/** A later restart by somebody else is one all the same. */
function restartGone(plan: Plan, workload: Templated): string | undefined {
  const [written] = writtenBy(plan, plan.object)
  const ours = written?.path === PATH ? written.value : valueAt(written?.value, `/${pointerKey(RESTARTED_AT)}`)
  const found = valueAt(workload, PATH)
  return typeof found === 'string' && typeof ours === 'string' && found >= ours ? undefined : 'the restartedAt of this action is gone from the pod template'
}
