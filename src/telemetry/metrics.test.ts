import { describe, expect, it } from 'vitest'
import { type MetricsOptions, makeMetrics } from './metrics.ts'

const make = (gauges: Partial<MetricsOptions['gauges']> = {}) =>
  makeMetrics({
    known: { namespaces: ['team-a'], actions: ['restart_pod', 'notify_only'], models: ['granite'], reasons: ['COOLDOWN'] },
    gauges: { queueLength: () => 3, openCases: () => 1, storeBytes: () => undefined, ...gauges },
    startedAt: 5_000,
  })
const alert = (labels: Record<string, string>) => ({ labels })
/** The sample lines, without help and type. */
const samples = async (metrics: ReturnType<typeof make>) => (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))

describe('the four names that others rely on', () => {
  it('keep their labels', async () => {
    const metrics = make()
    metrics.received(alert({ severity: 'critical', namespace: 'team-a' }))
    metrics.processed('restart_pod', 'fixed')
    metrics.processed('none', 'told')
    metrics.consulted('granite', 1.5)
    metrics.wrote('patch', 'done')
    expect(await samples(metrics)).toEqual(
      expect.arrayContaining([
        'alerts_received_total{severity="critical",namespace="team-a"} 1',
        'alerts_processed_total{action="restart_pod",status="fixed"} 1',
        'alerts_processed_total{action="none",status="told"} 1',
        'slm_requests_duration_seconds_bucket{le="2",model="granite"} 1',
        'slm_requests_duration_seconds_bucket{le="1",model="granite"} 0',
        'k8s_actions_total{type="patch",result="done"} 1',
      ]),
    )
  })
})

describe('our own', () => {
  it('begin with alerts_slm_', async () => {
    const metrics = make()
    metrics.caseClosed('refused', 'COOLDOWN')
    metrics.roomTook('decide', 0.2)
    metrics.bookLoaded({ hash: 'abc', rules: ['r1', 'r2'] })
    metrics.ruleHit('r1')
    metrics.watchRestarted('Pod')
    metrics.answered(413)
    metrics.delivered(1_500)
    metrics.bookRefused()
    expect(await samples(metrics)).toEqual(
      expect.arrayContaining([
        'alerts_slm_cases_total{outcome="refused",reason="COOLDOWN"} 1',
        'alerts_slm_room_seconds_bucket{le="0.0003",room="decide"} 1',
        'alerts_slm_room_seconds_bucket{le="0.0001",room="decide"} 0',
        'alerts_slm_rule_hits_total{rule="r1"} 1',
        'alerts_slm_watch_restarts_total{kind="Pod"} 1',
        'alerts_slm_webhook_requests_total{code="413"} 1',
        'alerts_slm_last_delivery_timestamp_seconds 1.5',
        'alerts_slm_book_loaded{hash="abc"} 2',
        'alerts_slm_book_refused_total 1',
        'alerts_slm_queue_length 3',
        'alerts_slm_open_cases 1',
        'process_start_time_seconds 5',
      ]),
    )
    expect((await samples(metrics)).some((line) => /^process_resident_memory_bytes [1-9]/.test(line))).toBe(true)
    expect((await samples(metrics)).some((line) => /^process_cpu_seconds_total 0\.|^process_cpu_seconds_total [1-9]/.test(line))).toBe(true)
  })
  it('show only the book in use', async () => {
    const metrics = make()
    metrics.bookLoaded({ hash: 'old', rules: [] })
    metrics.bookLoaded({ hash: 'new', rules: ['r'] })
    expect((await samples(metrics)).filter((line) => line.startsWith('alerts_slm_book_loaded'))).toEqual(['alerts_slm_book_loaded{hash="new"} 1'])
  })
  it('leave out what is not known: unknown is not zero', async () => {
    const text = (await samples(make())).join('\n')
    expect(text).not.toContain('alerts_slm_store_bytes')
    expect(text).not.toContain('alerts_slm_last_delivery')
  })
})

describe('label values', () => {
  it('come from closed sets: whatever an alert says, the number of series stays', async () => {
    const metrics = make()
    metrics.bookLoaded({ hash: 'h', rules: ['r'] })
    for (let n = 0; n < 1_000; n++) {
      metrics.received(alert({ severity: `sev-${n}`, namespace: `ns-${n}` }))
      metrics.processed(`action-${n}`, 'told')
      metrics.consulted(`model-${n}`, 1)
      metrics.wrote(`step-${n}`, `result-${n}`)
      metrics.caseClosed('told', `REASON_${n}`)
      metrics.roomTook(`room-${n}`, 1)
      metrics.ruleHit(`rule-${n}`)
      metrics.watchRestarted(`Kind${n}`)
      metrics.answered(1_000 + n)
    }
    const text = await metrics.text()
    expect(text).toContain('alerts_received_total{severity="other",namespace="other"} 1000')
    expect(text).toContain('alerts_slm_rule_hits_total{rule="other"} 1000')
    expect(text.split('\n').length).toBeLessThan(150)
  })
  it('take severities in any case, and an alert without one is none', async () => {
    const metrics = make()
    metrics.received(alert({ severity: 'Warning' }))
    metrics.received(alert({}))
    metrics.received(alert({ severity: 'constructor' }))
    expect(await samples(metrics)).toEqual(
      expect.arrayContaining([
        'alerts_received_total{severity="warning",namespace="other"} 1',
        'alerts_received_total{severity="none",namespace="other"} 1',
        'alerts_received_total{severity="other",namespace="other"} 1',
      ]),
    )
  })
})

it('two programs in one process do not share a registry', async () => {
  const [one, other] = [make(), make()]
  one.bookRefused()
  expect(await samples(other)).toContain('alerts_slm_book_refused_total 0')
})
