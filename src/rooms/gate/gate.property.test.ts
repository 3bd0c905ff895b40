// Over random plans and worlds: whatever passes all gates keeps every invariant. The oracles share no code with the gates.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deployment, NAMESPACE, NOW, objects, PLAN, plannedCase, pod, ref, seen, tried, WEB, WEB_1 } from '../../../test/gate-case.ts'
import type { Planned } from '../../domain/case-file.ts'
import type { Attempt } from '../../domain/history.ts'
import type { Plan, Step } from '../../domain/plan.ts'
import type { Kinds } from '../../kube/wire.ts'
import { gate } from './gate.ts'
import type { Seen } from './seen.ts'

const MINUTE = 60_000
const often = <T>(usual: T, ...rare: readonly T[]) => fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(usual, ...rare) })

const pods = fc
  .array(fc.record({ ready: fc.boolean(), diedMsAgo: fc.option(fc.constantFrom(MINUTE, 30 * MINUTE), { nil: undefined }) }), { minLength: 1, maxLength: 5 })
  .map((all) => all.map(({ ready, diedMsAgo }, place) => pod(`web-${place + 1}`, { ready, ...(diedMsAgo !== undefined && { diedMsAgo }) })))

const namespace = often(NAMESPACE, 'team-b')
const steps: fc.Arbitrary<Pick<Plan, 'steps' | 'blast' | 'safety'>> = fc.oneof(
  fc.record({ place: fc.integer({ min: 1, max: 5 }), kind: fc.constantFrom('delete' as const, 'evict' as const), namespace }).map(({ place, kind, namespace: where }) => ({
    steps: [{ kind, object: { ...ref('Pod', `web-${place}`), namespace: where }, why: '' } satisfies Step],
    blast: { podsLost: 1, replicas: undefined, memoryBytes: undefined, moreMemoryBytes: 0, moreCpuCores: 0 },
    safety: 'disruptive' as const,
  })),
  fc.record({ from: fc.integer({ min: 1, max: 12 }), to: fc.integer({ min: 0, max: 14 }), namespace }).map(({ from, to, namespace: where }) => ({
    steps: [{ kind: 'patch', object: { ...WEB, namespace: where }, subresource: 'scale', ops: [{ op: 'replace', path: '/spec/replicas', value: to }], why: '' } satisfies Step],
    blast: { podsLost: Math.max(0, from - to), replicas: { from, to }, memoryBytes: undefined, moreMemoryBytes: 0, moreCpuCores: 0 },
    safety: 'reversible' as const,
  })),
  fc.record({ mebi: fc.integer({ min: 1, max: 1_500 }), more: fc.integer({ min: 0, max: 900 }), lost: fc.integer({ min: 0, max: 2 }) }).map(({ mebi, more, lost }) => ({
    steps: [{ kind: 'patch', object: WEB, ops: [{ op: 'replace', path: '/spec/template/spec/containers/0/resources/limits/memory', value: `${mebi}Mi` }], why: '' } satisfies Step],
    blast: { podsLost: lost, replicas: undefined, memoryBytes: { from: 2 ** 28, to: mebi * 2 ** 20 }, moreMemoryBytes: more * 2 ** 20, moreCpuCores: 0 },
    safety: 'reversible' as const,
  })),
)

const attempts: fc.Arbitrary<readonly Attempt[]> = fc
  .array(
    fc.record({
      minutes: fc.integer({ min: 0, max: 200 }),
      action: fc.constantFrom(PLAN.action, 'other'),
      alert: fc.constantFrom('KubePodCrashLooping', 'Other'),
      outcome: fc.constantFrom('fixed' as const, 'unproven' as const, 'undone' as const, 'failed' as const, undefined),
    }),
    { maxLength: 6 },
  )
  .map((all) => all.map(({ minutes, ...rest }, place) => tried(minutes, { ...rest, caseId: `case-${place}` })))

interface World {
  readonly file: Planned
  readonly world: Seen
  readonly pods: readonly Kinds['Pod'][]
  readonly allowed: number | undefined
  readonly attempts: readonly Attempt[]
  readonly protection: boolean
  readonly quotaLeft: number
}
const worlds: fc.Arbitrary<World> = fc
  .record({
    change: steps,
    pods,
    allowed: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    attempts,
    protection: often(false, true),
    quotaLeft: fc.integer({ min: 0, max: 1_000 }),
    mode: often('enforce' as const, 'observe' as const, 'approve' as const),
    alert: often('firing' as const, 'resolved' as const, 'suppressed' as const),
    evidence: often<readonly string[]>(['pod'], []),
    desired: fc.integer({ min: 1, max: 5 }),
    blind: often(false, true),
  })
  .map(({ change, pods: all, allowed, attempts: tries, protection, quotaLeft, mode, alert, evidence, desired, blind }) => {
    const base = plannedCase()
    const file = plannedCase({ ...change, before: { ...PLAN.before, desired } }, { decision: { ...base.decision, evidence } })
    const web = deployment(protection ? { labels: { 'alerts-slm.io/protected': 'true' } } : {})
    const near = objects(
      web,
      { kind: 'Pod', metadata: { name: 'web-1', uid: WEB_1.uid } },
      ...all.map(({ metadata }) => ({ kind: 'Pod', metadata: { name: metadata?.name ?? '', uid: metadata?.uid ?? '' } })),
    )
    const world = seen({
      policy: {
        mode,
        approveAbove: 'disruptive',
        limits: { maxReplicas: 10, maxMemoryBytes: 2 ** 30, maxPodShare: 0.5 },
        budget: { perTarget: 3, perRule: 4, perNamespace: 5, windowMs: 60 * MINUTE },
      },
      alert,
      // Objects of another namespace could be read, too: only the gate for it stands in the way.
      objects: new Map([...near, ...[...near].map(([key, object]) => [key.replace(NAMESPACE, 'team-b'), object] as const)]),
      pods: blind ? { unknown: 'x' } : all,
      budgets:
        allowed === undefined
          ? []
          : [
              {
                metadata: { name: 'b' },
                spec: { selector: { matchLabels: { app: 'web' } } },
                status: { disruptionsAllowed: allowed, currentHealthy: 0, desiredHealthy: 1, expectedPods: 5 },
              },
            ],
      quotas: [{ metadata: { name: 'q' }, status: { hard: { 'requests.memory': '2Gi' }, used: { 'requests.memory': `${2048 - quotaLeft}Mi` } } }],
      past: { owner: tries, rule: tries, namespace: tries },
    })
    return { file, world, pods: all, allowed, attempts: tries, protection, quotaLeft }
  })

