// Facts of the alert's own words. They are no evidence about the cluster: whoever can send an alert can write them.
import * as z from 'zod'
import { alertName, severity } from '../domain/alert.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { secondsBetween } from './plain.ts'
import { count, seconds, text } from './shape.ts'

const NAME = z.strictObject({ name: z.string().min(1) })

export const alert: Fact = defineFact({
  name: 'alert',
  group: 'alert',
  summary: 'the alert that opened the case',
  schema: z.object({
    name: text('label alertname'),
    severity: text('label severity; `none` without one'),
    ageSeconds: seconds('since startsAt'),
    alerts: count('alerts of this case'),
  }),
  cost: 0,
  ofCluster: false,
  read: ({ alerts, now }) => ({
    name: alertName(alerts[0]),
    severity: severity(alerts[0]),
    ageSeconds: secondsBetween(alerts[0].startsAt, now),
    alerts: alerts.length,
  }),
})

const own = (map: Readonly<Record<string, string>>, name: string): string | null => (Object.hasOwn(map, name) ? (map[name] ?? null) : null)

export const label: Fact = defineFact({
  name: 'label',
  group: 'alert',
  summary: 'one label of the alert; null when it has none of that name',
  schema: z.string().nullable().describe('value of the label'),
  params: NAME,
  cost: 0,
  ofCluster: false,
  read: ({ alerts }, { name }) => own(alerts[0].labels, name),
})

export const annotation: Fact = defineFact({
  name: 'annotation',
  group: 'alert',
  summary: 'one annotation of the alert; null when it has none of that name',
  schema: z.string().nullable().describe('value of the annotation'),
  params: NAME,
  cost: 0,
  ofCluster: false,
  read: ({ alerts }, { name }) => own(alerts[0].annotations, name),
})
