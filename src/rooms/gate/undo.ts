// An undo, seen as a plan of its own: its steps are the undo steps, and it has none itself.
import type { Planned } from '../../domain/case-file.ts'
import { NO_BLAST } from '../../domain/plan.ts'

export function undoAsPlan(file: Planned): Planned | undefined {
  const { plan } = file
  if ('impossible' in plan.undo || plan.undo.length === 0) return undefined
  // The pod that the alert named may be gone by now, by this very change; what is judged is what the undo would touch.
  const { target } = file
  const chain = plan.object.uid === target.owner.uid ? [target.owner] : [plan.object, target.owner]
  return {
    ...file,
    target: { ...target, object: plan.object, chain },
    plan: {
      ...plan,
      summary: `undo: ${plan.summary}`,
      steps: plan.undo,
      undo: { impossible: 'it is itself an undo' },
      undoWhen: 'never',
      artefacts: [],
      blast: NO_BLAST,
      removes: [],
    },
  }
}
