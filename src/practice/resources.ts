// What the practice API server serves: group, version, plural, scope and subresources of every kind, and where a kind is kept.
import { at, isPlain, listAt, type Plain, textAt } from './fields.ts'

export interface Resource {
  readonly group: string
  readonly version: string
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  readonly subresources: readonly string[]
  readonly shortNames: readonly string[]
  /** A built-in kind; a custom one is listed with apiVersion and kind on every item and knows no strategic merge patch. */
  readonly builtIn: boolean
  /** The name under which the store keeps it: its kind, with the group where another group has that kind too. */
  readonly stored: string
  /** Answers a question and keeps nothing. */
  readonly review: boolean
  /** `<plural>.<group>`, as messages name it. */
  readonly qualified: string
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')

interface Extra {
  readonly namespaced?: boolean
  readonly sub?: readonly string[]
  readonly short?: readonly string[]
  readonly builtIn?: boolean
  readonly review?: boolean
  readonly stored?: string
}
function resource(apiVersion: string, kind: string, plural: string, extra: Extra = {}): Resource {
  const group = groupOf(apiVersion)
  return {
    group,
    version: apiVersion.split('/').at(-1) ?? '',
    apiVersion,
    kind,
    plural,
    namespaced: extra.namespaced ?? true,
    subresources: extra.sub ?? [],
    shortNames: extra.short ?? [],
    builtIn: extra.builtIn ?? true,
    review: extra.review ?? false,
    stored: extra.stored ?? kind,
    qualified: group === '' ? plural : `${plural}.${group}`,
  }
}
const cluster = { namespaced: false }
const status = { sub: ['status'] }
const scaled = { sub: ['status', 'scale'] }
const review = { review: true }

const BUILT_IN: readonly Resource[] = [
  resource('v1', 'Pod', 'pods', { sub: ['status', 'log', 'eviction', 'resize'], short: ['po'] }),
  resource('v1', 'Service', 'services', { ...status, short: ['svc'] }),
  resource('v1', 'Endpoints', 'endpoints', { short: ['ep'] }),
  resource('v1', 'ConfigMap', 'configmaps', { short: ['cm'] }),
  resource('v1', 'Secret', 'secrets'),
  resource('v1', 'ServiceAccount', 'serviceaccounts', { short: ['sa'] }),
  resource('v1', 'Event', 'events', { short: ['ev'] }),
  resource('v1', 'Namespace', 'namespaces', { ...cluster, ...status, short: ['ns'] }),
  resource('v1', 'Node', 'nodes', { ...cluster, ...status, short: ['no'] }),
  resource('v1', 'PersistentVolume', 'persistentvolumes', { ...cluster, ...status, short: ['pv'] }),
  resource('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', { ...status, short: ['pvc'] }),
  resource('v1', 'ResourceQuota', 'resourcequotas', { ...status, short: ['quota'] }),
  resource('v1', 'LimitRange', 'limitranges', { short: ['limits'] }),
  resource('v1', 'ReplicationController', 'replicationcontrollers', { ...scaled, short: ['rc'] }),
  resource('apps/v1', 'Deployment', 'deployments', { ...scaled, short: ['deploy'] }),
  resource('apps/v1', 'ReplicaSet', 'replicasets', { ...scaled, short: ['rs'] }),
  resource('apps/v1', 'StatefulSet', 'statefulsets', { ...scaled, short: ['sts'] }),
  resource('apps/v1', 'DaemonSet', 'daemonsets', { ...status, short: ['ds'] }),
  resource('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  resource('batch/v1', 'Job', 'jobs', status),
  resource('batch/v1', 'CronJob', 'cronjobs', { ...status, short: ['cj'] }),
  resource('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', { ...status, short: ['hpa'] }),
  resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { ...status, short: ['pdb'] }),
  resource('coordination.k8s.io/v1', 'Lease', 'leases'),
  resource('events.k8s.io/v1', 'Event', 'events', { short: ['ev'] }),
  resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', { short: ['netpol'] }),
  resource('networking.k8s.io/v1', 'Ingress', 'ingresses', { ...status, short: ['ing'] }),
  resource('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  resource('storage.k8s.io/v1', 'StorageClass', 'storageclasses', { ...cluster, short: ['sc'] }),
  resource('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', { ...cluster, short: ['pc'] }),
  resource('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  resource('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', cluster),
  resource('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', cluster),
  resource('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', { ...cluster, ...status, short: ['crd'] }),
  resource('metrics.k8s.io/v1beta1', 'PodMetrics', 'pods'),
  resource('metrics.k8s.io/v1beta1', 'NodeMetrics', 'nodes', cluster),
  resource('authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', { ...cluster, ...review }),
  resource('authorization.k8s.io/v1', 'SubjectAccessReview', 'subjectaccessreviews', { ...cluster, ...review }),
  resource('authorization.k8s.io/v1', 'LocalSubjectAccessReview', 'localsubjectaccessreviews', review),
  resource('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', { ...cluster, ...review }),
  resource('authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews', { ...cluster, ...review }),
]
const HOME = new Map(BUILT_IN.filter((r) => r.apiVersion !== 'events.k8s.io/v1').map((r) => [r.kind, r]))

/** The same kind of a group that is not the built-in one's (Knative's Service) is kept apart; both Event APIs show one store. */
export function storedAs(apiVersion: string, kind: string): string {
  const home = HOME.get(kind)
  const group = groupOf(apiVersion)
  if (!home || home.group === group || (kind === 'Event' && group === 'events.k8s.io')) return kind
  return `${kind}.${group}`
}

const WITHOUT_GENERATION = new Set([
  'Service',
  'Endpoints',
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'Event',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ResourceQuota',
  'LimitRange',
  'ControllerRevision',
  'HorizontalPodAutoscaler',
  'Lease',
  'StorageClass',
  'PodMetrics',
  'NodeMetrics',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
])
/** Whether the API server counts the changes of a kind's spec in metadata.generation. */
export const countsGenerations = (stored: string): boolean => !WITHOUT_GENERATION.has(stored)

/** The plural that client-go guesses for a kind nobody described. */
function guessPlural(kind: string): string {
  const word = kind.toLowerCase()
  if (word.endsWith('s')) return `${word}es`
  if (word.endsWith('y') && !/[aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`
  return /(x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`
}

/** What is served now: the built-in kinds and those that custom definitions or loaded manifests brought. */
export class Resources {
  readonly #byPath = new Map<string, Resource>()
  readonly #byKind = new Map<string, Resource>()

  constructor() {
    for (const each of BUILT_IN) this.#add(each)
  }
  #add(each: Resource): void {
    this.#byPath.set(`${each.apiVersion} ${each.plural}`, each)
    this.#byKind.set(`${each.apiVersion} ${each.kind}`, each)
  }
  find(apiVersion: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${apiVersion} ${plural}`)
  }
  ofKind(apiVersion: string, kind: string): Resource | undefined {
    return this.#byKind.get(`${apiVersion} ${kind}`)
  }
  all(): readonly Resource[] {
    return [...this.#byPath.values()]
  }
  serves(apiVersion: string): boolean {
    return this.all().some((each) => each.apiVersion === apiVersion)
  }

  /** Serves a kind seen in a manifest whose definition is not known. */
  meet(apiVersion: string, kind: string, namespaced: boolean): Resource {
    const known = this.ofKind(apiVersion, kind)
    if (known) return known
    const guessed = resource(apiVersion, kind, guessPlural(kind), { namespaced, sub: ['status', 'scale'], builtIn: false, stored: storedAs(apiVersion, kind) })
    this.#add(guessed)
    return guessed
  }
  /** Serves what a CustomResourceDefinition describes, in every served version. */
  define(definition: Plain): void {
    const group = textAt(definition, 'spec', 'group')
    const kind = textAt(definition, 'spec', 'names', 'kind')
    const plural = textAt(definition, 'spec', 'names', 'plural')
    if (!group || !kind || !plural) return
    for (const version of listAt(definition, 'spec', 'versions').filter(isPlain)) {
      if (at(version, 'served') === false) continue
      const apiVersion = `${group}/${textAt(version, 'name') ?? 'v1'}`
      this.#add(
        resource(apiVersion, kind, plural, {
          namespaced: textAt(definition, 'spec', 'scope') !== 'Cluster',
          sub: ['status', 'scale'].filter((name) => at(version, 'subresources', name) !== undefined),
          builtIn: false,
          stored: storedAs(apiVersion, kind),
        }),
      )
    }
  }
}
