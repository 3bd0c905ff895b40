// One step of a plan as one request: the writer sends it, the rehearsal sends the same with dryRun.
import { Fault } from '../domain/fault.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Step } from '../domain/plan.ts'
import { describeRef, type ObjectRef } from '../domain/target.ts'
import { type Discovery, pathOf } from './discovery.ts'
import { isRecord } from './getter.ts'
import type { TransportRequest } from './transport.ts'
import { ADDRESSES, type Address } from './wire.ts'

/** Steps that are one request. `wait` is the applier's, `exec` goes over a connection of its own. */
export type SentStep = Exclude<Step, { readonly kind: 'wait' | 'exec' }>
export type StepRequest = Pick<TransportRequest, 'method' | 'path' | 'query' | 'body' | 'contentType'>

export const isSent = (step: Step): step is SentStep => step.kind !== 'wait' && step.kind !== 'exec'

export const FIELD_MANAGER = 'alerts-slm'
/** On what we create: whose it is, so that a second create of the same case is known for what it is. */
export const CASE_MARK = 'alerts-slm.io/case'
export const STEP_MARK = 'alerts-slm.io/step'

export async function addressOf(discovery: Discovery, { apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): Promise<Address> {
  const address = await discovery.addressOf(apiVersion, kind)
  if (!address) throw new Fault('CLUSTER_NOT_FOUND', `the API server does not serve ${kind} of ${apiVersion}`)
  return address
}

export interface StepContext {
  readonly discovery: Discovery
  readonly fieldManager: string
  /** Annotations for what is created. */
  readonly marks?: Readonly<Record<string, string>>
}

export async function stepRequest(step: SentStep, { discovery, fieldManager, marks = {} }: StepContext): Promise<StepRequest> {
  const { object } = step
  switch (step.kind) {
    case 'patch': {
      const path = pathOf(await addressOf(discovery, object), object.namespace, object.name, step.subresource)
      return { method: 'PATCH', path, query: { fieldManager }, contentType: 'application/json-patch+json', body: [ofUid(step.object), ...step.ops] }
    }
    case 'delete': {
      const path = pathOf(await addressOf(discovery, object), object.namespace, object.name)
      // Named, because a Job's default orphans its pods.
      return { method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions: { uid: uidOf(step.object) } } }
    }
    case 'evict': {
      const path = pathOf(ADDRESSES.Pod, object.namespace, object.name, 'eviction')
      const metadata = { name: object.name, namespace: object.namespace }
      return {
        method: 'POST',
        path,
        query: { fieldManager },
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata, deleteOptions: { preconditions: { uid: uidOf(step.object) } } },
      }
    }
    case 'create': {
      const path = pathOf(await addressOf(discovery, object), object.namespace)
      return { method: 'POST', path, query: { fieldManager }, body: marked(step.manifest, object, marks) }
    }
    default:
      return step satisfies never
  }
}

/** A step without a uid could hit a namesake: it is never sent. */
function uidOf(object: ObjectRef): string {
  if (object.uid === '') throw new Fault('INTERNAL', `a step on ${describeRef(object)} names no uid`)
  return object.uid
}
const ofUid = (object: ObjectRef) => ({ op: 'test', path: '/metadata/uid', value: uidOf(object) }) as const

function marked(manifest: JsonObject, object: Omit<ObjectRef, 'uid'>, marks: Readonly<Record<string, string>>): JsonObject {
  const metadata = isRecord(manifest['metadata']) ? manifest['metadata'] : {}
  const annotations = isRecord(metadata['annotations']) ? metadata['annotations'] : {}
  const { apiVersion, kind, name, namespace } = object
  return { ...manifest, apiVersion, kind, metadata: { ...metadata, name, namespace, annotations: { ...annotations, ...marks } } }
}
