// Every object of one kind in all namespaces, held by list and watch; listed again after any trouble.
import { pause } from '../../../src/domain/ports.ts'
import { isRecord } from '../../../src/kube/getter.ts'
import { asKind } from '../../../src/kube/reader.ts'
import type { Transport } from '../../../src/kube/transport.ts'
import { ADDRESSES, type Kind, type Kinds } from '../../../src/kube/wire.ts'

export interface ClusterWatch<K extends Kind> {
  /** undefined: not held yet, or not any more; the page that is asked for then is no truth. */
  held(): readonly Kinds[K][] | undefined
}

const AGAIN_MS = 500

export function watchCluster<K extends Kind>(transport: Transport, kind: K, onTrouble: (why: string) => void): ClusterWatch<K> {
  const { apiVersion, plural } = ADDRESSES[kind]
  const path = `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}/${plural}`
  let objects: Map<string, Kinds[K]> | undefined

  const once = async (): Promise<void> => {
    const { body } = await transport.send({ method: 'GET', path })
    if (!isRecord(body) || !Array.isArray(body['items'])) throw new Error(`${path} is no list`)
    const held = new Map<string, Kinds[K]>(body['items'].map((object: unknown) => [uidOf(object), asKind(kind, object)]))
    objects = held
    const query = { watch: true, resourceVersion: versionOf(body), timeoutSeconds: 240 }
    for await (const event of transport.stream({ path, query })) {
      if (!isRecord(event) || event['type'] === 'ERROR') throw new Error(`the watch of ${kind} broke`)
      const { type, object } = event
      if (type === 'DELETED') held.delete(uidOf(object))
      else if (type !== 'BOOKMARK') held.set(uidOf(object), asKind(kind, object))
    }
  }
  const forever = async (): Promise<never> => {
    for (;;) {
      await once().catch((error: unknown) => {
        objects = undefined
        onTrouble(error instanceof Error ? error.message : String(error))
      })
      await pause(transport.ports.timers, AGAIN_MS)
    }
  }
  void forever()
  return { held: () => objects && [...objects.values()] }
}

const metadataOf = (object: unknown): Readonly<Record<string, unknown>> => (isRecord(object) && isRecord(object['metadata']) ? object['metadata'] : {})
const uidOf = (object: unknown): string => String(metadataOf(object)['uid'])
const versionOf = (object: unknown): string => String(metadataOf(object)['resourceVersion'])
