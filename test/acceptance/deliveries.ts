// Bodies as Alertmanager's webhook of version 4 sends them.
import { fingerprint } from '../../src/practice/alertmanager/fingerprint.ts'
import type { Alerted } from './stage.ts'

const iso = (at: number): string => new Date(at).toISOString()
const ZERO = '0001-01-01T00:00:00Z'

export function delivery(status: 'firing' | 'resolved', alerts: readonly Alerted[], now: number) {
  const alertname = alerts[0]?.labels['alertname'] ?? ''
  return {
    receiver: 'alerts-slm',
    status,
    alerts: alerts.map(({ labels, annotations = {}, startsAt = now - 900_000, endsAt }) => ({
      status,
      labels,
      annotations,
      startsAt: iso(startsAt),
      endsAt: status === 'resolved' ? iso(endsAt ?? now) : ZERO,
      generatorURL: 'http://prometheus.test/graph?g0.expr=up',
      fingerprint: fingerprint(labels),
    })),
    groupLabels: { alertname },
    commonLabels: { alertname },
    commonAnnotations: {},
    externalURL: 'http://alertmanager.test',
    version: '4',
    groupKey: `{}:{alertname="${alertname}"}`,
    truncatedAlerts: 0,
  }
}
export type Delivered = Omit<ReturnType<typeof delivery>, 'alerts'> & { readonly alerts: readonly unknown[] }
