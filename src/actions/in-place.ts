// Whether what a plan set is still there: each value that its patches wrote, looked up on the object as it is now.
import type { Json } from '../domain/json.ts'
import type { PatchOp, Plan } from '../domain/plan.ts'
import { parseQuantity } from '../domain/quantity.ts'
import { type ObjectRef, sameObject } from '../domain/target.ts'

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a JSON Pointer; undefined when there is none. */
export function valueAt(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, key) => (Array.isArray(at) ? at[Number(key)] : isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), document)
}

/** One key of a JSON Pointer. */
export const pointerKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

/** Equal as JSON: the order of keys is nothing, and null is absent, as the API server writes it in one version and not in the next. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, index) => sameValue(one, b[index]))
  if (isRecord(a) && isRecord(b)) return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => sameValue(a[key], b[key]))
  return a === b || (a ?? undefined) === (b ?? undefined)
}

/** `1024Mi` is `1Gi`: the API server keeps quantities in a form of its own. Only where quantities stand; a label `1.0` is not a label `1`. */
const sameQuantity = (path: string, a: unknown, b: unknown): boolean =>
  path.includes('/resources/') && typeof a === 'string' && typeof b === 'string' && parseQuantity(a) !== undefined && parseQuantity(a) === parseQuantity(b)

/** Whether what was written to this path is what is found there, in whichever form the API server keeps it. */
export const asWritten = (path: string, found: unknown, value: unknown): boolean => sameValue(found, value) || sameQuantity(path, found, value)

type Written = Extract<PatchOp, { op: 'add' | 'replace' }>
const isWritten = (op: PatchOp): op is Written => op.op === 'add' || op.op === 'replace'

/** What the plan's patches wrote to this object. */
export const writtenBy = (plan: Plan, object: ObjectRef): readonly { readonly path: string; readonly value: Json }[] =>
  plan.steps.flatMap((step) => (step.kind === 'patch' && sameObject(step.object, object) ? step.ops.filter(isWritten) : []))

/** The first value that is no longer as the plan left it, in a sentence. */
export function changedSince(plan: Plan, document: unknown): string | undefined {
  const changed = writtenBy(plan, plan.object).find(({ path, value }) => !asWritten(path, valueAt(document, path), value))
  return changed && `${changed.path} is no longer as this action left it`
}
