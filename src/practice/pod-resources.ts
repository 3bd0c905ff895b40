// What a pod asks for and may use: the sums that quotas, limit ranges and schedulers count.
import { formatCores, parseQuantity } from '../domain/quantity.ts'
import { at, listAt, plainAt } from './fields.ts'

export type Amounts = Readonly<Record<string, number>>

export const amountsAt = (value: unknown, ...path: readonly string[]): Amounts =>
  Object.fromEntries(
    Object.entries(plainAt(value, ...path)).flatMap(([name, quantity]) => {
      const amount = typeof quantity === 'string' || typeof quantity === 'number' ? parseQuantity(quantity) : undefined
      return amount === undefined ? [] : [[name, amount]]
    }),
  )
export const plus = (a: Amounts, b: Amounts): Amounts => ({ ...a, ...Object.fromEntries(Object.entries(b).map(([name, amount]) => [name, (a[name] ?? 0) + amount])) })
const larger = (a: Amounts, b: Amounts): Amounts => ({ ...a, ...Object.fromEntries(Object.entries(b).map(([name, amount]) => [name, Math.max(a[name] ?? 0, amount)])) })

/** Containers and sidecars run together; each plain init container runs beside the sidecars that started before it. */
export function podResources(pod: unknown, what: 'requests' | 'limits'): Amounts {
  const of = (container: unknown) => amountsAt(container, 'resources', what)
  let sidecars: Amounts = {}
  let starting: Amounts = {}
  for (const init of listAt(pod, 'spec', 'initContainers')) {
    if (at(init, 'restartPolicy') === 'Always') sidecars = plus(sidecars, of(init))
    else starting = larger(starting, plus(sidecars, of(init)))
  }
  return larger(listAt(pod, 'spec', 'containers').map(of).reduce(plus, sidecars), starting)
}

/** Guaranteed when every container limits cpu and memory to what it requests, best effort when none asks for anything. */
export function qosClass(pod: unknown): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')]
  const [limits, requests] = [containers.map((each) => amountsAt(each, 'resources', 'limits')), containers.map((each) => amountsAt(each, 'resources', 'requests'))]
  if ([...limits, ...requests].every((amounts) => Object.keys(amounts).length === 0)) return 'BestEffort'
  const bound = limits.every((limit, index) => ['cpu', 'memory'].every((name) => limit[name] !== undefined && (requests[index]?.[name] ?? limit[name]) === limit[name]))
  return bound ? 'Guaranteed' : 'Burstable'
}

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const
/** A sum as the API server writes it: cores in milli, bytes in the largest binary unit that divides them, counts as they are. */
export function amountText(name: string, amount: number): string {
  if (/(^|\.)cpu$/.test(name)) return formatCores(amount)
  if (!/(^|\.)(memory|storage|ephemeral-storage)$/.test(name)) return String(amount)
  const power = BINARY.findLastIndex((_, index) => amount > 0 && amount % 2 ** (10 * (index + 1)) === 0)
  return power < 0 ? String(amount) : `${amount / 2 ** (10 * (power + 1))}${BINARY[power]}`
}
