// Everything that the gates judge by, read once and as plain values. Each part may be unknown, and unknown never passes for good news.
import type { Approval } from '../../domain/approval.ts'
import type { Planned } from '../../domain/case-file.ts'
import type { Attempt } from '../../domain/history.ts'
import type { Plan, Step } from '../../domain/plan.ts'
import type { Policy } from '../../domain/policy.ts'
import { type ObjectRef, ownerKey } from '../../domain/target.ts'
import type { Unknown } from '../../domain/unknown.ts'
import type { MissingRight } from '../../kube/access.ts'
import type { AnyObject, Kinds } from '../../kube/wire.ts'

/** `suppressed`: silenced or inhibited in Alertmanager. */
export type AlertState = 'firing' | 'resolved' | 'suppressed'

/** The pod in which this program runs and its top owner; empty outside a cluster. */
export interface Self {
  readonly pod?: ObjectRef
  readonly owner?: ObjectRef
}

/** Attempts of history and ledger together, newest first, one per case. */
export interface PastAttempts {
  readonly owner: readonly Attempt[]
  readonly rule: readonly Attempt[]
  readonly namespace: readonly Attempt[]
}

export interface Seen {
  readonly policy: Policy
  /** The own namespace. */
  readonly namespace: string
  readonly self: Self
  /** The target's chain and every object of a step, by `ownerKey`; unknown also when gone or replaced by another of that name. */
  readonly objects: ReadonlyMap<string, AnyObject | Unknown>
  readonly alert: AlertState | Unknown
  readonly autoscalers: readonly Kinds['HorizontalPodAutoscaler'][] | Unknown
  /** VerticalPodAutoscalers that go by the owner's name. */
  readonly verticalAutoscalers: readonly AnyObject[] | Unknown
  /** Pods that the owner selects. */
  readonly pods: readonly Kinds['Pod'][] | Unknown
  readonly budgets: readonly Kinds['PodDisruptionBudget'][] | Unknown
  readonly limitRanges: readonly Kinds['LimitRange'][] | Unknown
  readonly quotas: readonly Kinds['ResourceQuota'][] | Unknown
  readonly missingRights: readonly MissingRight[] | Unknown
  readonly past: PastAttempts | Unknown
  /** How far our clock is ahead of the API server's, ms; absent where no API server was asked. */
  readonly clockOffMs?: number
  /** A person's yes to this very plan. */
  readonly approval: Approval | undefined
}

/** A plan that sends nothing reads and tells only: most gates have nothing to say about it. */
export const writes = (plan: Plan): boolean => plan.steps.some((step) => step.kind !== 'wait')

export const stepsOf = <K extends Step['kind']>(steps: readonly Step[], ...kinds: readonly K[]): readonly Extract<Step, { kind: K }>[] =>
  steps.filter((step): step is Extract<Step, { kind: K }> => kinds.some((kind) => kind === step.kind))

export const objectIn = (seen: Pick<Seen, 'objects'>, ref: ObjectRef): AnyObject | Unknown => seen.objects.get(ownerKey(ref)) ?? { unknown: `${ref.kind} ${ref.name} was not read` }

/** Chain, owner, the plan's object and those of the steps, each once. */
export function objectsOf(file: Pick<Planned, 'target' | 'plan'>): readonly ObjectRef[] {
  const ofSteps = stepsOf(file.plan.steps, 'patch', 'delete', 'evict', 'exec').map((step) => step.object)
  const all = [file.target.object, ...file.target.chain, file.target.owner, file.plan.object, ...ofSteps]
  return [...new Map(all.map((ref) => [ownerKey(ref), ref])).values()]
}

const BUILT_IN = /^(?:v1|apps\/v1|batch\/v1)$/

/**
 * Whether nothing may be decided without having read it. Custom resources above a workload may not be readable for us: labels of
 * theirs count where they are, and the workload's own are what people are told to set.
 */
export function mustBeRead({ target, plan }: Pick<Planned, 'target' | 'plan'>, ref: ObjectRef): boolean {
  const touched = [target.object, plan.object, ...stepsOf(plan.steps, 'patch', 'delete', 'evict', 'exec').map((step) => step.object)]
  return BUILT_IN.test(ref.apiVersion) || touched.some((object) => ownerKey(object) === ownerKey(ref))
}
