// Gate 5: a plan that would replace the pod in which this very program acts ends in mid-flight, so another has to make it.
import type { Plan, Step } from '../../domain/plan.ts'
import { ownerKey } from '../../domain/target.ts'
import { type Self, stepsOf } from './seen.ts'
import { type Gate, PASS, refuse } from './verdict.ts'

type Change = Extract<Step, { kind: 'patch' | 'delete' | 'evict' }>

/** Growing the own workload leaves this pod where it is; everything else may replace it. */
const onlyGrows = (step: Change, { blast }: Plan): boolean =>
  step.kind === 'patch' && blast.replicas !== undefined && blast.replicas.to >= blast.replicas.from && step.ops.every((op) => op.op === 'test' || op.path === '/spec/replicas')

function hits(step: Change, plan: Plan, { pod, owner }: Self): boolean {
  const key = ownerKey(step.object)
  if (pod && key === ownerKey(pod)) return true
  return owner !== undefined && key === ownerKey(owner) && !onlyGrows(step, plan)
}

export const ownPod: Gate = {
  name: 'own-pod',
  judge({ plan }, { self }) {
    const hit = stepsOf(plan.steps, 'patch', 'delete', 'evict').find((step) => hits(step, plan, self))
    if (!hit) return PASS
    const { kind, name } = hit.object
    return refuse(
      'OWN_POD',
      `${kind} ${name} is where this agent itself runs: the change would stop it before it could verify`,
      'a person makes the change, or the agent runs as a Deployment of its own',
    )
  },
}
