// Gate 3: every object that a step or an undo step names lies in the own namespace.
import type { Plan, Step } from '../../domain/plan.ts'
import type { Gate } from './verdict.ts'
import { PASS, refuse } from './verdict.ts'

const undoSteps = ({ undo }: Plan): readonly Step[] => ('impossible' in undo ? [] : undo)

/** A manifest may name another namespace than its reference. */
function namespacesOf(step: Step): readonly unknown[] {
  if (step.kind !== 'create') return [step.object.namespace]
  const { metadata } = step.manifest
  const written = typeof metadata === 'object' && metadata !== null && 'namespace' in metadata ? metadata.namespace : step.object.namespace
  return [step.object.namespace, written]
}

export const ownNamespace: Gate = {
  name: 'own-namespace',
  judge({ plan, target }, { namespace }) {
    const touched = [target.owner.namespace, plan.object.namespace, ...[...plan.steps, ...undoSteps(plan)].flatMap(namespacesOf)]
    const foreign = touched.find((name) => name !== namespace)
    if (foreign === undefined) return PASS
    const where = foreign === '' ? 'something that has no namespace' : `namespace ${String(foreign)}`
    return refuse('OTHER_NAMESPACE', `the plan touches ${where}; this agent acts in ${namespace} only`, 'the agent of that namespace has to act')
  },
}
