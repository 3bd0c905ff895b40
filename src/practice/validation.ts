// What the API server refuses with 422: names, required fields, and fields that may not change.

import { parseQuantity } from '../domain/quantity.ts'
import { at, equal, isPlain, listAt, mapAt, type Plain, plainAt, textAt } from './fields.ts'
import { dataFlaws, metadataFlaws } from './metadata-validation.ts'
import { qosClass } from './pod-resources.ts'
import type { Resource } from './resources.ts'
import { selects } from './selectors.ts'
import { type Flaw, forbiddenField, invalid, invalidValue, required } from './status.ts'
import type { Stored } from './store.ts'

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const SUBDOMAIN_SAYS =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
/** RBAC names are path segments: `system:node` is one. */
const PATH_NAMED = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']
const SELECTING = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet']
const SCALED = ['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController']

export function checkCreate(resource: Resource, object: Stored): void {
  const flaws = [...nameFlaws(resource, object), ...metadataFlaws(object), ...specFlaws(resource, object)]
  if (flaws.length > 0) throw invalid(named(resource), object.metadata.name, flaws)
}

/** Both Event APIs validate the older one's object, and say so. */
const named = (resource: Resource): Resource => (resource.stored === 'Event' ? { ...resource, group: '' } : resource)

function nameFlaws(resource: Resource, { metadata: { name } }: Stored): readonly Flaw[] {
  if (PATH_NAMED.includes(resource.stored) && resource.builtIn) return /[/%]/.test(name) ? [invalidValue('metadata.name', name, "may not contain '/'")] : []
  if (name.length > 253) return [invalidValue('metadata.name', name, 'must be no more than 253 characters')]
  if (resource.stored === 'Namespace' && name.includes('.')) return [invalidValue('metadata.name', name, 'must not contain dots')]
  return SUBDOMAIN.test(name) ? [] : [invalidValue('metadata.name', name, SUBDOMAIN_SAYS)]
}
function specFlaws(resource: Resource, object: Stored): readonly Flaw[] {
  if (!resource.builtIn) return []
  if (resource.stored === 'Pod') return podFlaws('spec', at(object, 'spec'))
  if (SELECTING.includes(resource.stored)) return [...selectorFlaws(object), ...replicaFlaws(resource, object), ...templateFlaws(object)]
  if (resource.stored === 'Job') return templateFlaws(object)
  if (resource.stored === 'ConfigMap' || resource.stored === 'Secret') return dataFlaws(object)
  if (resource.stored === 'PodDisruptionBudget') return budgetFlaws(object)
  if (resource.stored === 'HorizontalPodAutoscaler') return autoscalerFlaws(object)
  if (resource.apiVersion === 'events.k8s.io/v1') return newEventFlaws(object)
  return []
}

