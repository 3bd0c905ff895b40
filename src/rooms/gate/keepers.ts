// Who sets fields back: field managers, marks of GitOps tools, operators, and what Git says of a field.
import { type FieldsEntry, ownsField, valueAt } from '../../domain/managed-fields.ts'
import type { AnyObject } from '../../kube/wire.ts'

export interface Keeper {
  readonly who: string
}

const ARGO_ID = 'argocd.argoproj.io/tracking-id'
const FLUX_KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/name'
const FLUX_HELM = 'helm.toolkit.fluxcd.io/name'
const FLUX_RECONCILE = 'kustomize.toolkit.fluxcd.io/reconcile'
const FLUX_SSA = 'kustomize.toolkit.fluxcd.io/ssa'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Managers that write again what they once wrote. Plain Helm, kubectl and people's tools do not. */
const MANAGERS: Readonly<Record<string, string>> = {
  'argocd-controller': 'Argo CD',
  'argocd-application-controller': 'Argo CD',
  'kustomize-controller': 'Flux (kustomize-controller)',
  'helm-controller': 'Flux (helm-controller)',
  keda: 'KEDA',
  'keda-operator': 'KEDA',
  olm: 'OLM',
}

const label = (object: AnyObject, key: string): string | undefined => object.metadata?.labels?.[key]
const annotation = (object: AnyObject, key: string): string | undefined => object.metadata?.annotations?.[key]

/** The two annotations by which Flux is told to leave an object as it is. */
const fluxLeaves = (object: AnyObject): boolean => annotation(object, FLUX_RECONCILE) === 'disabled' || ['IfNotPresent', 'Ignore'].includes(annotation(object, FLUX_SSA) ?? '')

export function keeperOf(manager: string, object: AnyObject): Keeper | undefined {
  if (manager === 'kustomize-controller' && fluxLeaves(object)) return undefined
  const who = Object.hasOwn(MANAGERS, manager) ? MANAGERS[manager] : undefined
  return who === undefined ? undefined : { who }
}

/** Groups whose controllers do not watch single fields of what they own, but for the pairs below. */
const BUILT_IN = new Set(['', 'apps', 'batch'])
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')

/** Keepers of the whole object: OLM, the operator or custom resource above it, and the Deployment above a ReplicaSet. */
export function keeperOfAll(object: AnyObject): Keeper | undefined {
  const olm = label(object, 'olm.owner')
  if (olm !== undefined) return { who: `OLM (${label(object, 'olm.owner.kind') ?? 'owner'} ${olm})` }
  const above = object.metadata?.ownerReferences?.find(({ controller }) => controller === true)
  if (!above || (BUILT_IN.has(groupOf(above.apiVersion)) && above.kind !== 'Deployment')) return undefined
  return { who: `${above.kind} ${above.name}` }
}

interface MarkedKeeper extends Keeper {
  readonly leavesAlone: (field: string) => boolean
}
const RESTARTED_AT = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt'

/** A GitOps tool whose marks are on the object but whose entry is not among the managed fields. */
export function keptByMarks(object: AnyObject, entries: readonly FieldsEntry[]): MarkedKeeper | undefined {
  const wrote = (who: string): boolean => entries.some(({ manager }) => MANAGERS[manager] === who)
  const nothing = () => false
  // Argo CD compares with Git, where the moment of a restart is never written.
  if (annotation(object, ARGO_ID) !== undefined && !wrote('Argo CD')) return { who: 'Argo CD', leavesAlone: (field) => field === RESTARTED_AT }
  if (label(object, FLUX_KUSTOMIZE) !== undefined && !wrote('Flux (kustomize-controller)') && !fluxLeaves(object))
    return { who: 'Flux (kustomize-controller)', leavesAlone: nothing }
  if (label(object, FLUX_HELM) !== undefined && !wrote('Flux (helm-controller)')) return { who: 'Flux (helm-controller)', leavesAlone: nothing }
  return undefined
}

/**
 * A client-side apply (operation Update) owns defaulted fields too, such as replicas that nobody wrote. What it really keeps
 * stands in its own last-applied annotation; where that is not its own or cannot be read, it keeps all that it owns.
 */
export function lastAppliedKeeps(entry: FieldsEntry, object: AnyObject, field: string): boolean {
  const text = annotation(object, LAST_APPLIED)
  if (entry.operation !== 'Update' || text === undefined || !ownsField(entry, object, `/metadata/annotations/${LAST_APPLIED.replaceAll('/', '~1')}`)) return true
  const applied = parse(text)
  // Places in lists may differ between the two, so only fields outside of lists are looked up.
  if (applied === undefined || /\/\d+(?:\/|$)/.test(field)) return true
  return valueAt(applied, field) !== undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
