// Evaluates alert rules as Prometheus does: pending for the rule's `for`, firing, resolved; at the world's pace.
import type { Labels } from '../domain/alert.ts'
import type { Clock } from '../domain/ports.ts'
import { ALERT_RULES, type AlertRule, type Series, type View } from './alert-conditions.ts'
import type { Posted } from './alertmanager/kept-alerts.ts'
import type { Pace } from './pace.ts'
import type { Store } from './store.ts'

interface Watched {
  readonly rule: AlertRule
  readonly series: Series
  /** When it began to hold, and when it last did, on the clock that never goes back. */
  readonly since: number
  readonly lastHeld: number
  /** Looks in a row that did not find it. */
  readonly missed: number
  /** Wall time at which it began to fire; undefined while it is pending. */
  readonly startsAt: number | undefined
}

export interface Evaluator {
  /** Looks once. Answers what fires now, and what has ended since the last look. */
  evaluate(): readonly Posted[]
  /** Something holds that has not held for long enough to fire. */
  pending(): boolean
}

const keyOf = (alert: string, labels: Labels): string => `${alert} ${JSON.stringify(Object.entries(labels).sort())}`

export function makeEvaluator(store: Store, clock: Clock, pace: Pace, rules: readonly AlertRule[] = ALERT_RULES): Evaluator {
  const watched = new Map<string, Watched>()
  /** Values asked of in the last look and in this one: what nobody asks of any more is forgotten. */
  let known = new Map<string, { readonly value: unknown; readonly since: number }>()
  let asked: typeof known = new Map()
  const view: View = {
    store,
    unchangedFor(key, value) {
      const before = known.get(key)
      const now = before && before.value === value ? before : { value, since: clock.elapsed() }
      asked.set(key, now)
      return (clock.elapsed() - now.since) / pace.forFactor
    },
  }
  /** Takes note of what holds now. */
  const look = (now: number): void => {
    known = asked
    asked = new Map()
    for (const rule of rules) {
      for (const series of rule.series(view)) {
        const key = keyOf(rule.alert, series.labels)
        const before = watched.get(key)
        watched.set(key, { rule, series, since: before?.since ?? now, lastHeld: now, missed: -1, startsAt: before?.startsAt })
      }
    }
  }
  /**
   * A series that ended goes on for the range of its expression, and may begin to fire in it, as max_over_time does. The range is counted
   * in looks too: where the machine is slow, two looks lie far apart, and one that fell between two crashes proves nothing.
   */
  const settle = (now: number, key: string, before: Watched): Posted | undefined => {
    const range = (before.rule.overMs ?? 0) * pace.forFactor
    const missed = before.missed + 1
    const over = missed > 0 && missed >= range / pace.evaluateMs && now - before.lastHeld >= range
    const fires = now - before.since >= before.rule.forMs * pace.forFactor
    const seen: Watched = { ...before, missed, startsAt: before.startsAt ?? (fires && !over ? clock.now() : undefined) }
    if (over) watched.delete(key)
    else watched.set(key, seen)
    return seen.startsAt === undefined ? undefined : posted(seen, seen.startsAt, clock.now() + (over ? 0 : pace.resolveTimeoutMs))
  }
  return {
    evaluate() {
      // One moment for the whole evaluation: the clock goes on while it runs, and what held a moment ago would seem to have ended.
      const now = clock.elapsed()
      look(now)
      return [...watched].flatMap(([key, seen]) => settle(now, key, seen) ?? [])
    },
    pending: () => [...watched.values()].some(({ startsAt }) => startsAt === undefined),
  }
}

function posted({ rule, series }: Watched, startsAt: number, endsAt: number): Posted {
  return {
    labels: { ...series.labels, alertname: rule.alert, severity: rule.severity, prometheus: 'monitoring/k8s' },
    annotations: {
      summary: rule.summary,
      description: series.description,
      runbook_url: `https://runbooks.prometheus-operator.dev/runbooks/kubernetes/${rule.alert.toLowerCase()}`,
    },
    startsAt,
    endsAt,
    generatorURL: `http://prometheus.practice:9090/graph?g0.expr=ALERTS%7Balertname%3D%22${rule.alert}%22%7D`,
  }
}
