// Our facts over a namespace of the lab: read through our own reader, about one pod of a workload.
import type { Evidence } from '../../src/domain/evidence.ts'
import type { ObjectRef } from '../../src/domain/target.ts'
import { FACTS } from '../../src/facts/catalogue.ts'
import { gatherEvidence } from '../../src/facts/evidence.ts'
import { makeReader } from '../../src/kube/reader.ts'
import type { Transport } from '../../src/kube/transport.ts'
import { realPorts } from '../../src/ports.ts'
import { firingAlert } from '../readings.ts'

/** What the facts say of this pod of the Deployment, read with the rights of whoever the transport speaks for. */
export async function evidenceOfPod(transport: Transport, namespace: string, deployment: string, pod: string): Promise<Evidence> {
  const read = makeReader(transport, namespace)
  const ref = async (apiVersion: string, kind: 'Pod' | 'Deployment', name: string): Promise<ObjectRef> => {
    const found = await read.get(kind, name)
    return { apiVersion, kind, namespace, name, uid: found?.metadata?.uid ?? 'gone' }
  }
  const object = await ref('v1', 'Pod', pod)
  const owner = await ref('apps/v1', 'Deployment', deployment)
  return gatherEvidence(FACTS, {
    alerts: [firingAlert({ alertname: 'KubePodCrashLooping', namespace, pod })],
    target: { object, owner, chain: [object, owner], container: undefined },
    read,
    attempts: { forOwner: () => [], forRule: () => [], inNamespace: () => [] },
    counts: { episodes: () => 1 },
    firing: async () => [],
    now: realPorts.clock.now(),
  })
}
