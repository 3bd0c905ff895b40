// How an action is declared: typed where it is written, plain in the catalogue, so that a catalogue needs no cast.
import * as z from 'zod'
import type { CaseId } from '../domain/case-file.ts'
import { Fault } from '../domain/fault.ts'
import type { Json, JsonObject } from '../domain/json.ts'
import type { Health, Plan, Right, Safety, UndoWhen } from '../domain/plan.ts'
import type { ObjectRef, Target } from '../domain/target.ts'
import type { Reader } from '../kube/wire.ts'

/** What planning may look at. It has no way to write. */
export interface Look {
  readonly read: Reader
  readonly caseId: CaseId
  readonly now: number
}

/** What an action returns; the rest of the plan is filled in from its declaration. */
export type Proposal = Omit<Plan, 'action' | 'parameters' | 'safety' | 'undoWhen' | 'artefacts' | 'removes'> & Partial<Pick<Plan, 'artefacts' | 'removes' | 'undoWhen'>>

/** The action cannot be done here, in a sentence; not an error. `code` goes into the case's reason. */
export interface Refusal {
  readonly refused: string
  readonly code: 'TARGET_UNFIT' | 'PARAMETERS_INVALID' | 'NOTHING_TO_CHANGE' | 'PLAN_REFUSED'
}

/** What verification sees of the effect: `waiting` is looked at again, `bad` is judged at once against `before`. */
export interface Seen {
  readonly state: 'good' | 'waiting' | 'bad'
  /** Somebody has changed what the action set: whatever the object does now, it is not the action's effect. */
  readonly reverted?: true
  readonly why: string
  readonly health: Health
}

export type Category = 'core' | 'storage' | 'application' | 'security' | 'network' | 'database' | 'monitoring' | 'resources'

interface Common {
  readonly name: string
  readonly summary: string
  readonly category: Category
  readonly safety: Safety
  readonly scope: 'namespace' | 'cluster'
  readonly undoWhen: UndoWhen
  /** Rights of steps, undo steps and check. */
  readonly needs: readonly Right[]
}

export interface WrittenAction<P extends z.ZodType<JsonObject>> extends Common {
  /** Kinds of the object that the plan changes. The owner is tried first, then the object the labels name. `*`: whatever the owner is. */
  readonly targets: readonly string[]
  readonly params: P
  readonly plan: (object: ObjectRef, params: z.output<P>, look: Look, target: Target) => Promise<Proposal | Refusal>
  readonly verify: (plan: Plan, look: Look, target: Target) => Promise<Seen>
}

/** What everyone else sees: no type parameter left. */
export interface Action extends Common {
  readonly targets: readonly string[]
  readonly params: z.ZodType
  readonly propose: (target: Target, raw: Json, look: Look) => Promise<Plan | Refusal>
  readonly verify: (plan: Plan, look: Look, target: Target) => Promise<Seen>
}

export const isRefusal = (proposed: Plan | Refusal): proposed is Refusal => 'refused' in proposed

export function defineAction<P extends z.ZodType<JsonObject>>(written: WrittenAction<P>): Action {
  const { plan, ...rest } = written
  const fitting = (target: Target): ObjectRef | undefined =>
    written.targets.includes('*') ? target.owner : [target.owner, target.object, ...target.chain].find((ref) => written.targets.includes(ref.kind))
  return {
    ...rest,
    async propose(target, raw, look) {
      const object = fitting(target)
      if (!object) return { code: 'TARGET_UNFIT', refused: `${written.name} acts on ${written.targets.join(', ')}, not on ${target.owner.kind}` }
      const params = written.params.safeParse(raw)
      if (!params.success) return { code: 'PARAMETERS_INVALID', refused: z.prettifyError(params.error) }
      const proposed = await plan(object, params.data, look, target)
      if ('refused' in proposed) return proposed
      if (written.safety === 'reversible' && 'impossible' in proposed.undo) throw new Fault('INTERNAL', `${written.name} is declared reversible and plans no undo`)
      return {
        undoWhen: written.undoWhen,
        artefacts: [],
        removes: [],
        ...proposed,
        action: written.name,
        parameters: params.data,
        safety: written.safety,
      }
    },
  }
}
