// What cases share: targets, lanes, slots and budgets.
import { describe, expect, it } from 'vitest'
import { promise } from '../promises.ts'
import { alertOf, badDeploy, badDeploys, crashes, crashLooping, imageOf, redeploy, rulesFolder, untilFailing, untilWell } from './scenes.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e']
const since = 'all: [{ fact: rollout, path: $.newRevisionReady, operator: equal, value: 0 }]'
const ruleFor = (alert: string, action: string): string =>
  `alerts: [${alert}]\nrules:\n  - id: ${alert.toLowerCase()}\n    when: { ${since} }\n    then: { action: ${action}, confidence: 0.9 }\n    because: a test says so\n`

describe('one target', () => {
  it(promise('nothing-twice', 'however often its alert is delivered'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await Promise.all([on.push(alert), on.push(alert), on.push(alert)])
    for (let times = 0; times < 20; times++) {
      await on.push(alert)
      await on.ports.advance(300)
    }
    await on.resolve(alert)
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it(promise('alerts-of-one-target-join'), async () => {
    const on = await badDeploy()
    const alerts = [crashLooping(on, 'web'), alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web' }), alertOf('KubeDeploymentRolloutStuck', { deployment: 'web' })]
    await on.push(...alerts)
    await untilWell(on, 'web', 1)
    await on.resolve(...alerts)
    const ended = await on.ending()
    expect(ended).toMatchObject({ outcome: 'fixed', action: 'rollback_deployment' })
    expect(ended.page.alerts).toHaveLength(3)
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it(promise('alerts-of-one-target-join', 'also one that comes while people are asked'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    await on.push(crashLooping(on, 'web'))
    await on.waiting('approval')
    await on.push(alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web' }))
    await on.ports.advance(2_000)
    const [only, ...others] = on.cases()
    expect(others).toEqual([])
    expect(only?.page.alerts.map(({ labels }) => labels['alertname'])).toEqual(['KubePodCrashLooping', 'KubeDeploymentReplicasMismatch'])
    expect(only).toMatchObject({ waitingFor: 'approval', action: 'rollback_deployment' })
  })

  it(promise('alerts-of-one-target-join', 'also one that comes while the plan is at the gates'), async () => {
    const folder = rulesFolder('two.yaml', ruleFor('StartAnew', 'rollout_restart'))
    const on = await badDeploy({ config: { rules: { tenant_dir: folder } } })
    on.practice.faults.add({ match: { method: 'PATCH', path: /\/deployments\/web$/ }, times: 1, then: { kind: 'delay', ms: 500 } })
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun), 5_000, 10)
    // It wants something else: had it been overlooked, the rollback would be written.
    await on.push(alertOf('StartAnew', { deployment: 'web' }))
    expect(await on.ending()).toMatchObject({ outcome: 'told', reason: 'AMBIGUOUS_CONFLICT' })
    expect(on.written()).toEqual([])
  })

  it(promise('resolved-cancels', 'also one that ends while the plan is at the gates'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    const alert = crashLooping(on, 'web')
    on.practice.faults.add({ match: { method: 'PATCH', path: /\/deployments\/web$/ }, times: 1, then: { kind: 'delay', ms: 500 } })
    await on.push(alert)
    await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun), 5_000, 10)
    await on.resolve(alert)
    expect(await on.ending(5_000)).toMatchObject({ outcome: 'cancelled', reason: 'RESOLVED_BEFORE_ACTION' })
    expect(on.written()).toEqual([])
  })

  it(promise('resolved-cancels', 'not before every alert of the case has ended'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    const alerts = Array.from({ length: 150 }, (_, place) => alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web', shard: String(place) }))
    await on.push(...alerts)
    await on.waiting('approval')
    await on.resolve(...alerts.slice(0, 149))
    await on.ports.advance(30_000)
    expect(on.cases()).toMatchObject([{ closedAt: undefined, waitingFor: 'approval' }])
    await on.resolve(...alerts.slice(149))
    expect(await on.ending(5_000)).toMatchObject({ outcome: 'cancelled' })
  })

  it(promise('accepted-is-taken-up', 'what had joined a case is still of it after a kill'), async () => {
    const folder = rulesFolder('two.yaml', ruleFor('StartAnew', 'rollout_restart'))
    const on = await badDeploy({ config: { rules: { tenant_dir: folder } } })
    on.practice.faults.add({ match: { method: 'PATCH', path: /\/deployments\/web$/ }, times: 1, then: { kind: 'delay', ms: 500 } })
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun), 5_000, 10)
    await on.push(alertOf('StartAnew', { deployment: 'web' }))
    await on.ports.until(() => on.cases().length === 1, 5_000, 5)
    on.kill()
    await on.start()
    expect(await on.ending()).toMatchObject({ outcome: 'told', reason: 'AMBIGUOUS_CONFLICT' })
    expect(on.written()).toEqual([])
  })

  it(promise('conflict-is-ambiguous'), async () => {
    const folder = rulesFolder('one.yaml', ruleFor('GoBack', 'rollback_deployment'))
    const { writeFileSync } = await import('node:fs')
    writeFileSync(`${folder}/two.yaml`, ruleFor('StartAnew', 'rollout_restart'))
    const on = await badDeploy({ config: { rules: { tenant_dir: folder } } })
    await on.push(alertOf('GoBack', { deployment: 'web' }), alertOf('StartAnew', { deployment: 'web' }))
    expect(await on.ending()).toMatchObject({ outcome: 'told', reason: 'AMBIGUOUS_CONFLICT' })
    expect(on.written()).toEqual([])
  })

  it(promise('later-alerts-wait'), async () => {
    const on = await badDeploy()
    const first = crashLooping(on, 'web')
    await on.push(first)
    await on.ports.until(() => on.written().length === 1)
    const later = alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web' })
    await on.push(later)
    expect(await on.waiting('lane')).toMatchObject({ alert: 'KubeDeploymentReplicasMismatch' })
    await untilWell(on, 'web', 1)
    await on.resolve(first)
    // Judged afresh on a Deployment that is well by now: there is nothing to go back to.
    const closed = await on.closed(2)
    expect(closed.map(({ alert, outcome }) => `${alert} ${outcome}`)).toEqual([
      'KubePodCrashLooping fixed',
      expect.stringMatching(/^KubeDeploymentReplicasMismatch (?:told|refused)$/),
    ])
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it(promise('accepted-is-taken-up', 'nothing joins a case whose object was looked for again and is gone'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } }, manifests: [crashes('web', 3)] })
    await on.push(crashLooping(on, 'web'))
    await on.waiting('approval')
    redeploy(on, 'web', 3)
    await on.ports.advance(3_000)
    // The pod of the first alert is gone: looked at afresh, its case ends, and the Deployment is free.
    await on.push(alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web' }))
    await on.ports.until(() => on.cases()[0]?.closedAt !== undefined)
    await on.push(alertOf('KubeDeploymentRolloutStuck', { deployment: 'web' }))
    const asked = await on.waiting('approval')
    expect(asked.page.alerts.map(({ labels }) => labels['alertname'])).toContain('KubeDeploymentRolloutStuck')
  })

  it(promise('one-case-per-target'), async () => {
    const on = await badDeploy({ config: { actions: { cooldown_period: '1s' } } })
    const alerts = ['KubePodCrashLooping', 'KubePodNotReady', 'KubeDeploymentReplicasMismatch', 'KubeDeploymentRolloutStuck', 'KubeContainerWaiting']
    const { pod = '' } = crashLooping(on, 'web').labels
    for (const alertname of alerts) {
      await on.push(alertOf(alertname, { pod, deployment: 'web' }))
      await on.ports.advance(150)
      const acting = on.cases().filter(({ state, page }) => state === 'intended' || (page.at === 'applied' && page.watching === 'object' && state !== 'closed'))
      expect(acting.length).toBeLessThanOrEqual(1)
    }
    await untilWell(on, 'web', 1)
    expect(on.written()).toEqual(['patch deployments/web'])
  })
})

