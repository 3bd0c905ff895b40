// LimitRange admission: defaults for containers that say nothing, and the bounds of what they may say.
import { parseQuantity } from '../domain/quantity.ts'
import { defaultedLimit } from './defaults.ts'
import { at, listAt, type Plain, plainAt, textAt, withField } from './fields.ts'
import { type Amounts, amountsAt, amountText, podResources } from './pod-resources.ts'
import type { Resource } from './resources.ts'
import { forbidden } from './status.ts'
import type { Store, Stored } from './store.ts'

const limitsOf = (store: Store, namespace: string): readonly unknown[] => store.peekAll('LimitRange', namespace).flatMap((range) => listAt(range, 'spec', 'limits'))

/** A pod with the namespace's default requests and limits where it has none. */
export function withLimitDefaults(store: Store, pod: Plain): Plain {
  const ofContainers = limitsOf(store, textAt(pod, 'metadata', 'namespace') ?? '').filter((limit) => textAt(limit, 'type') === 'Container')
  if (ofContainers.length === 0) return pod
  const lists = (['containers', 'initContainers'] as const).filter((list) => Array.isArray(at(pod, 'spec', list)))
  return lists.reduce<Plain>(
    (filled, list) =>
      withField(
        filled,
        ['spec', list],
        listAt(pod, 'spec', list).map((container) => ofContainers.reduce(limited, container)),
      ),
    pod,
  )
}
function limited(container: unknown, limit: unknown): unknown {
  const whole = defaultedLimit(limit)
  const given = plainAt(container, 'resources')
  const own = plainAt(given, 'limits')
  const limits = { ...plainAt(whole, 'default'), ...own }
  const requests = { ...plainAt(whole, 'defaultRequest'), ...own, ...plainAt(given, 'requests') }
  return Object.keys({ ...limits, ...requests }).length === 0 ? container : withField(container, ['resources'], { ...given, limits, requests })
}

export function checkLimits(store: Store, resource: Resource, object: Stored): void {
  const limits = limitsOf(store, object.metadata.namespace ?? '')
  const errors = resource.stored === 'Pod' ? limits.flatMap((limit) => podErrors(limit, object)) : limits.flatMap((limit) => claimErrors(limit, object))
  if (errors.length > 0) throw forbidden(resource, object.metadata.name, errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`)
}
function podErrors(limit: unknown, pod: Stored): readonly string[] {
  if (textAt(limit, 'type') === 'Pod') return broken(limit, podResources(pod, 'requests'), podResources(pod, 'limits'))
  if (textAt(limit, 'type') !== 'Container') return []
  return [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')].flatMap((container) =>
    broken(limit, amountsAt(container, 'resources', 'requests'), amountsAt(container, 'resources', 'limits')),
  )
}
function claimErrors(limit: unknown, claim: Stored): readonly string[] {
  if (claim.kind !== 'PersistentVolumeClaim' || textAt(limit, 'type') !== 'PersistentVolumeClaim') return []
  const asked = amountsAt(claim, 'spec', 'resources', 'requests')
  const outside = (bound: 'min' | 'max', says: string) =>
    Object.entries(amountsAt(limit, bound)).flatMap(([name, enforced]) => {
      const amount = asked[name] ?? 0
      return (bound === 'min' ? amount < enforced : amount > enforced)
        ? [`${says} ${name} usage per PersistentVolumeClaim is ${shown(limit, bound, name)}, but request is ${amountText(name, amount)}`]
        : []
    })
  return [...outside('min', 'minimum'), ...outside('max', 'maximum')]
}

const shown = (limit: unknown, bound: string, name: string): string => String(at(limit, bound, name))
function broken(limit: unknown, requests: Amounts, limits: Amounts): readonly string[] {
  const type = textAt(limit, 'type') ?? ''
  const check = (bound: 'min' | 'max', judge: (name: string, enforced: number, says: string) => string | undefined) =>
    Object.entries(amountsAt(limit, bound)).flatMap(([name, enforced]) => judge(name, enforced, `${bound}imum ${name} usage per ${type} is ${shown(limit, bound, name)}`) ?? [])
  return [
    ...check('min', (name, enforced, says) => {
      const [request, most] = [requests[name], limits[name]]
      if (request === undefined) return `${says}.  No request is specified`
      if (request < enforced) return `${says}, but request is ${amountText(name, request)}`
      return most !== undefined && most < enforced ? `${says}, but limit is ${amountText(name, most)}` : undefined
    }),
    ...check('max', (name, enforced, says) => {
      const [request, most] = [requests[name], limits[name]]
      if (most === undefined) return `${says}.  No limit is specified`
      if (most > enforced) return `${says}, but limit is ${amountText(name, most)}`
      return request !== undefined && request > enforced ? `${says}, but request is ${amountText(name, request)}` : undefined
    }),
    ...ratios(limit, type, requests, limits),
  ]
}
function ratios(limit: unknown, type: string, requests: Amounts, limits: Amounts): readonly string[] {
  return Object.entries(plainAt(limit, 'maxLimitRequestRatio')).flatMap(([name, ratio]) => {
    const says = `${name} max limit to request ratio per ${type} is ${String(ratio)}`
    const [request, most] = [requests[name] ?? 0, limits[name] ?? 0]
    if (request === 0) return [`${says}, but no request is specified or request is 0`]
    if (most === 0) return [`${says}, but no limit is specified or limit is 0`]
    const enforced = parseQuantity(typeof ratio === 'number' ? ratio : String(ratio)) ?? Number.POSITIVE_INFINITY
    return most / request > enforced ? [`${says}, but provided ratio is ${(most / request).toFixed(6)}`] : []
  })
}
/** Only what asks for something is looked at. */
export const hasLimits = (resource: Resource): boolean => resource.stored === 'Pod' || resource.stored === 'PersistentVolumeClaim'
