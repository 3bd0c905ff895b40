// One alert as Alertmanager told it, normalised: times are milliseconds since the epoch, the zero `endsAt` is undefined.
export type Labels = Readonly<Record<string, string>>

export interface Alert {
  /** Alertmanager's hash of the label set: the same for every repeat and every peer. */
  readonly fingerprint: string
  readonly status: 'firing' | 'resolved'
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: number
  readonly endsAt: number | undefined
  readonly generatorUrl: string | undefined
}

export const alertName = (alert: Pick<Alert, 'labels'>): string => alert.labels['alertname'] ?? ''
export const severity = (alert: Pick<Alert, 'labels'>): string => alert.labels['severity'] ?? 'none'