describe('budgets and slots', () => {
  it(promise('budget-holds-together'), async () => {
    const on = await badDeploys(FIVE, { config: { actions: { budget: { per_namespace: 1 } } } })
    await on.push(...FIVE.map((app) => crashLooping(on, app)))
    await on.ports.advance(60_000)
    expect(on.written()).toHaveLength(1)
    expect(on.cases().filter(({ waitingFor }) => waitingFor === 'budget')).toHaveLength(4)
  })

  it(promise('slots-hold'), async () => {
    const on = await badDeploys(FIVE, { config: { actions: { max_concurrent: 2 } } })
    const alerts = FIVE.map((app) => crashLooping(on, app))
    await on.push(...alerts)
    await on.ports.advance(1_000)
    expect(on.written()).toHaveLength(2)
    await on.ports.until(() => on.written().length === 5)
    const began = on.practice.requests
      .filter(({ verb, path, dryRun, status }) => verb === 'patch' && path.includes('/deployments/') && !dryRun && status === 200)
      .map(({ at }) => at)
    // A third begins only after the object of one of two before it has settled (2 s).
    for (const [place, at] of began.entries()) expect(at - (began[place - 2] ?? 0)).toBeGreaterThanOrEqual(2_000)
    for (const app of FIVE) await untilWell(on, app, 1)
    await on.resolve(...alerts)
    expect((await on.closed(5)).map(({ outcome }) => outcome)).toEqual(FIVE.map(() => 'fixed'))
  })

  it(promise('lane-ends-with-object'), async () => {
    const on = await badDeploys(['a', 'b'], { config: { actions: { max_concurrent: 1 } } })
    await on.push(crashLooping(on, 'a'))
    await on.ports.until(() => on.written().length === 1)
    await on.push(crashLooping(on, 'b'))
    await on.waiting('lane')
    // The alert of the first never ends, and still the second is repaired.
    await untilWell(on, 'b', 1)
    expect(on.cases()[0]).toMatchObject({ state: 'applied', closedAt: undefined })
    expect(on.written()).toEqual(['patch deployments/a', 'patch deployments/b'])
  })

  it(promise('held-goes-on', 'when the cooldown is over'), async () => {
    const on = await badDeploy({ manifests: [crashes('web', 3)], config: { actions: { cooldown_period: '1m' } } })
    const first = crashLooping(on, 'web')
    await on.push(first)
    await untilWell(on, 'web', 1)
    await on.resolve(first)
    await on.closed(1)
    redeploy(on, 'web', 3)
    await untilFailing(on, 'web')
    const second = crashLooping(on, 'web')
    await on.push(second)
    await on.waiting('cooldown')
    expect(on.written()).toHaveLength(1)
    await on.ports.until(() => imageOf(on, 'web') === 'shop/web:1', 90_000)
    const [one = 0, two = 0] = on.practice.requests.filter(({ verb, path, dryRun }) => verb === 'patch' && path.endsWith('/deployments/web') && !dryRun).map(({ at }) => at)
    expect(two - one).toBeGreaterThanOrEqual(60_000)
  })

  it(promise('held-goes-on', 'when the budget has room again'), async () => {
    const on = await badDeploys(['a', 'b'], { config: { actions: { budget: { per_namespace: 1, window: '1m' } } } })
    await on.push(crashLooping(on, 'a'), crashLooping(on, 'b'))
    await on.waiting('budget')
    expect(on.written()).toHaveLength(1)
    await on.ports.until(() => on.written().length === 2, 90_000)
  })
})
