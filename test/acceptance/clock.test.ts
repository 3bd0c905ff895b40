// Clocks that jump: the cluster's and ours together, or ours alone.
import { describe, expect, it } from 'vitest'
import { promise } from '../promises.ts'
import { badDeploy, crashes, crashLooping, imageOf, redeploy, untilFailing, untilWell } from './scenes.ts'
import type { Stage } from './stage.ts'

const HOUR = 3_600_000
const webPatches = (on: Stage) =>
  on.practice.requests.filter(({ method, path, dryRun, status }) => method === 'PATCH' && path.endsWith('/deployments/web') && !dryRun && status === 200)

describe('a clock that jumps', () => {
  it(promise('clock-may-jump', 'forwards while the object settles'), async () => {
    const on = await badDeploy({ config: { settle: { time: '5s' } } })
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await untilWell(on, 'web', 1)
    await on.ports.advance(1_000)
    const wellAt = on.ports.clock.elapsed()
    on.ports.jump(2 * HOUR)
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
    expect(on.ports.clock.elapsed() - wellAt).toBeGreaterThanOrEqual(4_000)
    expect(webPatches(on)).toHaveLength(1)
  })

  it(promise('clock-may-jump', 'forwards while the rollout is under way: it is not judged too late'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await on.ports.until(() => on.cases()[0]?.state === 'applied', 5_000, 5)
    on.ports.jump(2 * HOUR)
    await untilWell(on, 'web', 1)
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
  })

  it(promise('clock-may-jump', 'backwards while the object settles: nobody waits for the clock to catch up'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web', { startsAt: on.ports.clock.now() - 900_000 })
    await on.push(alert)
    await untilWell(on, 'web', 1)
    const endsAt = on.ports.clock.now()
    on.ports.jump(-2 * HOUR)
    await on.resolve({ ...alert, endsAt })
    expect(await on.ending(90_000)).toMatchObject({ outcome: 'fixed' })
    expect(webPatches(on)).toHaveLength(1)
  })

  it(promise('clock-may-jump', 'ours alone, ahead: no cooldown is over for that'), async () => {
    const on = await badDeploy({ manifests: [crashes('web', 3)], config: { actions: { cooldown_period: '2m' } } })
    const first = crashLooping(on, 'web')
    await on.push(first)
    await untilWell(on, 'web', 1)
    await on.resolve(first)
    await on.closed(1)
    redeploy(on, 'web', 3)
    await untilFailing(on, 'web')
    on.skew(HOUR)
    await on.push(crashLooping(on, 'web'))
    await on.ports.advance(60_000)
    expect(webPatches(on)).toHaveLength(1)
    expect(on.cases().at(-1)).toMatchObject({ because: expect.stringMatching(/1h\S* ahead of/) })
    on.skew(-HOUR)
    await on.ports.until(() => imageOf(on, 'web') === 'shop/web:1', 240_000, 1_000)
    const [one, two] = webPatches(on)
    expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(120_000)
  })

  it(promise('repeats-are-counted', 'also while our clock is behind and alerts begin in our future'), async () => {
    const on = await badDeploy()
    on.skew(-HOUR)
    const alert = crashLooping(on, 'web', { startsAt: on.ports.clock.now() })
    for (let times = 0; times < 3; times++) {
      await on.push(alert)
      await on.ports.advance(2_000)
    }
    expect(on.cases()).toHaveLength(1)
    expect(on.cases().flatMap(({ id }) => on.app.history.events(id).map(({ kind }) => kind))).not.toContain('joined')
    expect(on.written()).toEqual([])
  })
})
