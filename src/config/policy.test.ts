import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOW, plannedCase, seen } from '../../test/gate-case.ts'
import { MODES } from '../domain/policy.ts'
import { isUnknown } from '../domain/unknown.ts'
import { killSwitch } from '../rooms/gate/kill-switch.ts'
import { loadConfig } from './load.ts'
import { limitedBy, makePolicySource, policyOf, readOperatorPolicy } from './policy.ts'

const configured = (actions: object = {}, policy: object = {}) => loadConfig({ environment: {}, defaults: { actions, policy } })
const OPERATED = { config_map: { namespace: 'ops' } }

describe('the policy of a configuration', () => {
  it('is observe by default and the configured mode otherwise, unless it is a dry run', async () => {
    expect(policyOf(await configured(), NOW).mode).toBe('observe')
    expect(policyOf(await configured({ mode: 'enforce' }), NOW).mode).toBe('enforce')
    expect(policyOf(await configured({ mode: 'enforce', dry_run: true }), NOW).mode).toBe('observe')
    expect(policyOf(await loadConfig({ environment: { DRY_RUN: 'true' }, defaults: { actions: { mode: 'enforce' } } }), NOW).mode).toBe('observe')
  })

  it('carries numbers in the units of the policy', async () => {
    const policy = policyOf(await configured({ cooldown_period: '90s', limits: { max_memory: '1Gi' }, budget: { window: '2h' } }), NOW)
    expect(policy).toMatchObject({ cooldownMs: 90_000, limits: { maxMemoryBytes: 2 ** 30 }, budget: { windowMs: 7_200_000 }, confirmedAt: NOW })
  })
})

describe("the operator's ConfigMap", () => {
  const limits = (data: Record<string, string>) => {
    const read = readOperatorPolicy(data)
    if (isUnknown(read)) throw new Error(read.unknown)
    return read
  }

  it('lowers', async () => {
    const own = policyOf(await configured({ mode: 'enforce', allowed: ['restart_pod', 'scale_deployment'] }), NOW)
    const limited = limitedBy(
      own,
      limits({ mode: 'approve', kill_switch: 'true', allowed_actions: 'restart_pod, rollout_restart', max_memory: '1Gi', protected_names: 'db-*', cooldown_period: '10m' }),
    )
    expect(limited).toMatchObject({
      mode: 'approve',
      killSwitch: true,
      allowedActions: ['restart_pod'],
      limits: { maxMemoryBytes: 2 ** 30 },
      protected: { names: ['db-*'] },
      cooldownMs: 600_000,
    })
  })

  it('never raises anything', async () => {
    const own = policyOf(await configured({ mode: 'approve', approve_above: 'reversible', kill_switch: true }), NOW)
    const data = fc.record({
      mode: fc.constantFrom(...MODES),
      max_replicas: fc.nat(100).map(String),
      max_pod_share: fc.constantFrom('0', '0.4', '1'),
      budget_per_target: fc.nat(99).map(String),
      min_confidence: fc.constantFrom('0', '1'),
      approve_above: fc.constantFrom('harmless', 'destructive'),
      kill_switch: fc.constantFrom('true', 'false'),
      cooldown_period: fc.constantFrom('0s', '1h'),
    })
    fc.assert(
      fc.property(data, (written) => {
        const limited = limitedBy(own, limits(written))
        expect(MODES.indexOf(limited.mode)).toBeLessThanOrEqual(MODES.indexOf(own.mode))
        expect(limited.limits.maxReplicas).toBeLessThanOrEqual(own.limits.maxReplicas)
        expect(limited.limits.maxPodShare).toBeLessThanOrEqual(own.limits.maxPodShare)
        expect(limited.budget.perTarget).toBeLessThanOrEqual(own.budget.perTarget)
        expect(limited.minConfidence).toBeGreaterThanOrEqual(own.minConfidence)
        expect(limited.cooldownMs).toBeGreaterThanOrEqual(own.cooldownMs)
        expect(['harmless', 'reversible']).toContain(limited.approveAbove)
        expect(limited.killSwitch).toBe(true)
      }),
    )
  })

  it.each([[{ mode: 'yolo' }], [{ max_replicas: 'many' }], [{ max_replica: '3' }], [{ max_memory: '' }], [{ max_pod_share: '2' }]])('that says %j is not understood', (data) => {
    expect(readOperatorPolicy({ ...data })).toMatchObject({ unknown: expect.stringContaining('cannot be understood') })
  })
})

describe('the source of the policy', () => {
  it('without an operator is confirmed at every look', async () => {
    let now = NOW
    const source = makePolicySource(await configured({ mode: 'enforce' }), () => now)
    now += 3_600_000
    expect(source.current()).toMatchObject({ mode: 'enforce', confirmedAt: now })
    expect(source.trouble).toBeUndefined()
  })

  it('with an operator holds every write until the ConfigMap was read, and again when it cannot be read for 30 s', async () => {
    let now = NOW
    const source = makePolicySource(await configured({ mode: 'enforce' }, OPERATED), () => now)
    const holds = () => killSwitch.judge(plannedCase(), seen({ policy: source.current() }), now).says
    expect(holds()).toBe('hold')
    source.confirm({ mode: 'approve' })
    expect(holds()).toBe('pass')
    expect(source.current().mode).toBe('approve')
    now += 30_000
    source.confirm({ unknown: 'the API server is away' })
    expect(holds()).toBe('pass')
    now += 1
    expect(holds()).toBe('hold')
    expect(source.trouble).toContain('away')
  })

  it('keeps the last limits while the ConfigMap is gone or broken', async () => {
    const source = makePolicySource(await configured({ mode: 'enforce' }, OPERATED), () => NOW)
    source.confirm({ kill_switch: 'true' })
    source.confirm(undefined)
    expect(source.current().killSwitch).toBe(true)
    source.confirm({ kill_switch: 'no' })
    expect(source.current().killSwitch).toBe(true)
    expect(source.trouble).toContain('cannot be understood')
    source.confirm({})
    expect(source.current().killSwitch).toBe(false)
  })
})