function selectorFlaws(object: Stored): readonly Flaw[] {
  const selector = at(object, 'spec', 'selector')
  if (selector === undefined) return [required('spec.selector')]
  const labels = mapAt(object, 'spec', 'template', 'metadata', 'labels')
  if (!selects(selector, labels)) return [invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
  return []
}
function replicaFlaws(resource: Resource, object: Stored): readonly Flaw[] {
  if (!SCALED.includes(resource.stored)) return []
  const replicas = at(object, 'spec', 'replicas')
  return typeof replicas === 'number' && replicas < 0 ? [invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')] : []
}
const templateFlaws = (object: Stored): readonly Flaw[] => podFlaws('spec.template.spec', at(object, 'spec', 'template', 'spec'))

function podFlaws(field: string, spec: unknown): readonly Flaw[] {
  const containers = listAt(spec, 'containers')
  if (containers.length === 0) return [required(`${field}.containers`)]
  return containers.flatMap((container, index) => containerFlaws(`${field}.containers[${index}]`, container))
}
function containerFlaws(field: string, container: unknown): readonly Flaw[] {
  const missing = (['name', 'image'] as const).filter((key) => !textAt(container, key)).map((key) => required(`${field}.${key}`))
  return [...missing, ...resourceFlaws(`${field}.resources`, plainAt(container, 'resources'))]
}
function resourceFlaws(field: string, resources: Plain): readonly Flaw[] {
  const limits = plainAt(resources, 'limits')
  const negative = (['limits', 'requests'] as const).flatMap((what) =>
    Object.entries(plainAt(resources, what))
      .filter(([, value]) => (amount(value) ?? 0) < 0)
      .map(([name, value]) => invalidValue(`${field}.${what}[${name}]`, value, 'must be greater than or equal to 0')),
  )
  const above = Object.entries(plainAt(resources, 'requests')).flatMap(([name, request]) => {
    const [asked, most] = [amount(request), amount(limits[name])]
    if (asked === undefined || most === undefined || asked <= most) return []
    return [invalidValue(`${field}.requests`, String(request), `must be less than or equal to ${name} limit of ${String(limits[name])}`)]
  })
  return [...negative, ...above]
}
const amount = (value: unknown): number | undefined => (typeof value === 'string' || typeof value === 'number' ? parseQuantity(value) : undefined)

function budgetFlaws(object: Stored): readonly Flaw[] {
  const both = at(object, 'spec', 'minAvailable') !== undefined && at(object, 'spec', 'maxUnavailable') !== undefined
  return both ? [invalidValue('spec', plainAt(object, 'spec'), 'minAvailable and maxUnavailable cannot be both set')] : []
}
function autoscalerFlaws(object: Stored): readonly Flaw[] {
  const least = Number(at(object, 'spec', 'minReplicas') ?? 1)
  const most = Number(at(object, 'spec', 'maxReplicas') ?? 0)
  if (most < 1) return [invalidValue('spec.maxReplicas', most, 'must be greater than 0')]
  return most < least ? [invalidValue('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`')] : []
}

/** The newer Event API wants to know when, who, what and why; the old one never asked. */
function newEventFlaws(event: Stored): readonly Flaw[] {
  const about = textAt(event, 'involvedObject', 'namespace') ?? ''
  const elsewhere = about === '' ? event.metadata.namespace !== 'default' : about !== event.metadata.namespace
  const missing = (['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason'] as const).filter((field) => {
    const value = at(event, field === 'reportingController' ? 'reportingComponent' : field)
    return value === undefined || value === null || value === ''
  })
  const type = textAt(event, 'type') ?? ''
  const note = textAt(event, 'message') ?? ''
  return [
    ...(elsewhere ? [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')] : []),
    ...missing.map((field) => required(field)),
    ...(['Normal', 'Warning'].includes(type) ? [] : [invalidValue('type', type, `has invalid value: ${type}`)]),
    ...(Buffer.byteLength(note) > 1024 ? [invalidValue('message', '', 'can have at most 1024 bytes')] : []),
  ]
}

export function checkUpdate(resource: Resource, before: Stored, after: Stored, subresource: string): void {
  if (subresource === 'status') return
  const flaws = [...metadataFlaws(after), ...specFlaws(resource, after), ...immutableFlaws(resource, before, after, subresource)]
  if (flaws.length > 0) throw invalid(named(resource), after.metadata.name, flaws)
}

function immutableFlaws(resource: Resource, before: Stored, after: Stored, subresource: string): readonly Flaw[] {
  if (!resource.builtIn) return []
  if (resource.stored === 'Pod') return subresource === 'resize' ? resizeFlaws(before, after) : podChangeFlaws(before, after)
  if (resource.stored === 'Event') return resource.group === '' ? [] : eventFlaws(before, after)
  if (resource.stored === 'StatefulSet') return statefulSetFlaws(before, after)
  if (SELECTING.includes(resource.stored)) return fixed(before, after, ['spec', 'selector'])
  if (resource.stored === 'Job')
    return [...fixed(before, after, ['spec', 'selector']), ...fixed(before, after, ['spec', 'template']), ...fixed(before, after, ['spec', 'completions'])]
  if ((resource.stored === 'ConfigMap' || resource.stored === 'Secret') && at(before, 'immutable') === true) return frozenFlaws(before, after)
  if (resource.stored === 'RoleBinding' || resource.stored === 'ClusterRoleBinding') return fixed(before, after, ['roleRef'], 'cannot change roleRef')
  return []
}
const fixed = (before: Stored, after: Stored, path: readonly string[], why = 'field is immutable'): readonly Flaw[] =>
  equal(at(before, ...path), at(after, ...path)) ? [] : [invalidValue(path.join('.'), at(after, ...path), why)]

const STATEFUL = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds']
function statefulSetFlaws(before: Stored, after: Stored): readonly Flaw[] {
  const rest = (object: Stored) => Object.fromEntries(Object.entries(plainAt(object, 'spec')).filter(([key]) => !STATEFUL.includes(key)))
  if (equal(rest(before), rest(after))) return []
  return [
    forbiddenField(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  ]
}

/** A resize keeps the quality of service, and every request and limit that there was. */
function resizeFlaws(before: Stored, after: Stored): readonly Flaw[] {
  const was = qosClass(before)
  const changed = qosClass(after) === was ? [] : [invalidValue('spec', was, 'Pod QOS Class may not change as a result of resizing')]
  const removed = listAt(before, 'spec', 'containers').flatMap((container, index) =>
    (['requests', 'limits'] as const)
      .filter((what) => Object.keys(plainAt(container, 'resources', what)).some((name) => at(after, 'spec', 'containers', index, 'resources', what, name) === undefined))
      .map((what) => forbiddenField(`spec.containers[${index}].resources.${what}`, `resource ${what} cannot be removed`)),
  )
  return [...changed, ...removed]
}

/** An Event says what happened once; only its series goes on. */
function eventFlaws(before: Stored, after: Stored): readonly Flaw[] {
  const fields = ['involvedObject', 'reason', 'message', 'type', 'action', 'reportingComponent', 'reportingInstance', 'eventTime', 'related'] as const
  return fields.filter((field) => !equal(at(before, field), at(after, field))).map((field) => invalidValue(field, at(after, field), 'field is immutable'))
}

const withoutImages = (spec: Plain): Plain => ({
  ...Object.fromEntries(Object.entries(spec).filter(([key]) => !['activeDeadlineSeconds', 'terminationGracePeriodSeconds', 'tolerations'].includes(key))),
  ...Object.fromEntries(
    (['containers', 'initContainers'] as const)
      .filter((list) => list in spec)
      .map((list) => [list, listAt(spec, list).map((item) => (isPlain(item) ? { ...item, image: '' } : item))]),
  ),
})
/** A pod's spec is fixed but for images, deadlines and tolerations; resources change through `resize` only. */
function podChangeFlaws(before: Stored, after: Stored): readonly Flaw[] {
  if (equal(withoutImages(plainAt(before, 'spec')), withoutImages(plainAt(after, 'spec')))) return []
  const why =
    'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
  return [forbiddenField('spec', why)]
}
function frozenFlaws(before: Stored, after: Stored): readonly Flaw[] {
  const frozen = (['data', 'binaryData', 'stringData'] as const).filter((field) => !equal(at(before, field), at(after, field)))
  const thawed = at(after, 'immutable') === true ? [] : ['immutable']
  return [...thawed, ...frozen].map((field) => forbiddenField(field, 'field is immutable when `immutable` is set'))
}
