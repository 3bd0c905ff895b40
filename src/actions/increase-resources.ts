// increase_resources: more memory or CPU for one container, in the workload's pod template. The rollout that follows replaces its pods.
import * as z from 'zod'
import { type Blast, NO_BLAST, type PatchOp } from '../domain/plan.ts'
import { parseQuantity } from '../domain/quantity.ts'
import { describeRef, type Target } from '../domain/target.ts'
import { defineAction, type Refusal } from './define-action.ts'
import { readHealth } from './health.ts'
import { type Growth, growth, type Wish } from './more-resources.ts'
import { type Container, podRequests, podsLostByRollout, replicasOf, rolloutHindered, TEMPLATED, type Templated, templated } from './pod-template.ts'
import { seeRollout } from './see-effect.ts'

const quantity = (what: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?([eE]\d+|[numkMGTPE]|[KMGTPE]i)?$/)
    .exactOptional()
    .describe(what)
const factor = (what: string) => z.number().gt(1).max(8).exactOptional().describe(what)

const params = z
  .strictObject({
    container: z.string().min(1).max(63).exactOptional().describe("Container to change; without it the one that the alert names, or the workload's only one"),
    memory: quantity('Memory limit to set, such as 1Gi; the request grows in proportion'),
    memoryFactor: factor('What to multiply the memory by, such as 1.5'),
    maxMemory: quantity('Never more memory than this'),
    cpu: quantity('CPU limit to set, in cores, such as 750m; the request grows in proportion'),
    cpuFactor: factor('What to multiply the CPU by, such as 2'),
    maxCpu: quantity('Never more CPU than this'),
  })
  .refine(
    ({ memory, memoryFactor, cpu, cpuFactor }) => [memory, memoryFactor, cpu, cpuFactor].some((one) => one !== undefined),
    'say how much: memory, memoryFactor, cpu or cpuFactor',
  )
  .refine(({ memory, memoryFactor }) => memory === undefined || memoryFactor === undefined, 'give memory or memoryFactor, not both')
  .refine(({ cpu, cpuFactor }) => cpu === undefined || cpuFactor === undefined, 'give cpu or cpuFactor, not both')
type Params = z.output<typeof params>

