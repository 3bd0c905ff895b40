// Facts of requests, limits and present use of the container that the alert is about.
import * as z from 'zod'
import { parseQuantity } from '../domain/quantity.ts'
import { isUnknown, type Unknown, unknown } from '../domain/unknown.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { OWN_PODS, POD_METRICS } from './needs.ts'
import { chosenPod, ofTarget, type Pod, type Workload, workload } from './owned.ts'
import { each, isRecord, lookup, str } from './plain.ts'
import { chosenContainer, statusOf } from './pod-state.ts'
import { bytes, cores, knowable, share, text, yes } from './shape.ts'

const AMOUNTS = z.object({ memoryBytes: bytes('memory').nullable(), cpuCores: cores('CPU').nullable() })
type Amounts = z.output<typeof AMOUNTS>

/** A quantity that cannot be read is unknown, never none. */
function amounts(list: unknown): Amounts | Unknown {
  const [memory, cpu] = [lookup(list, 'memory'), lookup(list, 'cpu')]
  const [memoryBytes, cpuCores] = [memory === undefined ? null : parseQuantity(memory), cpu === undefined ? null : parseQuantity(cpu)]
  if (memoryBytes === undefined || cpuCores === undefined || (memoryBytes ?? 0) < 0 || (cpuCores ?? 0) < 0) return unknown('a quantity of the container cannot be read')
  return { memoryBytes, cpuCores }
}

export const usage: Fact = defineFact({
  name: 'usage',
  group: 'resources',
  summary: 'what the container uses now, by the metrics API; null when there is no pod',
  schema: AMOUNTS.nullable(),
  cost: 3,
  needs: [...OWN_PODS, POD_METRICS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const pod = await chosenPod(from, target)
      if (pod === null || isUnknown(pod)) return pod
      const metrics = await from.read.get('PodMetrics', str(pod.metadata?.name) ?? '')
      const container = chosenContainer(pod, target.container, from.now)
      const measured = each(metrics?.containers).find((c) => c.name === container)
      return measured ? amounts(measured.usage) : unknown('the metrics API has no figures of this container')
    }),
})

interface Specified {
  readonly requests: unknown
  readonly limits: unknown
}
type ContainerSpec = { readonly name: string; readonly resources?: { readonly requests?: unknown; readonly limits?: unknown } | undefined }
const resourcesOf = (containers: readonly ContainerSpec[], name: string | undefined): Specified | undefined => {
  const found = containers.find((c) => c.name === name)
  return found && { requests: found.resources?.requests, limits: found.resources?.limits }
}
/** A resized pod runs with what its status says, not with what its spec asked for. */
function ofPod(pod: Pod, name: string | undefined): Specified | undefined {
  const actual = statusOf(pod, name)?.resources
  if (isRecord(actual) && (actual.limits || actual.requests)) return { requests: actual.requests, limits: actual.limits }
  return resourcesOf([...each(pod.spec?.containers), ...each(pod.spec?.initContainers)], name)
}
const templateOf = (owner: Workload | undefined): readonly ContainerSpec[] => each(owner?.spec?.template?.spec?.containers)

const shareOf = (used: Amounts | Unknown | null, allowed: Amounts | Unknown, which: 'memoryBytes' | 'cpuCores'): number | null | Unknown => {
  if (isUnknown(allowed)) return allowed
  const limit = allowed[which]
  if (limit === null || limit === 0) return null
  if (used === null || isUnknown(used)) return used ?? unknown('there is no pod to measure')
  return used[which] === null ? unknown('the metrics API has no figure for this resource') : used[which] / limit
}

const RESOURCES = z
  .object({
    container: text('the container meant').nullable(),
    requests: knowable(AMOUNTS.describe('requests; null without one')),
    limits: knowable(AMOUNTS.describe('limits; null without one')),
    memoryLimitInTemplate: yes("the workload's own template sets the memory limit (else a LimitRange or VPA did)"),
    cpuLimitInTemplate: yes("the workload's own template sets the CPU limit"),
    memoryShareOfLimit: knowable(share('memory used now, as share of the limit')).nullable(),
    cpuShareOfLimit: knowable(share('CPU used now, as share of the limit')).nullable(),
  })
  .nullable()

const isAmounts = z.union([AMOUNTS, z.null()])

export const resources: Fact = defineFact({
  name: 'resources',
  group: 'resources',
  summary: 'requests and limits of the container, and the share of the limits that it uses now; null when there is neither pod nor template',
  schema: RESOURCES,
  cost: 3,
  needs: [...OWN_PODS, POD_METRICS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const [pod, owner] = [await chosenPod(from, target), await workload(from.read, target)]
      if (isUnknown(pod)) return pod
      if (isUnknown(owner)) return owner
      const template = templateOf(owner)
      const container = pod ? chosenContainer(pod, target.container, from.now) : (target.container ?? str(template[0]?.name))
      const specified = (pod && ofPod(pod, container)) ?? resourcesOf(template, container)
      if (!specified) return null
      const measured = await from.fact('usage')
      const used = isUnknown(measured) ? measured : (isAmounts.safeParse(measured).data ?? null)
      const limits = amounts(specified.limits)
      const own = resourcesOf(template, container)?.limits
      return {
        container: container ?? null,
        requests: amounts(specified.requests),
        limits,
        memoryLimitInTemplate: lookup(own, 'memory') !== undefined,
        cpuLimitInTemplate: lookup(own, 'cpu') !== undefined,
        memoryShareOfLimit: shareOf(used, limits, 'memoryBytes'),
        cpuShareOfLimit: shareOf(used, limits, 'cpuCores'),
      }
    }),
})
