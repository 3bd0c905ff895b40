// Reads what the gates judge by, everything at once and only what this plan's gates can ask for. What cannot be read is unknown, with the reason.
import * as z from 'zod'
import type { Approval } from '../../domain/approval.ts'
import type { CaseId, Planned } from '../../domain/case-file.ts'
import { isFault } from '../../domain/fault.ts'
import type { Attempt, Attempts } from '../../domain/history.ts'
import { formatSelector, type LabelSelector } from '../../domain/label-selector.ts'
import { valueAt } from '../../domain/managed-fields.ts'
import type { Plan, Right } from '../../domain/plan.ts'
import { planHash } from '../../domain/plan-hash.ts'
import type { Policy } from '../../domain/policy.ts'
import type { Clock } from '../../domain/ports.ts'
import { type ObjectRef, ownerKey } from '../../domain/target.ts'
import { isUnknown, type Unknown, unknown } from '../../domain/unknown.ts'
import type { Access } from '../../kube/access.ts'
import type { Ledger } from '../../kube/ledger.ts'
import type { AnyObject, Kinds, Reader } from '../../kube/wire.ts'
import { mergeAttempts } from './attempts.ts'
import { type AlertState, mustBeRead, objectsOf, type PastAttempts, type Seen, type Self, stepsOf } from './seen.ts'
import { stepRights } from './step-rights.ts'

export interface LookDeps {
  /** Live: managed fields are not in what the watches hold. */
  readonly read: Reader
  readonly access: Access
  readonly ledger: Pick<Ledger, 'entries'>
  readonly attempts: Attempts
  readonly policy: () => Policy
  /** Of the case's alerts: firing while one of them fires and is not suppressed. Without Alertmanager, judged from our own episodes. */
  readonly firing: (file: Planned) => Promise<AlertState | Unknown>
  readonly self: Self
  readonly approvals: (caseId: CaseId, planHash: string) => Approval | undefined
  /** Rights that the action declares for its steps, their undo and its check. */
  readonly needs: (action: string) => readonly Right[]
  readonly clock: Clock
  /** The API server's clock; undefined while it has told none. */
  readonly serverTime?: () => number | undefined
}

export const look =
  (deps: LookDeps) =>
  async (file: Planned): Promise<Seen> => {
    const { plan } = file
    const { read } = deps
    const policy = deps.policy()
    const objects = readObjects(read, objectsOf(file))
    const [seenObjects, pods, alert, autoscalers, verticalAutoscalers, budgets, limitRanges, quotas, missingRights, past] = await Promise.all([
      objects,
      when(stopsPods(plan) || changesResources(plan), () => podsOf(read, file, objects)),
      attempt(() => deps.firing(file)),
      when(changesReplicas(plan), () => read.list('HorizontalPodAutoscaler')),
      when(changesResources(plan), () => verticalsOf(read, plan.object.name)),
      when(stopsPods(plan), () => read.list('PodDisruptionBudget')),
      when(plan.blast.memoryBytes !== undefined, () => read.list('LimitRange')),
      when(grows(plan), () => read.list('ResourceQuota')),
      attempt(() => deps.access.missing([...deps.needs(plan.action), ...stepRights(plan.steps), ...undoRights(plan)])),
      attempt(() => readPast(deps, file, policy)),
    ])
    const serverTime = deps.serverTime?.()
    return {
      policy,
      ...(serverTime !== undefined && { clockOffMs: deps.clock.now() - serverTime }),
      namespace: read.namespace,
      self: deps.self,
      objects: seenObjects,
      pods,
      alert,
      autoscalers,
      verticalAutoscalers,
      budgets,
      limitRanges,
      quotas,
      missingRights,
      past,
      approval: deps.approvals(file.id, planHash(plan)),
    }
  }

const stopsPods = (plan: Plan): boolean => plan.blast.podsLost > 0 || stepsOf(plan.steps, 'delete', 'evict').some(({ object }) => object.kind === 'Pod')
const paths = (plan: Plan): readonly string[] => stepsOf(plan.steps, 'patch').flatMap(({ ops }) => ops.flatMap((op) => (op.op === 'test' ? [] : [op.path])))
const changesReplicas = (plan: Plan): boolean => paths(plan).some((path) => path === '/spec' || path === '/spec/replicas')
/** A replaced template may carry other resources, so everything at or below it counts. */
const changesResources = (plan: Plan): boolean =>
  paths(plan).some((path) => path === '/spec' || path === '/spec/template' || /^\/spec\/template\/spec(?:$|\/(?:initC|c)ontainers)/.test(path))
