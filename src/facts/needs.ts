// The rights that facts read with, named once: what a fact declares here is what its Role will hold.
import type { Right } from '../domain/plan.ts'

const reads = (apiGroup: string, resource: string, verbs: readonly string[] = ['get', 'list']): Right => ({ apiGroup, resource, verbs })

export const PODS = reads('', 'pods')
export const POD_LOGS = reads('', 'pods/log', ['get'])
export const EVENTS = reads('', 'events', ['list'])
export const CLAIMS = reads('', 'persistentvolumeclaims', ['get'])
export const QUOTAS = reads('', 'resourcequotas', ['list'])
export const AUTOSCALERS = reads('autoscaling', 'horizontalpodautoscalers')
export const BUDGETS = reads('policy', 'poddisruptionbudgets', ['list'])
export const POD_METRICS = reads('metrics.k8s.io', 'pods', ['get'])
export const REVISIONS = reads('apps', 'controllerrevisions', ['list'])
const REPLICA_SETS = reads('apps', 'replicasets')
export const JOBS = reads('batch', 'jobs')
export const CRON_JOBS = reads('batch', 'cronjobs', ['get'])

/** The workload itself, whichever kind it is. */
export const WORKLOADS: readonly Right[] = [
  reads('apps', 'deployments', ['get']),
  reads('apps', 'statefulsets', ['get']),
  reads('apps', 'daemonsets', ['get']),
  REPLICA_SETS,
  reads('batch', 'jobs', ['get']),
]
/** What it takes to find the pods of a workload. */
export const OWN_PODS: readonly Right[] = [...WORKLOADS, PODS]
/** What it takes to read whatever the labels may name, and its owner. */
export const ANY_TARGET: readonly Right[] = [...OWN_PODS, CRON_JOBS, CLAIMS, AUTOSCALERS]
