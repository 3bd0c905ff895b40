import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Alert } from '../../domain/alert.ts'
import { caseId } from '../../domain/case-file.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { parseMatcher } from './matcher.ts'
import { type Known, remember, type Screened, type ScreenRules, screen } from './screen.ts'

const RULES: ScreenRules = { reconsiderMs: 30 * 60_000 }
const alert = (over: Partial<Alert> = {}): Alert => ({
  fingerprint: 'f1',
  status: 'firing',
  labels: { alertname: 'KubePodCrashLooping', severity: 'warning', namespace: 'team-a' },
  annotations: {},
  startsAt: 1_000,
  endsAt: undefined,
  generatorUrl: undefined,
  ...over,
})
const known = (over: Partial<Known> = {}): Known => ({
  fingerprint: 'f1',
  startsAt: 1_000,
  lastSeenAt: 2_000,
  caseId: caseId('c1'),
  caseOpen: true,
  openedAt: 1_500,
  ...over,
})
const closed = (outcome: Outcome, over: Partial<Known> = {}) => known({ caseOpen: false, outcome, ...over })

describe('what is let in', () => {
  it('opens a case for an alert that nobody knows', () => {
    expect(screen(alert(), undefined, RULES, 3_000)).toEqual({ kind: 'new' })
  })
  it('screens out our own notifications, firing or resolved', () => {
    const own = { labels: { alertname: 'x', alerts_slm_case: 'c1' } }
    expect(screen(alert(own), undefined, RULES, 0).kind).toBe('own')
    expect(screen(alert({ ...own, status: 'resolved' }), known(), RULES, 0).kind).toBe('own')
  })
  it('filters by severity, namespace and matchers, and says by which', () => {
    expect(screen(alert(), undefined, { ...RULES, severities: ['critical'] }, 0)).toEqual({ kind: 'filtered', why: 'severity warning is not among critical' })
    expect(screen(alert(), undefined, { ...RULES, namespaces: ['team-b'] }, 0)).toMatchObject({ kind: 'filtered', why: expect.stringContaining('team-a') })
    const matcher = parseMatcher('alertname!~"Kube.*"')
    expect(screen(alert(), undefined, { ...RULES, matchers: matcher ? [matcher] : [] }, 0)).toMatchObject({ kind: 'filtered', why: expect.stringContaining('alertname!~') })
    expect(screen(alert(), undefined, { ...RULES, severities: ['warning'], namespaces: ['team-a'] }, 0).kind).toBe('new')
  })
  it('goes by the namespace of the object, not by that of its exporter', () => {
    const labels = { alertname: 'x', namespace: 'monitoring', exported_namespace: 'team-a' }
    expect(screen(alert({ labels }), undefined, { ...RULES, namespaces: ['team-a'] }, 0).kind).toBe('new')
  })
  it('lets the end of a known episode through filters that came later', () => {
    expect(screen(alert({ status: 'resolved', endsAt: 2_500 }), known(), { ...RULES, severities: ['critical'] }, 3_000).kind).toBe('resolved')
  })
})

describe('within an episode', () => {
  it('takes a startsAt that moved back or forth, but not beyond the last sight, for a repeat', () => {
    for (const startsAt of [10, 1_000, 2_000]) expect(screen(alert({ startsAt }), known(), RULES, 3_000)).toEqual({ kind: 'repeat', caseId: 'c1' })
  })
  it('takes a start after the last sight for a new episode whose predecessor ended unheard', () => {
    expect(screen(alert({ startsAt: 2_001 }), known(), RULES, 3_000).kind).toBe('new')
  })
  it.each(['refused', 'told', 'cancelled', 'failed', 'unproven'] as const)('opens a case again when the earlier one ended %s and 30 minutes passed', (outcome) => {
    const late = 1_500 + RULES.reconsiderMs
    expect(screen(alert(), closed(outcome), RULES, late - 1).kind).toBe('repeat')
    expect(screen(alert(), closed(outcome), RULES, late)).toEqual({ kind: 'reopen', formerCase: 'c1' })
  })
  it.each(['fixed', 'undone', 'observed'] as const)('only counts repeats of a case that ended %s', (outcome) => {
    expect(screen(alert(), closed(outcome), RULES, 1e9).kind).toBe('repeat')
  })
  it('never opens a second case while the first is open', () => {
    expect(screen(alert(), known(), RULES, 1e12).kind).toBe('repeat')
    // Also when the record still has the outcome of the case before it.
    expect(screen(alert(), known({ outcome: 'told' }), RULES, 1e12).kind).toBe('repeat')
  })
})

