// Deliveries as they come in life: repeated, out of order, cut short, from two peers, and very large.
import { describe, expect, it } from 'vitest'
import { promise } from '../promises.ts'
import { delivery } from './deliveries.ts'
import { alertOf, badDeploy, badDeploys, crashLooping, untilWell } from './scenes.ts'
import { type Alerted, stage } from './stage.ts'

const posted = ({ labels, startsAt, endsAt }: Alerted) => ({ labels, annotations: {}, generatorURL: '', startsAt, endsAt })

describe('order', () => {
  it(promise('late-is-no-news', 'resolved without firing'), async () => {
    const on = await badDeploy()
    expect((await on.resolve(crashLooping(on, 'web'))).status).toBe(200)
    await on.ports.advance(5_000)
    expect(on.cases()).toEqual([])
  })

  it(promise('late-is-no-news', 'firing that was overtaken by its own end'), async () => {
    const on = await badDeploy()
    const alert = { ...crashLooping(on, 'web'), startsAt: on.ports.clock.now() - 600_000 }
    await on.push(alert)
    await untilWell(on, 'web', 1)
    await on.resolve(alert)
    await on.closed(1)
    await on.push(alert)
    await on.ports.advance(5_000)
    expect(on.cases()).toHaveLength(1)
    expect(on.written()).toHaveLength(1)
  })

  it(promise('late-is-no-news', 'the end of an older episode ends no newer one'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    const now = on.ports.clock.now()
    const alert = crashLooping(on, 'web')
    await on.push({ ...alert, startsAt: now - 60_000 })
    await on.waiting('approval')
    await on.resolve({ ...alert, startsAt: now - 900_000, endsAt: now - 600_000 })
    await on.ports.advance(10_000)
    expect(on.cases()).toMatchObject([{ closedAt: undefined, waitingFor: 'approval' }])
  })

  it('begins anew after its end with a later start', async () => {
    const on = await stage()
    const alert = alertOf('Anything', { deployment: 'web' })
    await on.push(alert)
    await on.resolve(alert)
    await on.ports.advance(60_000)
    await on.push({ ...alert, startsAt: on.ports.clock.now() })
    expect(await on.closed(2)).toHaveLength(2)
  })

  it(promise('repeats-are-counted', 'two Prometheus replicas move the start back and forth'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    const now = on.ports.clock.now()
    for (const startsAt of [now - 30_000, now - 15_000, now - 45_000, now - 30_000]) {
      await on.push({ ...crashLooping(on, 'web'), startsAt })
      await on.ports.advance(1_000)
    }
    expect(on.cases()).toHaveLength(1)
  })

  it(promise('unmended-is-reconsidered'), async () => {
    const on = await stage()
    const alert = alertOf('Anything', { deployment: 'web' })
    for (let minutes = 0; minutes <= 65; minutes += 5) {
      await on.push({ ...alert, startsAt: 1_768_478_000_000 })
      await on.ports.advance(300_000)
    }
    // Told at once, and again after 30 and 60 minutes of repeats.
    expect(await on.closed(3)).toHaveLength(3)
  })

  it(promise('resolved-later-is-evidence'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await on.ports.until(() => on.written().length === 1)
    await on.resolve(alert)
    await on.ports.advance(200)
    expect(on.cases()).toMatchObject([{ closedAt: undefined }])
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
  })
})