const grows = ({ blast }: Plan): boolean => blast.moreMemoryBytes > 0 || blast.moreCpuCores > 0 || (blast.replicas !== undefined && blast.replicas.to > blast.replicas.from)
const undoRights = ({ undo }: Plan): readonly Right[] => ('impossible' in undo ? [] : stepRights(undo))

/** An edge that fails is a part that is not known; anything else that throws is a defect and stays one. */
async function attempt<T>(reading: () => Promise<T>): Promise<T | Unknown> {
  try {
    return await reading()
  } catch (error) {
    if (isFault(error)) return unknown(error.message)
    throw error
  }
}
/** A gate that asks all the same must not take silence for an empty list. */
const when = async <T>(needed: boolean, reading: () => Promise<T>): Promise<T | Unknown> => (needed ? attempt(reading) : unknown('not read: this plan needs no look at it'))

async function readObjects(read: Reader, refs: readonly ObjectRef[]): Promise<ReadonlyMap<string, AnyObject | Unknown>> {
  return new Map(await Promise.all(refs.map(async (ref) => [ownerKey(ref), await attempt(() => readObject(read, ref))] as const)))
}

async function readObject(read: Reader, ref: ObjectRef): Promise<AnyObject | Unknown> {
  if (ref.namespace !== read.namespace) return unknown(`${ref.kind} ${ref.name} lies outside namespace ${read.namespace}`)
  const found = await read.object(ref)
  if (!found) return unknown(`${ref.kind} ${ref.name} is gone`)
  return found.metadata?.uid === ref.uid ? found : unknown(`${ref.kind} ${ref.name} is another one than was judged`)
}

/** VPA has no reference from its target: by its own examples it carries the target's name, alone or with `-vpa`. */
async function verticalsOf(read: Reader, name: string): Promise<readonly AnyObject[]> {
  const byName = (vpa: string) => read.object({ apiVersion: 'autoscaling.k8s.io/v1', kind: 'VerticalPodAutoscaler', name: vpa })
  const found = await Promise.all([byName(name), byName(`${name}-vpa`)])
  return found.filter((vpa) => vpa !== undefined && valueAt(vpa, '/spec/targetRef/name') === name).filter((vpa) => vpa !== undefined)
}

/** Services and claims have a `spec.selector` too, of another shape or for something else. */
const SELECTS_PODS = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job'])
const SELECTOR: z.ZodType<LabelSelector> = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).exactOptional(),
  matchExpressions: z.array(z.strictObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).exactOptional() })).exactOptional(),
})

/** By the selector of the highest object of the chain that has one; a pod that nobody owns is its own and only pod. */
async function podsOf(read: Reader, { target, plan }: Planned, reading: Promise<ReadonlyMap<string, AnyObject | Unknown>>): Promise<readonly Kinds['Pod'][] | Unknown> {
  const objects = await reading
  const fromTop = [target.owner, plan.object, ...target.chain.toReversed()]
  for (const ref of fromTop) {
    const object = objects.get(ownerKey(ref)) ?? unknown(`${ref.kind} ${ref.name} was not read`)
    if (isUnknown(object) && mustBeRead({ target, plan }, ref)) return object
    const selector = SELECTOR.safeParse(SELECTS_PODS.has(ref.kind) ? valueAt(object, '/spec/selector') : undefined)
    if (selector.success) return read.list('Pod', { labels: formatSelector(selector.data) })
  }
  const alone = fromTop.find(({ kind }) => kind === 'Pod')
  const pod = alone && (await read.get('Pod', alone.name))
  return pod ? [pod] : unknown(`which pods belong to ${target.owner.kind} ${target.owner.name} cannot be told`)
}

/** Longer ago than this a vain attempt says little: the workload is another one by now. */
const REMEMBERED_MS = 7 * 86_400_000

async function readPast({ attempts, ledger, clock }: LookDeps, { target, decision }: Planned, policy: Policy): Promise<PastAttempts> {
  const now = clock.now()
  const owner = ownerKey(target.owner)
  const since = now - policy.budget.windowMs
  const far = now - Math.max(REMEMBERED_MS, policy.budget.windowMs, policy.oscillation.windowMs, policy.cooldownMs)
  const entries = await ledger.entries()
  const merged = (local: readonly Attempt[], from: number, fits: (attempt: Attempt) => boolean) => mergeAttempts(local, entries, (each) => each.at >= from && fits(each))
  return {
    owner: merged(attempts.forOwner(owner, far), far, (each) => each.owner === owner),
    rule: decision.rule === undefined ? [] : merged(attempts.forRule(decision.rule, since), since, (each) => each.rule === decision.rule),
    namespace: merged(attempts.inNamespace(since), since, () => true),
  }
}
