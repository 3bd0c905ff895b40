// What people decide: modes, approvals and rejections. Each passes the same gates as everything else.
import { describe, expect, it } from 'vitest'
import type { StoredCase } from '../../src/rooms/record/rows.ts'
import { NAMESPACE } from '../acting.ts'
import { promise } from '../promises.ts'
import { alertOf, badDeploy, crashes, crashLooping, deployment, imageOf, redeploy, untilFailing, untilWell } from './scenes.ts'
import { type Stage, stage, type Wishes } from './stage.ts'

const ASKS: Wishes = { config: { actions: { mode: 'approve' } } }
/** As the page and the notification show it. */
const planShown = ({ because }: StoredCase): string => /approve plan ([0-9a-f]+)/.exec(because ?? '')?.[1] ?? ''
async function ordered(on: Stage, one: StoredCase, kind: 'approve' | 'reject', planHash: string): Promise<string | undefined> {
  const order = on.app.history.order({ caseId: one.id, kind, by: 'ann', planHash })
  await on.ports.until(() => on.app.history.orderAnswer(order) !== undefined)
  return on.app.history.orderAnswer(order)
}
async function asked(wishes: Wishes = {}): Promise<{ readonly on: Stage; readonly open: StoredCase }> {
  const on = await badDeploy({ ...ASKS, ...wishes })
  await on.push(crashLooping(on, 'web'))
  return { on, open: await on.waiting('approval') }
}

describe('observe mode', () => {
  it(promise('observe-writes-nothing'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'observe' } } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({
      outcome: 'observed',
      reason: 'OBSERVE_MODE',
      action: 'rollback_deployment',
      because: expect.stringContaining('roll Deployment team-a/web back'),
    })
    await on.ports.advance(60_000)
    expect(on.writeVerbs()).toEqual([])
    expect(on.practice.requests.filter(({ dryRun }) => dryRun)).toEqual([])
  })

  it(promise('observe-writes-nothing', 'DRY_RUN caps what the configuration says'), async () => {
    const on = await badDeploy({ environment: { DRY_RUN: 'true' } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({ outcome: 'observed' })
    expect(on.writeVerbs()).toEqual([])
  })

  it(promise('observe-writes-nothing', 'no Event of what people are told, either'), async () => {
    const on = await stage({ manifests: [deployment('billing', 9), crashes('billing', 9)], config: { actions: { mode: 'observe' } } })
    await untilFailing(on, 'billing')
    await on.push(crashLooping(on, 'billing'))
    expect(await on.ending()).toMatchObject({ outcome: 'told' })
    await on.ports.advance(60_000)
    expect(on.writeVerbs()).toEqual([])
  })

  it(promise('workload-lowers-mode'), async () => {
    const on = await badDeploy()
    const found = on.practice.store.get('Deployment', 'team-a', 'web')
    if (found) on.practice.store.update({ ...found, metadata: { ...found.metadata, labels: { 'alerts-slm.io/mode': 'observe' } } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({ outcome: 'observed', reason: 'OBSERVE_MODE' })
    expect(on.written()).toEqual([])
  })
})

describe('approve mode', () => {
  it('asks, and does what was approved', async () => {
    const { on, open } = await asked()
    expect(on.written()).toEqual([])
    expect(planShown(open)).toMatch(/^[0-9a-f]{16}$/)
    expect(await ordered(on, open, 'approve', planShown(open))).toMatch(/^approved/)
    await untilWell(on, 'web', 1)
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it('does what was approved, although the rules would say something else by now', async () => {
    const { on, open } = await asked()
    on.practice.store.remove('Behaviour', NAMESPACE, 'web-2-crashes')
    await on.ports.advance(5_000)
    await ordered(on, open, 'approve', planShown(open))
    await untilWell(on, 'web', 1)
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it(promise('approval-is-for-one-plan'), async () => {
    const on = await badDeploy({ config: { ...ASKS.config, tell: { chat: { url: 'http://chat.test/hook' } } }, manifests: [crashes('web', 3)] })
    await on.push(alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web' }))
    const open = await on.waiting('approval')
    redeploy(on, 'web', 3)
    await on.ports.advance(2_000)
    await ordered(on, open, 'approve', planShown(open))
    await on.ports.until(() => planShown(on.cases()[0] ?? open) !== planShown(open))
    expect(on.written()).toEqual([])
    const again = await on.waiting('approval')
    // People were asked twice, for each plan once.
    await on.ports.advance(1_000)
    expect(on.chat.map((text) => /approve plan ([0-9a-f]+)/.exec(text)?.[1])).toEqual([planShown(open), planShown(again)])
    await ordered(on, again, 'approve', planShown(again))
    await on.ports.until(() => on.written().length > 0)
    expect(imageOf(on, 'web')).toBe('shop/web:2')
  })

  it(promise('approval-is-for-one-plan', 'of another case or another plan it counts for nothing'), async () => {
    const { on, open } = await asked()
    expect(await ordered(on, open, 'approve', '0123456789abcdef')).toMatch(/the plan changed since/)
    await on.ports.advance(10_000)
    expect(on.written()).toEqual([])
  })

  it(promise('approved-passes-gates-again'), async () => {
    const { on, open } = await asked()
    const found = on.practice.store.get('Deployment', 'team-a', 'web')
    if (found) on.practice.store.update({ ...found, metadata: { ...found.metadata, labels: { 'alerts-slm.io/protected': 'true' } } })
    await ordered(on, open, 'approve', planShown(open))
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'PROTECTED' })
    expect(on.written()).toEqual([])
  })

  it(promise('no-is-no'), async () => {
    const { on, open } = await asked()
    await ordered(on, open, 'reject', planShown(open))
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'REJECTED_BY_PERSON', because: 'rejected by ann' })
    expect(await ordered(on, open, 'approve', planShown(open))).toMatch(/does not wait/)
    await on.ports.advance(30_000)
    expect(on.written()).toEqual([])
  })

  it(promise('held-too-long-is-told'), async () => {
    const { on } = await asked({ config: { actions: { mode: 'approve' }, settle: { hold: '2m' } } })
    expect(await on.ending(180_000)).toMatchObject({ outcome: 'refused', reason: 'HELD_TOO_LONG' })
    expect(on.written()).toEqual([])
  })

  it(promise('repeats-are-counted', 'while people are asked'), async () => {
    const { on, open } = await asked()
    const [alert] = open.page.alerts
    for (let times = 0; times < 3; times++) {
      await on.push({ labels: alert.labels })
      await on.ports.advance(1_000)
    }
    expect(on.cases()).toHaveLength(1)
    await untilFailing(on, 'web')
  })
})
