// The main job with real Alertmanagers in front. What was delivered is read off a tap before the webhook, what was done off the API
// server's request log.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { realPorts } from '../../src/ports.ts'
import { suiteNeeding } from '../suites.ts'
import { until } from '../waiting.ts'
import { type AlertedCluster, alertedCluster, type Delivery, NAMESPACE } from './alerted-cluster.ts'

const NOT_READY = 'KubePodNotReady'
const only =
  (alertname: string) =>
  ({ labels }: { readonly labels: Readonly<Record<string, string>> }) =>
    labels['alertname'] === alertname

const firing = ({ deliveries }: AlertedCluster): readonly Delivery[] => deliveries.filter(({ alerts }) => alerts.some(({ status }) => status === 'firing'))
const endings = (cases: Awaited<ReturnType<AlertedCluster['closed']>>) => cases.map(({ alert, action, outcome, reason }) => ({ alert, action, outcome, reason }))
const EVICTION = /^create pods\/.+\/eviction$/
/** Of which workloads a pod was evicted. */
const evicted = (cluster: AlertedCluster): readonly string[] =>
  cluster
    .written()
    .map((line) => line.replace(/^create pods\/(search|worker)-.*\/eviction$/, '$1'))
    .toSorted()
const FIXED = { alert: NOT_READY, action: 'restart_pod', outcome: 'fixed', reason: 'VERIFIED' }