describe('Alertmanager', () => {
  it(promise('nothing-twice', 'two peers deliver the same'), async () => {
    const on = await badDeploy({ alertmanagers: 2, delivering: true })
    const alert = crashLooping(on, 'web')
    for (const peer of on.alertmanagers) peer.post([posted(alert)])
    await untilWell(on, 'web', 1)
    await on.ports.advance(5_000)
    for (const peer of on.alertmanagers) peer.post([{ ...posted(alert), endsAt: on.ports.clock.now() }])
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
    expect(on.written()).toEqual(['patch deployments/web'])
    expect(on.alertmanagers.map(({ attempts }) => attempts.length > 1)).toEqual([true, true])
  })

  it(promise('accepted-is-taken-up', 'a 503 is sent again by Alertmanager and then taken'), async () => {
    const on = await badDeploy({ alertmanagers: 1, delivering: true, config: { webhook: { max_queued: 1 } } })
    const alert = crashLooping(on, 'web')
    on.alertmanagers[0]?.post([posted(alert), posted(alertOf('KubePodCrashLooping', { pod: 'other' }))])
    await on.ports.advance(2_000)
    expect(on.alertmanagers[0]?.attempts.map(({ status }) => status)).toContain(503)
    expect(on.cases()).toEqual([])
  })

  it(promise('lost-alerts-come-back', 'of a group that was cut short'), async () => {
    const on = await stage({ alertmanagers: 1, delivering: true, maxAlerts: 1 })
    on.alertmanagers[0]?.post(['a', 'b', 'c'].map((deployment) => posted(alertOf('Anything', { deployment }))))
    expect(await on.closed(3)).toHaveLength(3)
    expect(on.alertmanagers[0]?.attempts[0]?.body.truncatedAlerts).toBe(2)
  })

  it(promise('lost-alerts-come-back', 'at start and every five minutes'), async () => {
    const on = await stage({ alertmanagers: 1 })
    on.alertmanagers[0]?.post([posted(alertOf('Anything', { deployment: 'web' }, { endsAt: on.ports.clock.now() + 3_600_000 }))])
    await on.ports.advance(290_000)
    expect(on.cases()).toEqual([])
    await on.ports.advance(20_000)
    expect(await on.ending()).toMatchObject({ alert: 'Anything' })
    on.alertmanagers[0]?.post([posted(alertOf('Later', { deployment: 'web' }))])
    await on.restart()
    expect((await on.closed(2)).map(({ alert }) => alert)).toEqual(['Anything', 'Later'])
  })

  it('tells by its silence that an alert has ended unheard', async () => {
    const on = await badDeploy({ alertmanagers: 1, config: { actions: { mode: 'approve' }, settle: { hold: '2h' } } })
    // It does not know this alert, although somebody delivered it: asked twice, it has ended.
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending(900_000)).toMatchObject({ outcome: 'cancelled', reason: 'RESOLVED_BEFORE_ACTION' })
  })

  it('holds what is silenced there', async () => {
    const on = await badDeploy({ alertmanagers: 1 })
    const alert = crashLooping(on, 'web')
    const [peer] = on.alertmanagers
    peer?.post([posted(alert)])
    const now = on.ports.clock.now()
    const silence = {
      matchers: [{ name: 'alertname', value: 'KubePodCrashLooping', isRegex: false }],
      startsAt: new Date(now - 1_000).toISOString(),
      endsAt: new Date(now + 60_000).toISOString(),
      createdBy: 'ann',
      comment: 'I know',
    }
    expect(
      (
        await peer?.fetch(
          new Request('http://alertmanager-0.test/api/v2/silences', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(silence) }),
        )
      )?.status,
    ).toBe(200)
    await on.push(alert)
    await on.waiting('window')
    expect(on.written()).toEqual([])
    await untilWell(on, 'web', 1, 180_000)
  })
})

describe('size', () => {
  it(promise('accepted-is-taken-up', '10,000 alerts in one body'), async () => {
    const on = await badDeploys(['web'], { config: { webhook: { max_body_bytes: '32Mi' }, screen: { severities: ['critical'] } } })
    const real = crashLooping(on, 'web')
    const many = Array.from({ length: 9_999 }, (_, place) => alertOf('Noise', { pod: `pod-${place}` }))
    const answer = await on.push(...many, { labels: { ...real.labels, severity: 'critical' } })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ accepted: 10_000, rejected: [] })
    await untilWell(on, 'web', 1)
    expect(on.app.history.cases({ limit: 20_000, alert: 'Noise' })).toHaveLength(9_999)
    expect(on.app.history.cases({ outcome: 'cancelled', limit: 1 })).toMatchObject([{ reason: 'FILTERED' }])
  })

  it('a thousand alerts of one workload are one repair', async () => {
    const on = await badDeploy()
    const alerts = Array.from({ length: 1_000 }, (_, place) => alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web', shard: String(place) }))
    await on.push(...alerts)
    await untilWell(on, 'web', 1)
    await on.resolve(...alerts)
    const [first, ...later] = await on.closed(1)
    expect(first).toMatchObject({ outcome: 'fixed' })
    // What was taken up after it had begun to act waited, and had ended when its turn came.
    expect(later.filter(({ outcome }) => outcome !== 'cancelled')).toEqual([])
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it('a body over the limit is told, and what it held is read from Alertmanager', async () => {
    const on = await stage({ alertmanagers: 1, config: { webhook: { max_body_bytes: '64Ki' } } })
    const alert = alertOf('Anything', { deployment: 'web' }, { annotations: { description: 'x'.repeat(70_000) } })
    on.alertmanagers[0]?.post([posted(alert)])
    expect((await on.push(alert)).status).toBe(413)
    expect(await on.ending()).toMatchObject({ alert: 'Anything' })
  })

  it('one wrong alert among good ones costs only itself', async () => {
    const on = await stage()
    const good = delivery('firing', [alertOf('Good', { deployment: 'web' })], on.ports.clock.now())
    const answer = await on.deliver({ ...good, alerts: [...good.alerts, { status: 'firing', labels: 'none' }, 7] })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ accepted: 1, rejected: [{ path: '/alerts/1/labels' }, { path: '/alerts/1/startsAt' }, { path: '/alerts/2' }] })
    expect(await on.ending()).toMatchObject({ alert: 'Good' })
  })
})
