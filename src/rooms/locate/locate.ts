// Room 2 of 10, a pipeline stage: from the labels of an alert to the object they name and its top owner. Takes an opened case, gives a located or closed one.
import { type Closed, close, type Located, type Next, type Opened } from '../../domain/case-file.ts'
import { formatSelector } from '../../domain/label-selector.ts'
import { describeRef, type ObjectRef, type Target } from '../../domain/target.ts'
import type { AnyObject, Kinds, Reader } from '../../kube/wire.ts'
import { ascend, refOf } from './ascend.ts'
import { DEFAULT_LABELS, type LabelMap, type Named, naming } from './label-map.ts'

export interface Locating {
  readonly read: Reader
  readonly namespace: string
  readonly labels?: LabelMap
}

type Chain = readonly [ObjectRef, ...ObjectRef[]]
type Found = { readonly chain: Chain } | { readonly several: readonly ObjectRef[] } | undefined

export const locate =
  ({ read, namespace, labels = DEFAULT_LABELS }: Locating) =>
  async (file: Opened): Promise<Next<Located>> => {
    const named = naming(file.alerts[0].labels, labels)
    const tell = (reason: string, because: string): Closed => close(file, 'told', reason, because)
    if (named.namespace === undefined) return tell('NO_TARGET', 'the alert names no namespace, so no object can be meant by it')
    if (named.namespace !== namespace) return tell('OTHER_NAMESPACE', `the alert is about namespace ${named.namespace}, and this agent acts in ${namespace} only`)
    if (named.objects.length === 0) return tell('NO_TARGET', 'no label of the alert names an object')
    for (const candidate of named.objects) {
      const found = await find(read, { ...candidate, namespace })
      if (found && 'several' in found)
        return tell('TARGET_AMBIGUOUS', `${candidate.kind} ${candidate.name} leads to ${found.several.map(describeRef).join(' and ')}: nobody can say which is meant`)
      if (found) return { ...file, at: 'located', target: targetOf(found.chain, named.container) }
    }
    return tell('NO_TARGET', `${named.objects.map(({ kind, name }) => `${kind} ${name}`).join(', ')} ${named.objects.length > 1 ? 'do' : 'does'} not exist (any more)`)
  }

const targetOf = (chain: Chain, container: string | undefined): Target => ({ object: chain[0], owner: chain.at(-1) ?? chain[0], chain, container })

type Wanted = Named & { readonly namespace: string }

/** undefined: no such object. Kinds that only point at others are followed to what they point at. */
async function find(read: Reader, wanted: Wanted): Promise<Found> {
  if (wanted.kind === 'Service') return throughService(read, wanted)
  if (wanted.kind === 'HorizontalPodAutoscaler') return throughAutoscaler(read, wanted)
  if (wanted.kind === 'PodDisruptionBudget') return throughBudget(read, wanted)
  const object = await read.object(wanted)
  return object && { chain: await ascend(read, refOf(object, wanted), object) }
}

/** What an autoscaler scales is what can be mended; the autoscaler stays the object. */
async function throughAutoscaler(read: Reader, wanted: Wanted): Promise<Found> {
  const found = await read.get('HorizontalPodAutoscaler', wanted.name)
  if (!found) return undefined
  const object = refOf(found, wanted)
  const { apiVersion = 'apps/v1', kind, name } = found.spec?.scaleTargetRef ?? {}
  const scaled = kind !== undefined && name !== undefined ? await read.object({ apiVersion, kind, name }) : undefined
  if (!scaled || kind === undefined) return { chain: [object] }
  return { chain: [object, ...(await ascend(read, refOf(scaled, { apiVersion, kind, namespace: wanted.namespace }), scaled))] }
}

/** A Service without a selector, or without pods, leads nowhere: an object that nothing can be done about is none. */
async function throughService(read: Reader, wanted: Wanted): Promise<Found> {
  const found = await read.get('Service', wanted.name)
  const selector = found?.spec?.selector
  if (!found || !selector || Object.keys(selector).length === 0) return undefined
  return throughPods(read, refOf(found, wanted), formatSelector({ matchLabels: selector }))
}

/** A budget that guards no pod, or those of several, is still an object people can look at. */
async function throughBudget(read: Reader, wanted: Wanted): Promise<Found> {
  const found = await read.get('PodDisruptionBudget', wanted.name)
  if (!found) return undefined
  const object = refOf(found, wanted)
  const guarded = await throughPods(read, object, formatSelector(found.spec?.selector ?? {}))
  return guarded && 'chain' in guarded ? guarded : { chain: [object] }
}

async function throughPods(read: Reader, object: ObjectRef, selector: string): Promise<Found> {
  const pods = (await read.list('Pod', { labels: selector })).filter(isMember)
  const chains = await Promise.all(pods.map((pod) => ascend(read, refOf(pod, { apiVersion: 'v1', kind: 'Pod', namespace: object.namespace }), pod)))
  const owners = new Map(chains.map((chain) => [chain.at(-1)?.uid ?? '', chain] as const))
  const [first, ...others] = [...owners.values()]
  if (!first) return undefined
  // The pods in between say nothing: which of them is meant is not known.
  return others.length === 0 ? { chain: [object, ...(first.length > 1 ? first.slice(1) : first)] } : { several: [first, ...others].flatMap((chain) => chain.at(-1) ?? []) }
}

/** A pod that has ended, or is being ended, stands for nothing any more. */
const isMember = (pod: Kinds['Pod'] & AnyObject): boolean => pod.metadata?.deletionTimestamp === undefined && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