suiteNeeding('alertmanager', { programs: ['prometheus-alertmanager'], get: 'apt-get install prometheus-alertmanager' }, () => {
  describe.concurrent('with a real Alertmanager', { timeout: 90_000 }, () => {
    it('an alert that is silenced while its case waits is acted upon only after the silence', async ({ onTestFinished }) => {
      const now = realPorts.clock.now()
      const window = { from: new Date(now - 60_000).toISOString(), to: new Date(now + 6_000).toISOString(), why: 'the database moves' }
      const cluster = await alertedCluster({ incidents: ['search'], raises: only(NOT_READY), config: { actions: { maintenance: [window] } } }, onTestFinished)
      await waits(cluster, /the database moves/)
      const lift = await cluster.alertmanagers.silence({ alertname: NOT_READY, namespace: NAMESPACE })
      await waits(cluster, /silence|suppressed|inhibited/i)
      expect(realPorts.clock.now()).toBeGreaterThan(now + 6_000)
      expect(cluster.written()).toEqual([])
      await lift()
      expect(endings(await cluster.closed(1))).toEqual([FIXED])
      expect(cluster.written()).toEqual([expect.stringMatching(EVICTION)])
    })

    it('an alert becomes a verified repair', async ({ onTestFinished }) => {
      const cluster = await alertedCluster({ incidents: ['search'], raises: only(NOT_READY) }, onTestFinished)
      expect(endings(await cluster.closed(1))).toEqual([FIXED])
      expect(cluster.written()).toEqual([expect.stringMatching(EVICTION)])
      expect(cluster.deliveries.map(({ status, alerts }) => [status, ...alerts.map((alert) => alert.status)])).toEqual([
        [200, 'firing'],
        [200, 'resolved'],
      ])
    })

    it('several alerts in one delivery become a case each', async ({ onTestFinished }) => {
      const cluster = await alertedCluster({ incidents: ['search', 'worker'], raises: only(NOT_READY), groupBy: ['namespace'], groupWait: '2s' }, onTestFinished)
      expect(endings(await cluster.closed(2))).toEqual([FIXED, FIXED])
      expect(
        firing(cluster)[0]
          ?.alerts.map(({ labels }) => labels['pod']?.split('-')[0])
          .toSorted(),
      ).toEqual(['search', 'worker'])
      expect(evicted(cluster)).toEqual(['search', 'worker'])
    })

    it('repeats are counted and nothing is done twice; the case ends with the alert', async ({ onTestFinished }) => {
      const cluster = await alertedCluster({ incidents: ['search'], raises: () => false, repeatInterval: '2s' }, onTestFinished)
      const pod = await stuckPod(cluster, 'search')
      // It goes on firing when the pod is long replaced, until this test says that it ended.
      const alert = { labels: { alertname: NOT_READY, namespace: NAMESPACE, pod, severity: 'warning' }, annotations: {}, startsAt: realPorts.clock.now() }
      await cluster.alertmanagers.post([alert])
      await until('it was delivered three times', () => firing(cluster).length >= 3)
      await until('it was counted three times', async () => Number(/^alerts_received_total\{.*\} (\d+)$/m.exec(await metricsOf(cluster))?.[1]) >= 3)
      expect(cluster.written()).toEqual([expect.stringMatching(EVICTION)])
      expect(cluster.cases().map(({ state, waitingFor }) => ({ state, waitingFor }))).toEqual([{ state: 'applied', waitingFor: 'verification' }])
      await cluster.alertmanagers.post([{ ...alert, endsAt: realPorts.clock.now() }])
      expect(endings(await cluster.closed(1))).toEqual([FIXED])
      expect(cluster.written()).toHaveLength(1)
    })

    it('what both of a pair deliver is one case and one change', async ({ onTestFinished }) => {
      const cluster = await alertedCluster({ incidents: ['search'], raises: only(NOT_READY), peers: 2 }, onTestFinished)
      expect(endings(await cluster.closed(1))).toEqual([FIXED])
      const [first, second] = firing(cluster)
      expect(second?.alerts.map(({ fingerprint }) => fingerprint)).toEqual(first?.alerts.map(({ fingerprint }) => fingerprint))
      expect(cluster.written()).toEqual([expect.stringMatching(EVICTION)])
    })

    it('a sidecar that is restarted between its change and the proof goes on, and changes nothing more', async ({ onTestFinished }) => {
      const cluster = await alertedCluster({ incidents: ['checkout'], config: { settle: { time: '3s', verify_within: '10s' } } }, onTestFinished)
      await until('the change was made', () => cluster.written().length > 0)
      await cluster.stop()
      await cluster.start()
      const [ending] = endings((await cluster.closed(1)).filter(({ outcome }) => outcome !== 'cancelled'))
      expect(ending).toMatchObject({ action: 'rollback_deployment', outcome: 'fixed', reason: 'VERIFIED' })
      expect(cluster.written()).toEqual(['patch deployments/checkout'])
    })

    it('what nobody took is delivered again', async ({ onTestFinished }) => {
      const cluster = await alertedCluster({ incidents: ['search'], raises: only(NOT_READY) }, onTestFinished)
      await cluster.stop()
      await until('a delivery met nobody', () => cluster.deliveries.length > 0)
      // Without the pull at start, which would bring it too.
      await cluster.start({ alertmanager: { urls: [] } })
      expect(endings(await cluster.closed(1))).toEqual([FIXED])
      expect(firing(cluster).map(({ status }) => status)).toEqual([
        ...firing(cluster)
          .slice(0, -1)
          .map(() => 0),
        200,
      ])
    })

    it('what was refused for want of room is delivered again, and nothing is lost', async ({ onTestFinished }) => {
      const wishes = { incidents: ['search', 'worker'], raises: only(NOT_READY), groupBy: ['namespace'], groupWait: '2s' }
      const cluster = await alertedCluster({ ...wishes, config: { webhook: { max_queued: 1 }, alertmanager: { urls: [] } } }, onTestFinished)
      await until('a delivery was refused twice', () => cluster.deliveries.filter(({ status }) => status === 503).length >= 2)
      expect(cluster.cases()).toEqual([])
      await cluster.stop()
      await cluster.start({ webhook: { max_queued: 100 } })
      expect(endings(await cluster.closed(2))).toEqual([FIXED, FIXED])
      expect(cluster.written()).toHaveLength(2)
    })

    it('an alert that stays silenced for as long as a case may wait is told to people, and nothing is done', async ({ onTestFinished }) => {
      const window = { from: new Date(realPorts.clock.now() - 60_000).toISOString(), to: new Date(realPorts.clock.now() + 6_000).toISOString(), why: 'the database moves' }
      const config = { actions: { maintenance: [window] }, settle: { hold: '8s' } }
      const cluster = await alertedCluster({ incidents: ['search'], raises: only(NOT_READY), config }, onTestFinished)
      await waits(cluster, /the database moves/)
      await cluster.alertmanagers.silence({ alertname: NOT_READY, namespace: NAMESPACE })
      expect(endings(await cluster.closed(1))).toMatchObject([{ outcome: 'refused', reason: 'HELD_TOO_LONG' }])
      expect(cluster.written()).toEqual([])
    })

    it('what a truncated delivery left out is read from Alertmanager', async ({ onTestFinished }) => {
      const wishes = { incidents: ['search', 'worker'], raises: only(NOT_READY), groupBy: ['namespace'], groupWait: '2s', maxAlerts: 1 }
      const cluster = await alertedCluster({ ...wishes, config: { alertmanager: { pull_every: '10s' } } }, onTestFinished)
      await until('both were repaired', () => cluster.written().length >= 2)
      expect(firing(cluster)[0]).toMatchObject({ truncatedAlerts: 1, alerts: [{ status: 'firing' }] })
      expect(new Set(firing(cluster).flatMap(({ alerts }) => alerts.map(({ fingerprint }) => fingerprint))).size).toBe(1)
      // The ends are cut off too: that nothing fires any more is read twice before it counts.
      expect(endings(await cluster.closed(2))).toEqual([FIXED, FIXED])
      expect(evicted(cluster)).toEqual(['search', 'worker'])
    })
  })
})

const metricsOf = async (cluster: AlertedCluster): Promise<string> => (await cluster.app().operations(new Request('http://operations/metrics'))).text()

/** The case waits, for this reason. */
const waits = (cluster: AlertedCluster, why: RegExp): Promise<boolean> =>
  until(`a case waits because of ${why}`, () => cluster.cases().some(({ state, because }) => state === 'parked' && why.test(because ?? '')), {
    withinMs: 40_000,
    explain: () => JSON.stringify(cluster.cases().map(({ page, ...one }) => one)),
  })

const POD = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ phase: z.string(), conditions: z.array(z.object({ type: z.string(), status: z.string() })) }),
})
/** The pod of the workload that does not get ready, once all its others are. */
const stuckPod = ({ practice }: AlertedCluster, workload: string): Promise<string> =>
  until(`one pod of ${workload} is stuck`, () => {
    const pods = practice.store.list('Pod', NAMESPACE).flatMap((pod) => POD.safeParse(pod).data ?? [])
    const own = pods.filter(({ metadata }) => metadata.name.startsWith(`${workload}-`))
    const unready = own.filter(({ status }) => !status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    return own.length === 3 && unready.length === 1 && unready[0]?.metadata.name
  })
