// Kubernetes objects as JSON really is: client-node's types say Date where JSON carries a string (facts F2).
import type {
  CoreV1Event,
  V1ConfigMap,
  V1ControllerRevision,
  V1CronJob,
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1Lease,
  V1LimitRange,
  V1Namespace,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1ReplicaSet,
  V1ResourceQuota,
  V1Service,
  V1StatefulSet,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node'

export type Wire<T> = T extends Date ? string : T extends readonly (infer U)[] ? Wire<U>[] : T extends object ? { [K in keyof T]: Wire<T[K]> } : T

export interface PodMetrics {
  apiVersion?: string
  kind?: string
  metadata?: { name?: string; namespace?: string; labels?: Record<string, string> }
  timestamp?: string
  window?: string
  containers?: { name: string; usage: Record<string, string> }[]
}

/** Kinds that we know the address of. Everything else is read as `AnyObject` through discovery. */
export interface Kinds {
  Pod: Wire<V1Pod>
  Service: Wire<V1Service>
  ConfigMap: Wire<V1ConfigMap>
  Event: Wire<CoreV1Event>
  Namespace: Wire<V1Namespace>
  Node: Wire<V1Node>
  PersistentVolumeClaim: Wire<V1PersistentVolumeClaim>
  ResourceQuota: Wire<V1ResourceQuota>
  LimitRange: Wire<V1LimitRange>
  Deployment: Wire<V1Deployment>
  ReplicaSet: Wire<V1ReplicaSet>
  StatefulSet: Wire<V1StatefulSet>
  DaemonSet: Wire<V1DaemonSet>
  ControllerRevision: Wire<V1ControllerRevision>
  Job: Wire<V1Job>
  CronJob: Wire<V1CronJob>
  HorizontalPodAutoscaler: Wire<V2HorizontalPodAutoscaler>
  PodDisruptionBudget: Wire<V1PodDisruptionBudget>
  Lease: Wire<V1Lease>
  PodMetrics: PodMetrics
}
export type Kind = keyof Kinds

export interface AnyObject {
  apiVersion?: string
  kind?: string
  metadata?: {
    name?: string
    namespace?: string
    uid?: string
    generation?: number
    resourceVersion?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[]
    creationTimestamp?: string
    deletionTimestamp?: string
    managedFields?: unknown[]
  }
  spec?: unknown
  status?: unknown
}

/** Where a kind lives: `/api/v1` or `/apis/<group>/<version>`, plural, namespaced or not. */
export interface Address {
  readonly apiVersion: string
  readonly group: string
  readonly plural: string
  readonly namespaced: boolean
}
const at = (apiVersion: string, plural: string, namespaced = true): Address => ({
  apiVersion,
  group: apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '',
  plural,
  namespaced,
})

export const ADDRESSES: { readonly [K in Kind]: Address } = {
  Pod: at('v1', 'pods'),
  Service: at('v1', 'services'),
  ConfigMap: at('v1', 'configmaps'),
  Event: at('v1', 'events'),
  Namespace: at('v1', 'namespaces', false),
  Node: at('v1', 'nodes', false),
  PersistentVolumeClaim: at('v1', 'persistentvolumeclaims'),
  ResourceQuota: at('v1', 'resourcequotas'),
  LimitRange: at('v1', 'limitranges'),
  Deployment: at('apps/v1', 'deployments'),
  ReplicaSet: at('apps/v1', 'replicasets'),
  StatefulSet: at('apps/v1', 'statefulsets'),
  DaemonSet: at('apps/v1', 'daemonsets'),
  ControllerRevision: at('apps/v1', 'controllerrevisions'),
  Job: at('batch/v1', 'jobs'),
  CronJob: at('batch/v1', 'cronjobs'),
  HorizontalPodAutoscaler: at('autoscaling/v2', 'horizontalpodautoscalers'),
  PodDisruptionBudget: at('policy/v1', 'poddisruptionbudgets'),
  Lease: at('coordination.k8s.io/v1', 'leases'),
  PodMetrics: at('metrics.k8s.io/v1beta1', 'pods'),
}
export const isKind = (kind: string): kind is Kind => Object.hasOwn(ADDRESSES, kind)

export interface Selector {
  /** `app=web,tier in (a,b)`: as the API takes it. */
  readonly labels?: string
  /** `involvedObject.uid=…`: as the API takes it. */
  readonly fields?: string
}

export interface LogOptions {
  readonly container: string
  readonly previous: boolean
  readonly tailLines: number
  readonly limitBytes: number
}

/**
 * Reads one namespace. It has no write method, and its transport sends only GET.
 * `undefined` means that the API server said 404; everything else that is not an answer is a Fault.
 */
export interface Reader {
  readonly namespace: string
  get<K extends Kind>(kind: K, name: string): Promise<Kinds[K] | undefined>
  list<K extends Kind>(kind: K, selector?: Selector): Promise<readonly Kinds[K][]>
  /** Any kind, by apiVersion and kind; undefined also when the API server does not serve that kind. */
  object(ref: { readonly apiVersion: string; readonly kind: string; readonly name: string }): Promise<AnyObject | undefined>
  logs(pod: string, options: LogOptions): Promise<string>
}
