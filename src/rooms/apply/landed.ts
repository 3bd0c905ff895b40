// Whether a step has taken effect, found by looking at the object: the only way to know after a crash or a lost answer.
import { asWritten, valueAt } from '../../actions/in-place.ts'
import type { PatchOp, Step } from '../../domain/plan.ts'
import type { AnyObject, Reader } from '../../kube/wire.ts'

/** `untouched`: not there, and every value that the plan judged is still as it was. `changed`: neither. */
export type Effect = 'landed' | 'untouched' | 'changed'

const opLanded = (object: AnyObject, op: PatchOp): boolean => {
  if (op.op === 'test') return true
  if (op.op === 'remove') return valueAt(object, op.path) === undefined
  // `add` at the end of a list has no index to look at: the last element counts.
  const found = op.path.endsWith('/-') ? [valueAt(object, op.path.slice(0, -2))].flat().at(-1) : valueAt(object, op.path)
  return asWritten(op.path, found, op.value)
}

function patchEffect(object: AnyObject | undefined, step: Step & { readonly kind: 'patch' }): Effect {
  if (!object || object.metadata?.uid !== step.object.uid) return 'changed'
  if (step.ops.every((op) => opLanded(object, op))) return 'landed'
  // A test for null holds where there is nothing, for the API server too.
  return step.ops.every((op) => op.op !== 'test' || asWritten(op.path, valueAt(object, op.path), op.value)) ? 'untouched' : 'changed'
}

/** Looks at the object of one step. An exec cannot be seen; it counts as changed, so that nobody sends it twice. */
export async function effectOf(read: Pick<Reader, 'object'>, step: Step): Promise<Effect> {
  switch (step.kind) {
    case 'patch':
      return patchEffect(await read.object(step.object), step)
    case 'delete':
    case 'evict': {
      const object = await read.object(step.object)
      return object?.metadata?.uid === step.object.uid && object.metadata.deletionTimestamp === undefined ? 'untouched' : 'landed'
    }
    case 'create':
      return (await read.object(step.object)) ? 'landed' : 'untouched'
    case 'wait':
      return 'landed'
    case 'exec':
      return 'changed'
    default:
      return step satisfies never
  }
}
