// Stopping, killing and starting again: nothing that was accepted is lost, and nothing is done twice.
import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { planHash } from '../../src/domain/plan-hash.ts'
import { NAMESPACE } from '../acting.ts'
import { promise } from '../promises.ts'
import { alertOf, badDeploy, badDeploys, crashes, crashLooping, imageOf, ledgerOf, redeploy, rollbackMakesWorse, untilFailing, untilWell } from './scenes.ts'
import { type Stage, stage } from './stage.ts'

const WEB = /\/deployments\/web$/
const patchesOfWeb = (on: Stage) => on.written().filter((write) => write === 'patch deployments/web')

describe('a stop in good order', () => {
  it(promise('stop-loses-nothing'), async () => {
    const on = await badDeploys(['a', 'b', 'c'], { config: { actions: { max_concurrent: 1 } } })
    const alerts = ['a', 'b', 'c'].map((app) => crashLooping(on, app))
    await on.push(...alerts)
    await on.restart()
    await on.ports.until(() => on.written().length === 3)
    for (const app of ['a', 'b', 'c']) await untilWell(on, app, 1)
    await on.resolve(...alerts)
    expect((await on.closed(3)).map(({ outcome }) => outcome)).toEqual(['fixed', 'fixed', 'fixed'])
    expect([...on.written()].sort()).toEqual(['patch deployments/a', 'patch deployments/b', 'patch deployments/c'])
  })

  it('lets a write that is under way come to its end', async () => {
    const on = await badDeploy()
    on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, times: 2, then: { kind: 'delay', ms: 2_000 } })
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.cases()[0]?.state === 'intended')
    await on.restart()
    await untilWell(on, 'web', 1)
    expect(patchesOfWeb(on)).toHaveLength(1)
  })

  it(promise('held-survives-restart', 'one that people were asked about'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    await on.push(crashLooping(on, 'web'))
    const before = await on.waiting('approval')
    await on.restart()
    const after = await on.waiting('approval')
    expect(after).toMatchObject({ id: before.id, dueAt: before.dueAt })
    if (after.page.at !== 'planned') throw new Error(`it stands at ${after.page.at}`)
    on.app.history.order({ caseId: after.id, kind: 'approve', by: 'ann', planHash: planHash(after.page.plan) })
    await untilWell(on, 'web', 1)
    expect(on.cases()).toHaveLength(1)
  })

  it(promise('held-survives-restart', 'one that is being verified'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await on.ports.until(() => on.written().length === 1)
    await on.restart()
    await untilWell(on, 'web', 1)
    await on.restart()
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
    expect(patchesOfWeb(on)).toHaveLength(1)
  })

  it(promise('held-survives-restart', 'one that waits for a slot, also when nobody is left to free it'), async () => {
    const on = await badDeploys(['a', 'b', 'c'], { config: { actions: { max_concurrent: 1 } } })
    const [first, ...others] = ['a', 'b', 'c'].map((app) => crashLooping(on, app))
    if (first) await on.push(first)
    await on.ports.until(() => on.written().length === 1)
    await on.push(...others)
    await on.ports.until(() => on.cases().filter(({ waitingFor }) => waitingFor === 'lane').length === 2, 2_000, 50)
    await on.restart()
    await on.ports.until(() => on.written().length === 3, 30_000)
  })

  it(promise('held-survives-restart', 'one that waits for the cooldown'), async () => {
    const on = await badDeploy({ manifests: [crashes('web', 3)], config: { actions: { cooldown_period: '1m' } } })
    const first = crashLooping(on, 'web')
    await on.push(first)
    await untilWell(on, 'web', 1)
    await on.resolve(first)
    await on.closed(1)
    redeploy(on, 'web', 3)
    await untilFailing(on, 'web')
    await on.push(crashLooping(on, 'web'))
    await on.waiting('cooldown')
    await on.restart()
    expect(patchesOfWeb(on)).toHaveLength(1)
    await on.ports.until(() => imageOf(on, 'web') === 'shop/web:1', 90_000)
    expect(patchesOfWeb(on)).toHaveLength(2)
  })

  it('answers nobody while it is away, and takes what was resolved meanwhile as such', async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await on.waiting('approval')
    await on.resolve(alert)
    await on.restart()
    expect(await on.ending()).toMatchObject({ outcome: 'cancelled', reason: 'RESOLVED_BEFORE_ACTION' })
  })
})