export const increaseResources = defineAction({
  name: 'increase_resources',
  summary: 'Raise memory or CPU of one container in the pod template of a workload; its pods are replaced step by step.',
  category: 'resources',
  targets: TEMPLATED,
  scope: 'namespace',
  safety: 'reversible',
  undoWhen: 'worse',
  params,
  needs: [
    { apiGroup: 'apps', resource: 'deployments', verbs: ['get', 'patch'] },
    { apiGroup: 'apps', resource: 'statefulsets', verbs: ['get', 'patch'] },
    { apiGroup: 'apps', resource: 'daemonsets', verbs: ['get', 'patch'] },
    { apiGroup: 'apps', resource: 'replicasets', verbs: ['list'] },
    { apiGroup: '', resource: 'pods', verbs: ['list'] },
  ],
  async plan(object, asked, { read, now }, target) {
    const workload = await templated(read, object)
    if (!workload) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} does not exist any more` }
    const hindered = rolloutHindered(workload)
    if (hindered) return { code: 'PLAN_REFUSED', refused: `new resources would reach no pod of ${describeRef(object)}: ${hindered}` }
    const place = chooseContainer(workload, asked, target)
    if ('refused' in place) return { ...place, refused: `${describeRef(object)}: ${place.refused}` }
    const grown = grownBy(place.container, asked)
    if (typeof grown === 'string') return { code: 'NOTHING_TO_CHANGE', refused: `container ${place.container.name} of ${describeRef(object)} ${grown}` }
    const words = grown.map(({ resource, field, was, now }) => `${resource} ${field === 'limits' ? 'limit' : 'request'} from ${was} to ${now}`).join(', ')
    return {
      summary: `raise ${words} in container ${place.container.name} of ${describeRef(object)}`,
      object,
      steps: [{ kind: 'patch', object, ops: opsOf(place, grown), why: words }],
      undo: [
        {
          kind: 'patch',
          object,
          ops: opsOf(place, grown.map(backwards)),
          why: `back to the resources before: ${grown.map(({ resource, was }) => `${resource} ${was}`).join(', ')}`,
        },
      ],
      blast: blastOf(workload, place, grown),
      before: await readHealth(read, object, now),
    }
  },
  verify: (plan, look) => seeRollout(plan, look),
})

interface Place {
  readonly path: string
  readonly container: Container
}

function chooseContainer(workload: Templated, asked: Params, target: Target): Place | Refusal {
  const spec = workload.spec?.template.spec
  const at = (list: 'containers' | 'initContainers') => (spec?.[list] ?? []).map((container, index): Place => ({ path: `/spec/template/spec/${list}/${index}`, container }))
  const containers = at('containers')
  const name = asked.container ?? target.container
  const named = [...containers, ...at('initContainers')].find(({ container }) => container.name === name)
  if (named) return named
  // What the alert names may be a sidecar that an admission webhook adds to the pods: the template does not have it.
  if (name !== undefined) return { code: 'PLAN_REFUSED', refused: `its pod template has no container ${name}` }
  const [only, ...others] = containers
  if (only && others.length === 0) return only
  return { code: 'PARAMETERS_INVALID', refused: `it has ${containers.length} containers, and neither the alert nor the parameters say which one` }
}

function grownBy(container: Container, asked: Params): readonly Growth[] | string {
  const wishes: Wish[] = [
    ...((asked.memory ?? asked.memoryFactor)
      ? [{ resource: 'memory' as const, to: parseQuantity(asked.memory), factor: asked.memoryFactor, max: parseQuantity(asked.maxMemory) }]
      : []),
    ...((asked.cpu ?? asked.cpuFactor) ? [{ resource: 'cpu' as const, to: parseQuantity(asked.cpu), factor: asked.cpuFactor, max: parseQuantity(asked.maxCpu) }] : []),
  ]
  const found = wishes.map((wish) => growth(container, wish))
  const grown = found.flatMap((one) => (typeof one === 'string' ? [] : one))
  return grown.length > 0 ? grown : found.filter((one) => typeof one === 'string').join(' and ')
}

const backwards = (grown: Growth): Growth => ({ ...grown, was: grown.now, now: grown.was, from: grown.to, to: grown.from })

/** Containers are reached by index, so the name at that index is tested too. */
const opsOf = ({ path, container }: Place, grown: readonly Growth[]): readonly PatchOp[] => [
  { op: 'test', path: `${path}/name`, value: container.name },
  ...grown.map(({ field, resource, was }): PatchOp => ({ op: 'test', path: `${path}/resources/${field}/${resource}`, value: was })),
  ...grown.map(({ field, resource, now }): PatchOp => ({ op: 'replace', path: `${path}/resources/${field}/${resource}`, value: now })),
]

function blastOf(workload: Templated, { container }: Place, grown: readonly Growth[]): Blast {
  const spec = workload.spec?.template.spec
  const grownIn = (field: Growth['field']) => ({
    ...container.resources?.[field],
    ...Object.fromEntries(grown.filter((one) => one.field === field).map((one) => [one.resource, one.now])),
  })
  const resources = { ...container.resources, requests: grownIn('requests'), limits: grownIn('limits') }
  const swap = (one: Container): Container => (one === container ? { ...one, resources } : one)
  const after = spec && { ...spec, containers: spec.containers.map(swap), ...(spec.initContainers && { initContainers: spec.initContainers.map(swap) }) }
  const more = (resource: 'memory' | 'cpu') => Math.max(0, podRequests(after, resource) - podRequests(spec, resource)) * replicasOf(workload)
  const memory = grown.filter((one) => one.resource === 'memory')
  const to = Math.max(...memory.map((one) => one.to))
  return {
    ...NO_BLAST,
    podsLost: podsLostByRollout(workload),
    memoryBytes: memory.length === 0 ? undefined : { from: Math.max(...memory.map((one) => one.from)), to },
    moreMemoryBytes: more('memory'),
    moreCpuCores: more('cpu'),
  }
}
