// What every role of the lab actor has at hand. A role is asked again and again, and does what is still to be done.
import { isFault } from '../../../src/domain/fault.ts'
import { isRecord } from '../../../src/kube/getter.ts'
import type { Transport } from '../../../src/kube/transport.ts'
import type { Kinds } from '../../../src/kube/wire.ts'
import type { ClusterWatch } from '../exporter/cluster-watch.ts'

export interface Stage {
  readonly transport: Transport
  readonly pods: ClusterWatch<'Pod'>
  readonly claims: ClusterWatch<'PersistentVolumeClaim'>
  readonly nodes: ClusterWatch<'Node'>
  /** A folder of the actor's own. */
  readonly folder: string
}
export type Role = () => Promise<void>

/** A fault with one object leaves the others their turn: somebody else wrote first, or it is gone; the next round sees. */
export async function forEach<T>(objects: readonly T[] | undefined, play: (object: T) => Promise<void>): Promise<void> {
  for (const object of objects ?? [])
    await play(object).catch((error: unknown) => {
      if (!isFault(error)) throw error
      process.stderr.write(`${nameOf(object)}: ${error.code} ${error.message}\n`)
    })
}

interface Meta {
  readonly name?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly deletionTimestamp?: string
}
export interface Named {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
  readonly annotations: Readonly<Record<string, string>>
  readonly ending: boolean
}
export const named = ({ metadata = {} }: { readonly metadata?: Meta | undefined }): Named => ({
  name: metadata.name ?? '',
  namespace: metadata.namespace ?? '',
  uid: metadata.uid ?? '',
  resourceVersion: metadata.resourceVersion ?? '',
  annotations: metadata.annotations ?? {},
  ending: metadata.deletionTimestamp !== undefined,
})

/** Only if nobody wrote the object since we looked: what others did meanwhile is looked at the next time. */
export async function patchStatus(transport: Transport, plural: string, { name, namespace, resourceVersion }: Named, status: object): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/${plural}/${name}/status`
  await transport.send({ method: 'PATCH', path, body: { metadata: { resourceVersion }, status }, contentType: 'application/merge-patch+json' })
}

/** Event of the core API, as kubelets and controllers of volumes write it. */
export async function tell(
  transport: Transport,
  kind: string,
  { name, namespace, uid }: Named,
  event: { readonly type: string; readonly reason: string; readonly message: string },
): Promise<void> {
  const metadata = { generateName: `${name}.`, namespace }
  const involvedObject = { apiVersion: 'v1', kind, name, namespace, uid }
  const at = new Date(transport.ports.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  const body = { apiVersion: 'v1', kind: 'Event', metadata, involvedObject, ...event, firstTimestamp: at, lastTimestamp: at, count: 1, source: { component: 'lab-actor' } }
  await transport.send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/events`, body })
}

type ContainerStatus = NonNullable<NonNullable<Kinds['Pod']['status']>['containerStatuses']>[number]
export const statusesOf = (pod: Kinds['Pod']): readonly ContainerStatus[] => pod.status?.containerStatuses ?? []
export type { ContainerStatus }

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}
/** The conditions with these in place of all of the same types; one that holds already keeps its time. */
export function withConditions(before: readonly Condition[], types: readonly string[], now: readonly Omit<Condition, 'lastTransitionTime'>[], at: string): readonly Condition[] {
  const kept = (one: Omit<Condition, 'lastTransitionTime'>): string =>
    before.find(({ type, status, reason }) => type === one.type && status === one.status && reason === one.reason)?.lastTransitionTime ?? at
  return [...before.filter(({ type }) => !types.includes(type)), ...now.map((one) => ({ ...one, lastTransitionTime: kept(one) }))]
}
export const sameConditions = (a: readonly Condition[], b: readonly Condition[]): boolean => JSON.stringify(a.map(key).sort()) === JSON.stringify(b.map(key).sort())
const key = ({ type, status, reason, message }: Condition): string => JSON.stringify([type, status, reason, message])

export const nameOf = (object: unknown): string => {
  const metadata = isRecord(object) ? object['metadata'] : undefined
  return isRecord(metadata) ? String(metadata['name']) : ''
}
export const nowText = (transport: Transport): string => new Date(transport.ports.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