describe('kill -9', () => {
  it(promise('accepted-is-taken-up', 'killed in the turn after the 2xx'), async () => {
    const on = await badDeploy()
    const answer = await on.push(crashLooping(on, 'web'))
    on.kill()
    expect(answer.status).toBe(200)
    await on.start()
    await untilWell(on, 'web', 1)
    expect(patchesOfWeb(on)).toHaveLength(1)
  })

  it(promise('nothing-twice', 'killed at every step of the walk'), async () => {
    const steps = await stepsOfOneWalk()
    expect(steps).toBeGreaterThan(20)
    for (let step = 1; step <= steps; step++) {
      const on = await badDeploy({ config: { settle: { time: '500ms' } } })
      const alert = crashLooping(on, 'web')
      on.life.cutAt(step)
      const delivered = on.push(alert)
      await on.ports.advance(3_000)
      expect(on.life.isCut, `killed at step ${step}`).toBe(true)
      await on.start()
      const accepted = await Promise.race([delivered.then(({ status }) => status === 200), Promise.resolve(false)])
      if (!accepted) await on.push(alert)
      await untilWell(on, 'web', 1)
      await on.resolve(alert)
      const endings = (await on.closed(1)).map(({ outcome }) => outcome)
      expect({ step, endings, writes: patchesOfWeb(on) }).toEqual({ step, endings: ['fixed'], writes: ['patch deployments/web'] })
    }
  }, 60_000)

  /** From the delivery until the write has been noted. */
  async function stepsOfOneWalk(): Promise<number> {
    const on = await badDeploy({ config: { settle: { time: '500ms' } } })
    const before = on.life.steps
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.cases()[0]?.state === 'applied', 5_000, 5)
    return on.life.steps - before
  }

  it(promise('nothing-twice', 'killed at steps of checking and taking back'), async () => {
    const first = await worseWritten()
    const before = first.life.steps
    await first.ending(30_000)
    const steps = first.life.steps - before
    // Every second: each of them costs a fresh world.
    for (let step = 1; step <= steps; step += 2) {
      const on = await worseWritten()
      on.life.cutAt(step)
      await on.ports.until(() => on.life.isCut, 30_000, 100)
      await on.start()
      const ended = await on.ending(60_000)
      expect({ step, ended: `${ended.outcome} ${ended.reason}`, writes: on.written().length }).toEqual({ step, ended: 'undone MADE_WORSE', writes: 2 })
      expect(imageOf(on, 'reports')).toBe('shop/reports:7')
    }
  }, 60_000)

  async function worseWritten(): Promise<Stage> {
    const on = await rollbackMakesWorse({ config: { settle: { check_every: '1s' } } })
    await on.push(crashLooping(on, 'reports'))
    await on.ports.until(() => on.cases()[0]?.state === 'applied', 5_000, 5)
    return on
  }

  it(promise('recovered-by-looking', 'the write had landed'), async () => {
    const on = await badDeploy()
    on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, times: 2, then: { kind: 'delay', ms: 100 } })
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await on.ports.until(() => on.practice.requests.some(({ method, path, dryRun }) => method === 'PATCH' && WEB.test(path) && !dryRun), 5_000, 5)
    on.kill()
    await on.ports.advance(200)
    expect(imageOf(on, 'web')).toBe('shop/web:1')
    await on.start()
    await untilWell(on, 'web', 1)
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
    expect(patchesOfWeb(on)).toHaveLength(1)
  })

  it(promise('recovered-by-looking', 'the write had not been sent'), async () => {
    const on = await intendedAndKilled()
    expect(on.cases()[0]).toMatchObject({ state: 'intended' })
    await on.start()
    await untilWell(on, 'web', 1)
    expect(patchesOfWeb(on)).toHaveLength(1)
    expect(on.cases().flatMap(({ id }) => on.app.history.events(id).map(({ kind }) => kind))).toContain('withdrawn')
  })

  it(promise('recovered-by-looking', 'somebody changed the object meanwhile'), async () => {
    const on = await intendedAndKilled()
    redeploy(on, 'web', 5)
    await on.start()
    expect(await on.ending()).toMatchObject({ outcome: 'unproven', reason: 'EFFECT_UNKNOWN' })
    expect(patchesOfWeb(on)).toEqual([])
    expect(imageOf(on, 'web')).toBe('shop/web:5')
  })

  /** Intent in history and ledger, and dead before the patch. */
  async function intendedAndKilled(): Promise<Stage> {
    const on = await badDeploy()
    on.practice.faults.add({ match: { method: 'POST', path: /\/configmaps$/ }, times: 1, then: { kind: 'delay', ms: 100 } })
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.cases()[0]?.state === 'intended', 5_000, 5)
    on.kill()
    await on.ports.advance(200)
    expect(on.practice.store.peek('ConfigMap', NAMESPACE, 'alerts-slm-ledger')).toBeDefined()
    expect(patchesOfWeb(on)).toEqual([])
    return on
  }

  it('leaves no open entry in the ledger behind', async () => {
    const on = await intendedAndKilled()
    await on.start()
    await untilWell(on, 'web', 1)
    await on.resolve(...on.cases().flatMap(({ page }) => page.alerts.map(({ labels }) => ({ labels }))))
    await on.ending()
    const entries = ledgerOf(on)
    expect(entries).toMatchObject([{ outcome: 'fixed' }])
  })
})

describe('a lost disk', () => {
  it(promise('cooldown-survives-file'), async () => {
    const on = await badDeploy({ manifests: [crashes('web', 3)], config: { actions: { cooldown_period: '2m' } } })
    const first = crashLooping(on, 'web')
    await on.push(first)
    await untilWell(on, 'web', 1)
    await on.resolve(first)
    await on.closed(1)
    on.kill()
    for (const end of ['', '-wal', '-shm']) rmSync(`${on.store}${end}`, { force: true })
    await on.start()
    expect(on.cases()).toEqual([])
    redeploy(on, 'web', 3)
    await untilFailing(on, 'web')
    await on.push(crashLooping(on, 'web'))
    expect(await on.waiting('cooldown')).toMatchObject({ action: 'rollback_deployment' })
    expect(patchesOfWeb(on)).toHaveLength(1)
    await on.ports.until(() => imageOf(on, 'web') === 'shop/web:1', 150_000, 1_000)
  })

  it(promise('lost-alerts-come-back', 'after the loss of the file'), async () => {
    const on = await stage({ alertmanagers: 1 })
    const alert = alertOf('Anything', { deployment: 'web' })
    on.alertmanagers[0]?.post([{ ...alert, annotations: {}, generatorURL: '', startsAt: on.ports.clock.now() - 1_000, endsAt: undefined }])
    on.kill()
    for (const end of ['', '-wal', '-shm']) rmSync(`${on.store}${end}`, { force: true })
    await on.start()
    expect(await on.ending()).toMatchObject({ alert: 'Anything', outcome: 'told' })
  })
})
