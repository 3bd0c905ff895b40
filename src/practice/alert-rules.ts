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
  const values = new Map<string, { readonly value: unknown; readonly since: number }>()
  const view: View = {
    store,
    unchangedFor(key, value) {
      const before = values.get(key)
      const now = before && before.value === value ? before : { value, since: clock.elapsed() }
      values.set(key, now)
      return (clock.elapsed() - now.since) / pace.forFactor
    },
  }
  /** Takes note of what holds now; answers what fires newly or still. */
  const look = (): void => {
    const now = clock.elapsed()
    for (const rule of rules) {
      for (const series of rule.series(view)) {
        const key = keyOf(rule.alert, series.labels)
        const before = watched.get(key)
        const since = before?.since ?? now
        const fires = now - since >= rule.forMs * pace.forFactor
        watched.set(key, { rule, series, since, lastHeld: now, startsAt: before?.startsAt ?? (fires ? clock.now() : undefined) })
      }
    }
  }
  /** A series that ended goes on for the range of its expression, and may begin to fire in it, as max_over_time does. */
  const settle = (key: string, seen: Watched): Posted | undefined => {
    const now = clock.elapsed()
    const over = seen.lastHeld < now && now - seen.lastHeld >= (seen.rule.overMs ?? 0) * pace.forFactor
    if (!over && seen.startsAt === undefined && now - seen.since >= seen.rule.forMs * pace.forFactor) watched.set(key, { ...seen, startsAt: clock.now() })
    if (over) watched.delete(key)
    const startsAt = (over ? seen : watched.get(key))?.startsAt
    return startsAt === undefined ? undefined : posted(seen, startsAt, clock.now() + (over ? 0 : pace.resolveTimeoutMs))
  }
  return {
    evaluate() {
      look()
      return [...watched].flatMap(([key, seen]) => settle(key, seen) ?? [])
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
