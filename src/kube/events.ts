// Kubernetes Events on what we touched, so that `kubectl describe` tells people what we did there.
import type { Clock } from '../domain/ports.ts'
import type { ObjectRef } from '../domain/target.ts'
import { FIELD_MANAGER } from './step-request.ts'
import type { Transport } from './transport.ts'

export interface KubeEvent {
  readonly object: ObjectRef
  readonly type: 'Normal' | 'Warning'
  /** CamelCase, one word. */
  readonly reason: string
  readonly action: string
  readonly note: string
}

export type TellEvent = (event: KubeEvent) => Promise<void>

/** The API's limits: bytes of the note, characters of reason and action. */
const NOTE_BYTES = 1_024
const WORD = 128

export function makeEvents(transport: Transport, namespace: string, clock: Clock): TellEvent {
  return async ({ object, type, reason, action, note }) => {
    const { apiVersion, kind, name, uid } = object
    await transport.send({
      method: 'POST',
      path: `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`,
      query: { fieldManager: FIELD_MANAGER },
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: `${name.slice(0, 200)}.${unique(clock, transport)}`, namespace },
        eventTime: microTime(clock.now()),
        reportingController: 'alerts-slm.io/sidecar',
        reportingInstance: FIELD_MANAGER,
        action: action.slice(0, WORD),
        reason: reason.slice(0, WORD),
        regarding: { apiVersion, kind, namespace: object.namespace, name, uid },
        note: cut(note),
        type,
      },
    })
  }
}

const unique = (clock: Clock, { ports }: Transport): string =>
  `${clock.now().toString(16)}${Math.floor(ports.random.next() * 0xffff_ffff)
    .toString(16)
    .padStart(8, '0')}`

/** RFC 3339 with microseconds, as MicroTime wants it. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

/** At most so many bytes, and no character cut in half. */
function cut(note: string): string {
  if (Buffer.byteLength(note) <= NOTE_BYTES) return note
  const room = NOTE_BYTES - Buffer.byteLength('…')
  return `${new TextDecoder().decode(new TextEncoder().encode(note).subarray(0, room)).replace(/\ufffd+$/, '')}…`
}
