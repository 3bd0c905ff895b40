// Which labels name which objects. The table is configurable; the order is the order of preference.
import type { Labels } from '../../domain/alert.ts'

/** One label that names an object of a kind in the alert's namespace. */
interface NamingLabel {
  readonly label: string
  readonly apiVersion: string
  readonly kind: string
}

export interface LabelMap {
  /** The most telling first: a pod before its Deployment, both before a Service. */
  readonly objects: readonly NamingLabel[]
  /** Put before a label's name by Prometheus where the scraped target's own label had it first (honor_labels: false). */
  readonly exportedPrefix: string
  /** Names of programs that report on other objects, as `job`, `container`, `service` or a part of their pods' names has them. */
  readonly exporters: readonly string[]
}

const names = (label: string, apiVersion: string, kind: string): NamingLabel => ({ label, apiVersion, kind })

export const DEFAULT_LABELS: LabelMap = {
  exportedPrefix: 'exported_',
  exporters: ['kube-state-metrics', 'node-exporter', 'openshift-state-metrics'],
  objects: [
    names('pod', 'v1', 'Pod'),
    names('deployment', 'apps/v1', 'Deployment'),
    names('statefulset', 'apps/v1', 'StatefulSet'),
    names('daemonset', 'apps/v1', 'DaemonSet'),
    names('replicaset', 'apps/v1', 'ReplicaSet'),
    names('job_name', 'batch/v1', 'Job'),
    names('cronjob', 'batch/v1', 'CronJob'),
    names('horizontalpodautoscaler', 'autoscaling/v2', 'HorizontalPodAutoscaler'),
    names('poddisruptionbudget', 'policy/v1', 'PodDisruptionBudget'),
    names('persistentvolumeclaim', 'v1', 'PersistentVolumeClaim'),
    names('resourcequota', 'v1', 'ResourceQuota'),
    names('service', 'v1', 'Service'),
  ],
}

export interface Named extends NamingLabel {
  readonly name: string
}

export interface Naming {
  readonly namespace: string | undefined
  readonly container: string | undefined
  /** In order of preference. */
  readonly objects: readonly Named[]
}

/** Labels that Prometheus adds of the scraped pod itself, where the metric did not bring its own. */
const OF_THE_SCRAPED_POD = ['namespace', 'pod', 'container', 'service', 'instance', 'endpoint']

/**
 * What the labels name. An exporter's metrics carry two sets of names: those of the object that it reports on, and its own
 * as the one that was scraped. Which is which shows in three ways: `exported_…` stands for the object; with honorLabels
 * the plain ones are the object's (kube-prometheus); where they name the exporter itself they are left out.
 */
export function naming(labels: Labels, map: LabelMap): Naming {
  const of = (label: string): string | undefined => (Object.hasOwn(labels, label) && labels[label] !== '' ? labels[label] : undefined)
  const exported = (label: string) => of(`${map.exportedPrefix}${label}`)
  const scraped = ownNames(of, map)
  const plain = (label: string) => (scraped && OF_THE_SCRAPED_POD.includes(label) ? undefined : of(label))
  const best = (label: string) => exported(label) ?? plain(label)
  const objects = map.objects.flatMap((entry): Named[] => {
    const name = best(entry.label)
    return name === undefined || isExporters(entry.label, name, map) ? [] : [{ ...entry, name }]
  })
  return { namespace: exported('namespace') ?? of('namespace'), container: containerOf(of, best, map), objects }
}

type Of = (label: string) => string | undefined

/** The plain names are those of the scraped exporter: one of them was pushed aside, or the pod is the exporter's own. */
function ownNames(of: Of, map: LabelMap): boolean {
  if (OF_THE_SCRAPED_POD.some((label) => label !== 'instance' && of(`${map.exportedPrefix}${label}`) !== undefined)) return true
  const exporter = map.exporters.find((name) => of('job')?.includes(name))
  return exporter !== undefined && [of('pod'), of('container')].some((value) => value?.includes(exporter))
}

/** Metrics of an exporter name a container only together with its pod; alone, it is the exporter's (kube-rbac-proxy-main). */
const containerOf = (of: Of, best: Of, map: LabelMap): string | undefined =>
  best('pod') === undefined && of(`${map.exportedPrefix}container`) === undefined && map.exporters.some((name) => of('job')?.includes(name)) ? undefined : best('container')

/** kube-prometheus keeps the object's pod and namespace, and may leave the exporter's `service` beside them. */
const isExporters = (label: string, name: string, map: LabelMap): boolean => label === 'service' && map.exporters.some((exporter) => name.includes(exporter))
