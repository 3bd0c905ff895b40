// Core v1 Events as kubelet and controllers write them: one per object, reason and message, counted when it repeats.
import type { Clock } from '../../domain/ports.ts'
import type { Store, Stored } from '../store.ts'
import { get, type Live, namespaceOf, stamp } from './cluster.ts'
import { canonical } from './pods.ts'

export type Recorder = (
  about: Stored,
  event: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string; readonly component: string; readonly container?: string },
) => void

/** More events than this fall out, oldest first; the real API server forgets them after an hour. */
const KEPT = 500

const hex = (text: string): string => {
  let hash = 0xcbf29ce484222325n
  for (const char of text) hash = ((hash ^ BigInt(char.codePointAt(0) ?? 0)) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash.toString(16).padStart(16, '0')
}

export function makeRecorder(store: Store, clock: Clock): Recorder {
  const written: { readonly namespace: string; readonly name: string }[] = []
  const remember = (namespace: string, name: string): void => {
    written.push({ namespace, name })
    const oldest = written.length > KEPT ? written.shift() : undefined
    if (oldest) store.remove('Event', oldest.namespace, oldest.name)
  }
  return (about, { type, reason, message, component, container }) => {
    const namespace = namespaceOf(about) || 'default'
    const now = stamp(clock.now())
    const name = `${about.metadata.name}.${hex(canonical([about.kind, about.metadata.uid, reason, message, container]))}`
    const before = get(store, 'Event', namespace, name)
    if (before) {
      const again: Live<'Event'> = { ...before, count: (before.count ?? 1) + 1, lastTimestamp: now }
      store.update(again)
      return
    }
    const involvedObject = {
      apiVersion: about.apiVersion,
      kind: about.kind,
      namespace,
      name: about.metadata.name,
      uid: about.metadata.uid ?? '',
      ...(container !== undefined && { fieldPath: `spec.containers{${container}}` }),
    }
    const event: Live<'Event'> = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject,
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
    }
    store.create(event)
    remember(namespace, name)
  }
}
