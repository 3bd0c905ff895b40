// Gate 7: nobody else keeps the fields that the plan changes and would set them back. Judged per field; unreadable counts as would revert.
import { changedFields, type FieldsEntry, ownsField, readManagedFields, valueAt } from '../../domain/managed-fields.ts'
import type { PatchOp, Step } from '../../domain/plan.ts'
import type { ObjectRef } from '../../domain/target.ts'
import { isUnknown } from '../../domain/unknown.ts'
import type { AnyObject } from '../../kube/wire.ts'
import { type Keeper, keeperOf, keeperOfAll, keptByMarks, lastAppliedKeeps } from './keepers.ts'
import { objectIn, type Seen, stepsOf } from './seen.ts'
import { type Gate, PASS, refuse, type Stop } from './verdict.ts'

type Patch = Extract<Step, { kind: 'patch' }>

export const ownerReverts: Gate = {
  name: 'owner-reverts',
  judge({ plan }, seen) {
    for (const step of stepsOf(plan.steps, 'patch', 'delete')) {
      // A deleted pod comes back by its controller, and that is what is wanted.
      if (step.kind === 'delete' && step.object.kind === 'Pod') continue
      const found = objectIn(seen, step.object)
      if (isUnknown(found)) return unreadable(step.object, found.unknown)
      const stop = step.kind === 'patch' ? patchKept(step, found, seen) : deleteKept(step.object, found)
      if (stop) return stop
    }
    return PASS
  },
}

/** The fields that an operation changes: all leaves that differ from what is there now. */
const fieldsOf = (op: PatchOp, object: AnyObject): readonly string[] =>
  op.op === 'test' ? [] : changedFields(valueAt(object, op.path), op.op === 'remove' ? undefined : op.value, op.path)

function patchKept(step: Patch, object: AnyObject, seen: Seen): Stop | undefined {
  const fields = step.ops.flatMap((op) => fieldsOf(op, object))
  if (fields.length === 0) return undefined
  const whole = keeperOfAll(object)
  if (whole) return kept(step.object, whole, fields[0] ?? '')
  return byAutoscalers(step.object, fields, seen) ?? byManagedFields(step.object, object, fields)
}

function byManagedFields(ref: ObjectRef, object: AnyObject, fields: readonly string[]): Stop | undefined {
  const entries = readManagedFields(object.metadata?.managedFields ?? [])
  if (!entries) return unreadable(ref, 'its managed fields cannot be understood')
  for (const field of fields) {
    const keeper = keeperOfField(entries, object, field)
    if (keeper) return kept(ref, keeper, field)
  }
  // The marks of a keeper without its entry: what it keeps cannot be told.
  const marked = keptByMarks(object, entries)
  const doubtful = marked && fields.find((field) => !marked.leavesAlone(field))
  return marked && doubtful !== undefined ? unreadable(ref, `${marked.who} keeps it, and which of its fields cannot be read`) : undefined
}

function keeperOfField(entries: readonly FieldsEntry[], object: AnyObject, field: string): Keeper | undefined {
  for (const entry of entries) {
    const keeper = keeperOf(entry.manager, object)
    if (keeper && ownsField(entry, object, field) && lastAppliedKeeps(entry, object, field)) return keeper
  }
  return undefined
}

const touchesReplicas = (field: string): boolean => field === '/spec/replicas'
const RESOURCES = /^\/spec\/template\/spec\/(?:initContainers|containers)\/\d+\/resources(?:\/|$)/

function byAutoscalers(ref: ObjectRef, fields: readonly string[], seen: Seen): Stop | undefined {
  const replicas = fields.find(touchesReplicas)
  if (replicas !== undefined) {
    if (isUnknown(seen.autoscalers)) return unreadable(ref, `autoscalers could not be read: ${seen.autoscalers.unknown}`)
    const hpa = seen.autoscalers.find(({ spec }) => spec?.scaleTargetRef.kind === ref.kind && spec.scaleTargetRef.name === ref.name)
    const scaled = hpa?.metadata?.ownerReferences?.find(({ kind }) => kind === 'ScaledObject')
    if (hpa) return kept(ref, { who: scaled ? `KEDA (ScaledObject ${scaled.name})` : `HorizontalPodAutoscaler ${hpa.metadata?.name ?? ''}` }, replicas)
  }
  const resources = fields.find((field) => RESOURCES.test(field))
  return resources === undefined ? undefined : byVerticalAutoscaler(ref, resources, seen)
}

/** What the updater writes on every pod that it has changed. */
const VPA_MARK = 'vpaUpdates'

function byVerticalAutoscaler(ref: ObjectRef, field: string, { verticalAutoscalers, pods }: Seen): Stop | undefined {
  if (isUnknown(verticalAutoscalers)) return unreadable(ref, `vertical autoscalers could not be read: ${verticalAutoscalers.unknown}`)
  if (isUnknown(pods)) return unreadable(ref, `its pods could not be read: ${pods.unknown}`)
  const acting = verticalAutoscalers.find((vpa) => !['Off', 'Initial'].includes(String(valueAt(vpa, '/spec/updatePolicy/updateMode') ?? 'Auto')))
  if (acting) return kept(ref, { who: `VerticalPodAutoscaler ${acting.metadata?.name ?? ''}` }, field)
  const marked = pods.some((pod) => pod.metadata?.annotations?.[VPA_MARK] !== undefined)
  return marked ? kept(ref, { who: 'a VerticalPodAutoscaler' }, field) : undefined
}

function deleteKept(ref: ObjectRef, object: AnyObject): Stop | undefined {
  const entries = readManagedFields(object.metadata?.managedFields ?? [])
  if (!entries) return unreadable(ref, 'its managed fields cannot be understood')
  const keeper = keeperOfAll(object) ?? entries.map(({ manager }) => keeperOf(manager, object)).find((found) => found !== undefined) ?? keptByMarks(object, entries)
  return keeper && kept(ref, keeper, 'the object itself')
}

const kept = (ref: ObjectRef, { who }: Keeper, field: string): Stop =>
  refuse('OWNER_WOULD_REVERT', `${who} keeps ${field} of ${ref.kind} ${ref.name} and would set it back`, `change it where ${who} takes it from`)
const unreadable = (ref: ObjectRef, why: string): Stop =>
  refuse('OWNER_UNREADABLE', `who keeps ${ref.kind} ${ref.name} is not known: ${why}`, 'grant the right to read it, or change it where it is kept')
