// How much more of memory or CPU a container gets: request and limit grow in the same proportion, so the QoS class stays. Pure.
import { formatBytes, formatCores, parseQuantity } from '../domain/quantity.ts'
import type { Container } from './pod-template.ts'

type Resource = 'memory' | 'cpu'

export interface Wish {
  readonly resource: Resource
  /** The limit to reach, or the request where there is no limit; bytes or cores. */
  readonly to?: number | undefined
  readonly factor?: number | undefined
  /** Never beyond this, whatever the wish. */
  readonly max?: number | undefined
}

/** One value of a container's resources that changes. */
export interface Growth {
  readonly resource: Resource
  readonly field: 'requests' | 'limits'
  /** As it is written now: the patch tests it and the undo puts it back. */
  readonly was: string
  readonly now: string
  readonly from: number
  readonly to: number
}

/** What grows, or why nothing does, to be read after the container's name. */
export function growth(container: Container, { resource, to, factor, max: cap = Number.POSITIVE_INFINITY }: Wish): readonly Growth[] | string {
  const max = wholeUnits(resource, cap)
  const limit = read(container, 'limits', resource)
  const request = read(container, 'requests', resource)
  const governing = limit ?? request
  if (!governing) return `has neither a request nor a limit for ${resource}`
  const wanted = Math.min(max, to ?? governing.from * (factor ?? 1))
  if (wanted <= governing.from)
    return governing.from >= max ? `has reached the most ${resource} that is allowed (${write(resource, max)})` : `has that much ${resource} already (${governing.was})`
  const proportion = wanted / governing.from
  const grown = [limit, request].flatMap((old) => (old ? [grow(resource, old, Math.min(wanted, old.from * proportion))] : []))
  return grown.filter((one) => one.to > one.from)
}

interface Old {
  readonly field: Growth['field']
  readonly was: string
  readonly from: number
}
function read(container: Container, field: Growth['field'], resource: Resource): Old | undefined {
  const was = container.resources?.[field]?.[resource]
  const from = parseQuantity(was)
  return was === undefined || from === undefined || from <= 0 ? undefined : { field, was, from }
}

/** Values are rounded up when they are written; a cap is rounded down before, so that they cannot cross it. */
const wholeUnits = (resource: Resource, amount: number): number =>
  resource === 'cpu' ? Math.floor(amount * 1_000 + 1e-6) / 1_000 : amount < 2 ** 20 ? amount : Math.floor(amount / 2 ** 20) * 2 ** 20

/** What is written is what counts: rounding up to a whole Mi or millicore is part of the new value. */
function grow(resource: Resource, old: Old, to: number): Growth {
  const now = write(resource, to)
  return { ...old, resource, now, to: parseQuantity(now) ?? to }
}
const write = (resource: Resource, amount: number): string => (resource === 'memory' ? formatBytes(amount) : formatCores(amount))
