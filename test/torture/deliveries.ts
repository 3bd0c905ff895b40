// Deliveries as Alertmanager makes them, one alert at a time and without its waiting.
import { createHash } from 'node:crypto'
import { realPorts } from '../../src/ports.ts'

export type LabelSet = Readonly<Record<string, string>>
export interface Delivered {
  readonly status: 'firing' | 'resolved'
  readonly labels: LabelSet
  readonly annotations: LabelSet
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL: string
  readonly fingerprint: string
}

export const alertOf = (labels: LabelSet): Delivered => ({
  status: 'firing',
  labels: { severity: 'warning', ...labels },
  annotations: {},
  startsAt: new Date(realPorts.clock.now() - 1_000).toISOString(),
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: '',
  fingerprint: createHash('sha256').update(JSON.stringify(labels)).digest('hex').slice(0, 16),
})

const network = realPorts.http()

/** The status of the answer. */
export async function deliver(url: string, alerts: readonly Delivered[]): Promise<number> {
  const body = {
    version: '4',
    status: 'firing',
    receiver: 'alerts-slm',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: '',
    alerts,
  }
  const answer = await network({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  await answer.text()
  return answer.status
}
