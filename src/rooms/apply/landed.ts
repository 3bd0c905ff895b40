// Whether a step has taken effect, found by looking at the object: the only way to know after a crash or a lost answer.
import type { Json } from '../../domain/json.ts'
import type { PatchOp, Step } from '../../domain/plan.ts'
import type { AnyObject, Reader } from '../../kube/wire.ts'

/** `untouched`: not there, and every value that the plan judged is still as it was. `changed`: neither. */
export type Effect = 'landed' | 'untouched' | 'changed'

/** RFC 6901. undefined: nothing there. */
export function pointer(document: unknown, path: string): unknown {
  let at: unknown = document
  for (const part of path.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = Object.entries(at).find(([name]) => name === key)?.[1]
  }
  return at
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)]),
        )
      : value
export const equalJson = (a: unknown, b: Json | undefined): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

const opLanded = (object: AnyObject, op: PatchOp): boolean => {
  if (op.op === 'test') return true
  if (op.op === 'remove') return pointer(object, op.path) === undefined
  // `add` at the end of a list has no index to look at: the last element counts.
  const found = op.path.endsWith('/-') ? [pointer(object, op.path.slice(0, -2))].flat().at(-1) : pointer(object, op.path)
  return equalJson(found, op.value)
}

function patchEffect(object: AnyObject | undefined, step: Step & { readonly kind: 'patch' }): Effect {
  if (!object || object.metadata?.uid !== step.object.uid) return 'changed'
  if (step.ops.every((op) => opLanded(object, op))) return 'landed'
  // A test for null holds where there is nothing, for the API server too.
  return step.ops.every((op) => op.op !== 'test' || equalJson(pointer(object, op.path) ?? null, op.value)) ? 'untouched' : 'changed'
}

/** Looks at the object of one step. An exec cannot be seen; it counts as changed, so that nobody sends it twice. */
export async function effectOf(read: Reader, step: Step): Promise<Effect> {
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