const passes = ({ file, world }: World): boolean => gate(file, world, NOW).every(({ says }) => says === 'pass' || says === 'not-asked')
let passed = 0

function everyPass(keeps: (world: World) => void): void {
  fc.assert(
    fc.property(worlds, (world) => {
      if (!passes(world)) return
      passed++
      keeps(world)
    }),
    { numRuns: 3_000, interruptAfterTimeLimit: 8_000 },
  )
}

const isReady = (one: Kinds['Pod']) => one.status?.conditions?.[0]?.status === 'True'
/** Ready, and no container died within ten minutes. */
const isHealthy = (one: Kinds['Pod']) =>
  isReady(one) && !one.status?.containerStatuses?.some(({ lastState }) => Date.parse(lastState?.terminated?.finishedAt ?? '') > NOW - 10 * MINUTE)
const stoppedByName = ({ file, pods: all }: World) =>
  file.plan.steps.flatMap((step) => (step.kind === 'delete' || step.kind === 'evict' ? all.filter(({ metadata }) => metadata?.name === step.object.name) : []))

/** Worst case: a controller leaves (desired - podsLost) of the pods, and unready ones go first. */
function worst(world: World, counts: (one: Kinds['Pod']) => boolean): number {
  const { plan } = world.file
  const named = stoppedByName(world)
  if (named.length > 0) return named.filter(counts).length
  if (plan.blast.podsLost === 0) return 0
  return Math.max(0, world.pods.filter(counts).length - Math.max(0, plan.before.desired - plan.blast.podsLost))
}

describe('whatever passes', () => {
  it('stays within the disruption budget', () => {
    everyPass((world) => world.allowed !== undefined && expect(worst(world, isReady)).toBeLessThanOrEqual(world.allowed))
  })

  it('leaves a healthy pod where there was one', () => {
    everyPass((world) => {
      const before = world.pods.filter(isHealthy).length
      const gone = worst(world, isHealthy)
      if (gone > 0) expect(before - gone).toBeGreaterThanOrEqual(1)
    })
  })

  it('stays within the limits of policy and quota', () => {
    everyPass(({ file: { plan }, quotaLeft }) => {
      expect(plan.blast.replicas?.to ?? 0).toBeLessThanOrEqual(10)
      expect(plan.blast.memoryBytes?.to ?? 0).toBeLessThanOrEqual(1_073_741_824)
      expect(plan.blast.moreMemoryBytes).toBeLessThanOrEqual(quotaLeft * 1_048_576)
    })
  })

  it('stays in its namespace and away from protected objects', () => {
    everyPass(({ file: { plan }, protection }) => {
      expect(JSON.stringify([plan.steps, plan.undo])).not.toContain('team-b')
      expect(protection).toBe(false)
    })
  })

  it('is no second try within the cooldown, no fourth in vain, and within the budget', () => {
    everyPass(({ file, attempts: tries }) => {
      const mine = tries.filter(({ action, alert }) => action === file.plan.action && alert === 'KubePodCrashLooping')
      expect(mine.filter(({ at }) => NOW - at < 5 * MINUTE)).toEqual([])
      expect(tries.filter(({ at }) => NOW - at < 60 * MINUTE).length).toBeLessThan(3)
      const judged = mine.filter(({ outcome }) => outcome !== undefined).toSorted((a, b) => b.at - a.at)
      const lastThree = judged.slice(0, 3).map(({ outcome }) => outcome)
      expect(lastThree.length === 3 && !lastThree.includes('fixed')).toBe(false)
    })
  })

  it('happens in enforce mode, while the alert fires, on evidence', () => {
    everyPass(({ file, world }) => {
      expect(world.policy.mode).toBe('enforce')
      expect(world.alert).toBe('firing')
      expect(file.decision.evidence).not.toEqual([])
    })
  })

  it('happens often enough for these sentences to mean something', () => {
    expect(passed).toBeGreaterThan(500)
  })
})