describe('the end', () => {
  it('ends the known episode at endsAt, or now when there is none', () => {
    expect(screen(alert({ status: 'resolved', endsAt: 2_500 }), known(), RULES, 3_000)).toEqual({ kind: 'resolved', caseId: 'c1', resolvedAt: 2_500 })
    expect(screen(alert({ status: 'resolved' }), known(), RULES, 3_000)).toMatchObject({ resolvedAt: 3_000 })
  })
  it('ignores an end from before the present firing began', () => {
    expect(screen(alert({ status: 'resolved', startsAt: 100, endsAt: 900 }), known(), RULES, 3_000)).toEqual({ kind: 'stale', caseId: 'c1' })
  })
  it('knows an end without a beginning', () => {
    expect(screen(alert({ status: 'resolved', endsAt: 900 }), undefined, RULES, 3_000).kind).toBe('unknown-resolved')
    expect(screen(alert({ status: 'resolved', startsAt: 3_000, endsAt: 4_000 }), known({ resolvedAt: 2_500 }), RULES, 5_000).kind).toBe('unknown-resolved')
  })
  it('is a repeat the second time', () => {
    expect(screen(alert({ status: 'resolved', endsAt: 2_500 }), known({ resolvedAt: 2_500 }), RULES, 3_000).kind).toBe('repeat')
  })
  it('is followed by a new episode only when a later start fires', () => {
    const ended = closed('fixed', { resolvedAt: 2_500 })
    expect(screen(alert({ startsAt: 2_501 }), ended, RULES, 3_000).kind).toBe('new')
    expect(screen(alert({ startsAt: 1_000 }), ended, RULES, 3_000).kind).toBe('repeat')
  })
  it('is doubted when the old start still fires long after it', () => {
    expect(screen(alert(), closed('fixed', { resolvedAt: 2_500 }), RULES, 2_500 + RULES.reconsiderMs).kind).toBe('reopen')
    expect(screen(alert(), known({ resolvedAt: 2_500 }), RULES, 2_500 + RULES.reconsiderMs).kind).toBe('repeat')
  })
})

describe('a sequence of deliveries', () => {
  interface Delivery {
    readonly alert: Alert
    readonly at: number
  }
  const walk = (deliveries: readonly Alert[], times: readonly number[]): { kinds: Screened['kind'][]; known: Known | undefined } => {
    let memory: Known | undefined
    const kinds: Screened['kind'][] = []
    for (const [index, delivered] of deliveries.entries()) {
      const now = times[index] ?? 0
      const screened = screen(delivered, memory, RULES, now)
      memory = remember(delivered, memory, screened, caseId(`c${index}`), now)
      kinds.push(screened.kind)
    }
    return { kinds, known: memory }
  }
  const cases = (kinds: readonly Screened['kind'][]) => kinds.filter((kind) => kind === 'new' || kind === 'reopen').length

  // Episodes one after the other; each fires a few times from two replicas whose starts differ by some seconds, then ends.
  const episode = fc.record({ repeats: fc.integer({ min: 1, max: 4 }), jitter: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 }), ends: fc.boolean() })
  const timeline = fc.array(episode, { minLength: 1, maxLength: 5 }).map((episodes) =>
    episodes.flatMap(({ repeats, jitter, ends }, index): Delivery[] => {
      const begin = 10_000 + index * 1_000
      const firing = Array.from({ length: repeats }, (_, i) => ({ alert: alert({ startsAt: begin + (jitter[i] ?? 0) }), at: begin + 50 + i * 10 }))
      // The last end may be missing; an earlier one that is missing is seen from the next start.
      return ends ? [...firing, { alert: alert({ status: 'resolved', startsAt: begin, endsAt: begin + 500 }), at: begin + 510 }] : firing
    }),
  )
  const truth = (deliveries: readonly Delivery[]) => new Set(deliveries.map((d) => Math.floor(d.alert.startsAt / 1_000))).size

  it('opens exactly one case an episode, however often each delivery is repeated', () => {
    fc.assert(
      fc.property(timeline, fc.integer({ min: 1, max: 3 }), (deliveries, copies) => {
        const many = deliveries.flatMap((d) => Array.from({ length: copies }, () => d))
        const { kinds } = walk(
          many.map((d) => d.alert),
          many.map((d) => d.at),
        )
        expect(cases(kinds)).toBe(truth(deliveries))
      }),
    )
  })

  it('opens at least one and never more cases than there are episodes, in whatever order the deliveries come', () => {
    const shuffled = timeline.chain((deliveries) => fc.tuple(fc.constant(deliveries), fc.shuffledSubarray([...deliveries, ...deliveries], { minLength: deliveries.length * 2 })))
    fc.assert(
      fc.property(shuffled, ([deliveries, order]) => {
        const { kinds } = walk(
          order.map((d) => d.alert),
          order.map((_, index) => 20_000 + index),
        )
        expect(cases(kinds)).toBeGreaterThanOrEqual(1)
        expect(cases(kinds)).toBeLessThanOrEqual(truth(deliveries))
      }),
    )
  })

  it('is never ended by an older end: what fires last stays open', () => {
    fc.assert(
      fc.property(timeline, fc.nat(), (deliveries, pick) => {
        const last = { alert: alert({ startsAt: 90_000 }), at: 90_010 }
        const ends = deliveries.filter((d) => d.alert.status === 'resolved')
        const late = ends.length > 0 ? [{ alert: (ends[pick % ends.length] ?? last).alert, at: 90_020 }] : []
        const all = [...deliveries, last, ...late]
        const { known: memory } = walk(
          all.map((d) => d.alert),
          all.map((d) => d.at),
        )
        expect(memory?.resolvedAt).toBeUndefined()
        expect(memory?.startsAt).toBe(90_000)
      }),
    )
  })
})
