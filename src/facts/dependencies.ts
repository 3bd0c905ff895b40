// What else fires in the namespace now: a workload whose database is down is not cured by restarting it.
import * as z from 'zod'
import { type Alert, alertName, severity } from '../domain/alert.ts'
import type { Target } from '../domain/target.ts'
import { isUnknown, type Unknown } from '../domain/unknown.ts'
import { defineFact, type Fact, type FactSources } from './define-fact.ts'
import { count, words } from './shape.ts'

/** Alerts that fire by design, and our own notifications: they tell of no trouble elsewhere. */
const NO_TROUBLE = new Set(['Watchdog', 'InfoInhibitor', 'DeadMansSwitch'])
const isTrouble = (alert: Alert): boolean =>
  alert.status === 'firing' && !NO_TROUBLE.has(alertName(alert)) && !Object.hasOwn(alert.labels, 'alerts_slm_case') && !['info', 'none'].includes(severity(alert))

const NAMING = ['pod', 'deployment', 'statefulset', 'daemonset', 'job_name', 'cronjob', 'service', 'persistentvolumeclaim', 'horizontalpodautoscaler'] as const
/** By name alone, as the alert's own object is not looked up: `web-7d4f9` is of `web`. */
function isAbout(alert: Alert, target: Target): boolean {
  const own = target.chain.map((ref) => ref.name)
  return NAMING.some((label) => {
    const value = alert.labels[`exported_${label}`] ?? alert.labels[label]
    return value !== undefined && (own.includes(value) || (label === 'pod' && value.startsWith(`${target.owner.name}-`)))
  })
}

async function others(from: FactSources): Promise<readonly Alert[] | Unknown> {
  const firing = await from.firing()
  if (isUnknown(firing)) return firing
  const own = new Set(from.alerts.map((alert) => alert.fingerprint))
  return firing.filter((alert) => !own.has(alert.fingerprint))
}
const names = (alerts: readonly Alert[]): string[] => [...new Set(alerts.map(alertName))].sort()

export const dependencies: Fact = defineFact({
  name: 'dependencies',
  group: 'dependencies',
  summary: 'other alerts of the namespace that fire now, severity warning and above',
  schema: z.object({
    elsewhere: count('alerts about other workloads'),
    names: words('names of the alerts about other workloads'),
    same: count('other alerts about this workload'),
    sameNames: words('names of the other alerts about this workload'),
  }),
  cost: 9,
  ofCluster: false,
  read: async (from) => {
    const found = await others(from)
    if (isUnknown(found)) return found
    const trouble = found.filter(isTrouble)
    const same = trouble.filter((alert) => from.target !== undefined && isAbout(alert, from.target))
    const elsewhere = trouble.filter((alert) => !same.includes(alert))
    return { elsewhere: elsewhere.length, names: names(elsewhere), same: same.length, sameNames: names(same) }
  },
})

export const firing: Fact = defineFact({
  name: 'firing',
  group: 'dependencies',
  summary: 'how many other alerts of one name fire now in the namespace',
  schema: count('alerts of that name'),
  params: z.strictObject({ name: z.string().min(1).describe('an alert name') }),
  cost: 9,
  ofCluster: false,
  read: async (from, { name }) => {
    const found = await others(from)
    return isUnknown(found) ? found : found.filter((alert) => alert.status === 'firing' && alertName(alert) === name).length
  },
})
