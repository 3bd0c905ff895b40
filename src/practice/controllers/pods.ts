// What controllers ask about pods, and how they make them: names, template hashes, readiness.
import type { Random } from '../../domain/ports.ts'
import type { Kinds } from '../../kube/wire.ts'
import type { Store } from '../store.ts'
import { type Live, namespaceOf, type Owner, ownerReference } from './cluster.ts'

export type PodTemplate = NonNullable<NonNullable<Kinds['Deployment']['spec']>['template']>
export type Pod = Live<'Pod'>

/** The alphabet of Kubernetes' generated names: no vowels, nothing that reads like a word or another sign. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
export const suffix = (random: Random, length = 5): string => Array.from({ length }, () => ALPHABET[Math.floor(random.next() * ALPHABET.length)]).join('')

/** JSON with sorted keys: equal values are equal text, whoever wrote them. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, v]) => `${JSON.stringify(key)}:${canonical(v)}`)
    .join(',')}}`
}

export const HASH = 'pod-template-hash'
export const REVISION_HASH = 'controller-revision-hash'

/** The template as its author wrote it: without the hash that a ReplicaSet adds. */
export function bareTemplate(template: PodTemplate): PodTemplate {
  const { [HASH]: _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}
export const sameTemplate = (a: PodTemplate, b: PodTemplate): boolean => canonical(bareTemplate(a)) === canonical(bareTemplate(b))

/** FNV-1a over the template, in the alphabet of names: as `pod-template-hash` looks. */
export function templateHash(template: PodTemplate, collisions = 0): string {
  let hash = 0x811c9dc5
  for (const char of canonical(bareTemplate(template)) + (collisions || '')) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return [...String(hash)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('')
}

export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined
export const isOver = (pod: Pod): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
/** Neither over nor on its way out: what a ReplicaSet counts. */
export const isActive = (pod: Pod): boolean => !isOver(pod) && !isTerminating(pod)
export const isReady = (pod: Pod): boolean => pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'

/** Asks for the end of a pod; the kubelet removes it. A pod that never reached a node is gone at once. */
export function stopPod(store: Store, pod: Pod, now: string): void {
  const present = store.get('Pod', namespaceOf(pod), pod.metadata.name)
  if (!present || present.metadata.uid !== pod.metadata.uid || present.metadata.deletionTimestamp) return
  if (!pod.spec?.nodeName) store.remove('Pod', namespaceOf(pod), pod.metadata.name)
  else store.update({ ...present, metadata: { ...present.metadata, deletionTimestamp: now } })
}

/** A pod of a template, as its controller would post it. */
export function podOf(
  owner: Owner & { readonly metadata: { readonly namespace?: string } },
  template: PodTemplate,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Pod {
  const annotations = template.metadata?.annotations
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: namespaceOf(owner),
      labels: { ...template.metadata?.labels, ...labels },
      ...(annotations && { annotations }),
      ownerReferences: [ownerReference(owner)],
    },
    spec: structuredClone(template.spec ?? { containers: [] }),
    status: { phase: 'Pending' },
  }
}
