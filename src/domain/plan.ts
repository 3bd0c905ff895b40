// A plan is data: steps that the applier sends, steps that would undo them, what it touches. Nothing here can act.
import type { Json, JsonObject } from './json.ts'
import type { ObjectRef } from './target.ts'

export type PatchOp = { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json } | { readonly op: 'remove'; readonly path: string }

/**
 * One write, or one wait. Every step names the object by uid; a patch also carries a `test` for each value that the plan
 * judged, so a changed object is a conflict (422) and never a wrong write. The writer adds the uid's own test.
 */
export type Step =
  | { readonly kind: 'patch'; readonly object: ObjectRef; readonly subresource?: 'scale' | 'resize' | 'status'; readonly ops: readonly PatchOp[]; readonly why: string }
  | { readonly kind: 'delete'; readonly object: ObjectRef; readonly why: string }
  | { readonly kind: 'evict'; readonly object: ObjectRef; readonly why: string }
  /** The name is derived from case and step, so a second create answers 409 and means done. */
  | { readonly kind: 'create'; readonly object: Omit<ObjectRef, 'uid'>; readonly manifest: JsonObject; readonly why: string }
  | { readonly kind: 'exec'; readonly object: ObjectRef; readonly container: string; readonly argv: readonly string[]; readonly why: string }
  | { readonly kind: 'wait'; readonly object: ObjectRef; readonly until: 'gone' | 'ready'; readonly seconds: number; readonly why: string }

/** Something a case keeps for people: diagnostics, or a patch file for the repository that owns the object. */
export interface Artefact {
  readonly name: string
  readonly mediaType: 'text/plain' | 'application/json' | 'application/yaml'
  readonly text: string
}

/** What the workload looked like, in counts. Read before the plan and again when it is verified. */
export interface Health {
  readonly exists: boolean
  readonly desired: number
  readonly ready: number
  readonly available: number
  readonly updated: number
  /** Pods in CrashLoopBackOff, image pull trouble, config errors, or Failed. */
  readonly failing: number
  /** Sum of container restarts over the owner's present pods. */
  readonly restarts: number
  /** The controller has seen the newest spec and every replica is of it. */
  readonly rolledOut: boolean
  readonly good: boolean
  /** One sentence for people. */
  readonly why: string
}

export interface Blast {
  /** Pods that stop, at most, at one time beyond what the controller's own strategy allows; a rolling update counts maxUnavailable. */
  readonly podsLost: number
  /** Replicas after the plan; undefined when the plan does not change them. */
  readonly replicas: { readonly from: number; readonly to: number } | undefined
  /** Highest memory request or limit of one container after the plan, bytes; undefined when unchanged. */
  readonly memoryBytes: { readonly from: number | undefined; readonly to: number } | undefined
  /** Sum of what all pods of the owner would newly request, for quota: bytes and cores; 0 when nothing grows. */
  readonly moreMemoryBytes: number
  readonly moreCpuCores: number
}

export interface Plan {
  readonly action: string
  readonly parameters: JsonObject
  readonly summary: string
  readonly safety: Safety
  /** The object that changes: the owner for template changes, the pod for a restart. */
  readonly object: ObjectRef
  readonly steps: readonly Step[]
  readonly undo: readonly Step[] | { readonly impossible: string }
  readonly undoWhen: UndoWhen
  readonly artefacts: readonly Artefact[]
  readonly blast: Blast
  /** The owner's health when the plan was made: what `worse` is measured against. */
  readonly before: Health
  /** Uids of the objects that the action removes and whose labels the alert names: their `resolved` proves nothing. */
  readonly removes: readonly string[]
}

/** harmless changes nothing of the workload; reversible can be set back; disruptive ends pods; destructive loses data. */
export type Safety = 'harmless' | 'reversible' | 'disruptive' | 'destructive'
export type UndoWhen = 'worse' | 'noBetter' | 'never'

/** A right as RBAC writes it. `namespace` scope always; cluster scope exists only where the action says so. */
export interface Right {
  readonly apiGroup: string
  readonly resource: string
  readonly verbs: readonly string[]
  /** Only for the object of this name. */
  readonly name?: string
}

export const NO_BLAST: Blast = { podsLost: 0, replicas: undefined, memoryBytes: undefined, moreMemoryBytes: 0, moreCpuCores: 0 }

/** Which way a plan moves a value that can be moved both ways, replicas or memory; undefined when it moves neither. */
export function directionOf({ replicas, memoryBytes }: Blast): 'up' | 'down' | undefined {
  const moved = replicas ?? memoryBytes
  if (moved?.from === undefined || moved.from === moved.to) return undefined
  return moved.to > moved.from ? 'up' : 'down'
}
