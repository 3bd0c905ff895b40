// From configuration and the operator's ConfigMap to the policy that gates judge by. The ConfigMap can only lower and limit.
import * as z from 'zod'
import { lowest, MODES, type Policy } from '../domain/policy.ts'
import { parseQuantity } from '../domain/quantity.ts'
import { isUnknown, type Unknown, unknown } from '../domain/unknown.ts'
import { duration } from './scalars.ts'
import type { Config } from './schema.ts'
import { windowsAround } from './windows.ts'

const DAY_MS = 86_400_000

/** What the operator's ConfigMap may say, one key each; a key that is not known could be a limit that we would not keep. */
const text = <T extends z.ZodType<unknown, string>>(of: T) =>
  z
    .string()
    .transform((value) => value.trim())
    .pipe(of)
    .exactOptional()
const number = (of: z.ZodType<number, number>) => text(z.string().transform(Number).pipe(of))
const words = text(z.string().transform((value) => value.split(/[\s,]+/).filter((word) => word !== '')))
const OPERATOR = z.strictObject({
  mode: text(z.enum(MODES)),
  kill_switch: text(z.enum(['true', 'false']).transform((value) => value === 'true')),
  allowed_actions: words,
  protected_names: words,
  max_replicas: number(z.int().min(0)),
  max_memory: text(z.string().transform(parseQuantity).pipe(z.number().positive())),
  max_pod_share: number(z.number().min(0).max(1)),
  budget_per_target: number(z.int().min(0)),
  budget_per_rule: number(z.int().min(0)),
  budget_per_namespace: number(z.int().min(0)),
  cooldown_period: text(duration()),
  max_concurrent: number(z.int().min(0)),
  min_confidence: number(z.number().min(0).max(1)),
  approve_above: text(z.enum(['harmless', 'reversible', 'disruptive', 'destructive'])),
})
export type OperatorPolicy = z.output<typeof OPERATOR>

/** The data of the operator's ConfigMap; Unknown when a part of it cannot be understood, for then its limits are not known. */
export function readOperatorPolicy(data: Readonly<Record<string, string>>): OperatorPolicy | Unknown {
  const parsed = OPERATOR.safeParse(data)
  return parsed.success ? parsed.data : unknown(`the operator's policy cannot be understood: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`)
}

/** Without an operator's ConfigMap the configuration is its own source and confirmed at every look. */
export function policyOf(config: Config, now: number): Policy {
  const { actions, settle } = config
  return {
    mode: actions.dry_run ? lowest(actions.mode, 'observe') : actions.mode,
    killSwitch: actions.kill_switch,
    confirmedAt: now,
    confirmWithinMs: config.policy.confirm_within,
    allowedActions: actions.allowed,
    protected: actions.protected,
    limits: { maxReplicas: actions.limits.max_replicas, maxMemoryBytes: actions.limits.max_memory, maxPodShare: actions.limits.max_pod_share },
    budget: { perTarget: actions.budget.per_target, perRule: actions.budget.per_rule, perNamespace: actions.budget.per_namespace, windowMs: actions.budget.window },
    concurrentActions: actions.max_concurrent,
    cooldownMs: actions.cooldown_period,
    ineffectiveLimit: actions.ineffective_limit,
    oscillation: { limit: actions.oscillation.limit, windowMs: actions.oscillation.window },
    minConfidence: actions.min_confidence,
    approveAbove: actions.approve_above,
    maintenance: windowsAround(actions.maintenance, now, 8 * DAY_MS),
    settleMs: settle.time,
    verifyWithinMs: settle.verify_within,
    checkEveryMs: settle.check_every,
    holdMs: settle.hold,
    reconsiderMs: settle.reconsider,
  }
}

const SAFETY = ['harmless', 'reversible', 'disruptive', 'destructive'] as const
const lower = (own: number, limit: number | undefined): number => Math.min(own, limit ?? own)
const higher = (own: number, limit: number | undefined): number => Math.max(own, limit ?? own)
const both = (own: readonly string[] | undefined, limit: readonly string[] | undefined): readonly string[] | undefined =>
  own && limit ? own.filter((name) => limit.includes(name)) : (own ?? limit)

/** Every field moves towards less, whatever the operator wrote. */
export function limitedBy(own: Policy, operator: OperatorPolicy): Policy {
  return {
    ...own,
    mode: lowest(own.mode, operator.mode ?? own.mode),
    killSwitch: own.killSwitch || operator.kill_switch === true,
    allowedActions: both(own.allowedActions, operator.allowed_actions),
    protected: { labels: own.protected.labels, names: [...own.protected.names, ...(operator.protected_names ?? [])] },
    limits: {
      maxReplicas: lower(own.limits.maxReplicas, operator.max_replicas),
      maxMemoryBytes: lower(own.limits.maxMemoryBytes, operator.max_memory),
      maxPodShare: lower(own.limits.maxPodShare, operator.max_pod_share),
    },
    budget: {
      ...own.budget,
      perTarget: lower(own.budget.perTarget, operator.budget_per_target),
      perRule: lower(own.budget.perRule, operator.budget_per_rule),
      perNamespace: lower(own.budget.perNamespace, operator.budget_per_namespace),
    },
    concurrentActions: lower(own.concurrentActions, operator.max_concurrent),
    cooldownMs: higher(own.cooldownMs, operator.cooldown_period),
    minConfidence: higher(own.minConfidence, operator.min_confidence),
    approveAbove: SAFETY[Math.min(SAFETY.indexOf(own.approveAbove), SAFETY.indexOf(operator.approve_above ?? own.approveAbove))] ?? 'harmless',
  }
}

export interface PolicySource {
  /** The policy as of now. Where the operator's part was not confirmed lately, `confirmedAt` says so and the gate holds. */
  current(): Policy
  /** What was read of the operator's ConfigMap: its data, undefined when there is none, Unknown when it could not be read. */
  confirm(read: Readonly<Record<string, string>> | undefined | Unknown): void
  /** Why the policy is not confirmed; undefined when it is. */
  readonly trouble: string | undefined
}

/** `operated`: there is an operator's ConfigMap, which `confirm` has to be told of every few seconds. */
export function makePolicySource(config: Config, now: () => number): PolicySource {
  const operated = config.policy.config_map !== undefined
  let operator: OperatorPolicy = {}
  let confirmedAt = 0
  let trouble: string | undefined = operated ? 'it was not read yet' : undefined
  return {
    current() {
      const own = policyOf(config, now())
      return operated ? { ...limitedBy(own, operator), confirmedAt } : own
    },
    confirm(read) {
      // A ConfigMap that vanished is a broken edit: the last limits stay, and time runs out.
      const understood = read === undefined ? unknown('the ConfigMap is gone') : isUnknown(read) ? read : readOperatorPolicy(read)
      trouble = isUnknown(understood) ? understood.unknown : undefined
      if (isUnknown(understood)) return
      operator = understood
      confirmedAt = now()
    },
    get trouble() {
      return trouble
    },
  }
}
