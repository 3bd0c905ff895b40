// Facts over plain manifests, read as in life: through our own reader from the practice API server, at a fixed time.
import type { Alert } from '../src/domain/alert.ts'
import type { Evidence } from '../src/domain/evidence.ts'
import type { Attempt } from '../src/domain/history.ts'
import type { JsonObject } from '../src/domain/json.ts'
import type { ObjectRef, Target } from '../src/domain/target.ts'
import type { Unknown } from '../src/domain/unknown.ts'
import { FACTS } from '../src/facts/catalogue.ts'
import { gatherEvidence } from '../src/facts/evidence.ts'
import { makeReader } from '../src/kube/reader.ts'
import { makeTransport } from '../src/kube/transport.ts'
import type { Reader } from '../src/kube/wire.ts'
import { httpOf } from '../src/practice/http.ts'
import { makePractice } from '../src/practice/server.ts'
import type { Store } from '../src/practice/store.ts'
import { ADMIN_TOKEN } from '../src/practice/users.ts'
import { manualPorts, START } from './manual-ports.ts'

export type Manifest = Readonly<Record<string, unknown>>
export const NAMESPACE = 'team-a'
export const ago = (seconds: number): string => new Date(START - seconds * 1_000).toISOString()

export interface Scene {
  readonly manifests?: readonly Manifest[]
  /** Kind and name of what the labels name; none: an alert without a target. */
  readonly about?: readonly [kind: string, name: string]
  readonly container?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Text by `pod container` or `pod container previous`. */
  readonly logs?: Readonly<Record<string, string>>
  readonly attempts?: readonly Attempt[]
  readonly episodes?: number
  readonly firing?: readonly Alert[] | Unknown
  readonly now?: number
  /** Stands between the facts and the cluster. */
  readonly through?: (read: Reader) => Reader
}

export function firingAlert(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>> = {}): Alert {
  return { fingerprint: JSON.stringify(labels), status: 'firing', labels, annotations, startsAt: START - 900_000, endsAt: undefined, generatorUrl: undefined }
}

function refOf(store: Store, kind: string, name: string): ObjectRef {
  const found = store.get(kind, NAMESPACE, name)
  return { apiVersion: found?.apiVersion ?? 'v1', kind, namespace: NAMESPACE, name, uid: found?.metadata.uid ?? 'gone' }
}
function targetOf(store: Store, [kind, name]: readonly [string, string], container: string | undefined): Target {
  const object = refOf(store, kind, name)
  const chain = [object]
  for (let at = store.get(kind, NAMESPACE, name)?.metadata.ownerReferences?.[0]; at; at = store.get(at.kind, NAMESPACE, at.name)?.metadata.ownerReferences?.[0])
    chain.push(refOf(store, at.kind, at.name))
  return { object, owner: chain.at(-1) ?? object, chain, container }
}

export function evidenceOf(scene: Scene): Evidence {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, ...(scene.manifests ?? [])])
  for (const [key, text] of Object.entries(scene.logs ?? {})) {
    const [pod = '', container = '', previous] = key.split(' ')
    practice.logs.set(pod, container, previous === 'previous', text)
  }
  const transport = makeTransport({
    ...ports,
    http: httpOf(practice.fetch),
    server: 'http://practice',
    headers: async () => ({ authorization: `Bearer ${ADMIN_TOKEN}` }),
    burst: 10_000,
  })
  const read = makeReader(transport, NAMESPACE)
  return gatherEvidence(FACTS, {
    alerts: [firingAlert({ alertname: 'KubePodCrashLooping', namespace: NAMESPACE, ...scene.labels }, scene.annotations)],
    target: scene.about && targetOf(practice.store, scene.about, scene.container),
    read: scene.through ? scene.through(read) : read,
    attempts: { forOwner: (owner, since) => (scene.attempts ?? []).filter((a) => a.owner === owner && a.at >= since), forRule: () => [], inNamespace: () => [] },
    counts: { episodes: () => scene.episodes ?? 1 },
    firing: async () => scene.firing ?? [],
    now: scene.now ?? START,
  })
}

/** One fact of a scene. */
export const reading = (fact: string, scene: Scene, parameters?: JsonObject) => evidenceOf(scene).read(fact, parameters)

const meta = (name: string, more: Manifest = {}) => ({ name, namespace: NAMESPACE, ...more })
export const ownedBy = (kind: string, name: string) => [{ apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1', kind, name, uid: '', controller: true }]
export const podTemplate = (container: Manifest = {}, more: Manifest = {}) => ({
  metadata: { labels: { app: 'web' }, ...more },
  spec: { containers: [{ name: 'web', image: 'shop/web:1', ...container }] },
})

export function deployment(more: { readonly spec?: Manifest; readonly status?: Manifest; readonly metadata?: Manifest } = {}): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('web', { generation: 1, creationTimestamp: ago(86_400), ...more.metadata }),
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: podTemplate(), ...more.spec },
    status: { observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, ...more.status },
  }
}
export function replicaSet(revision: number, ageSeconds: number, more: { readonly template?: Manifest; readonly replicas?: number; readonly status?: Manifest } = {}): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta(`web-${revision}`, {
      labels: { app: 'web' },
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      creationTimestamp: ago(ageSeconds),
      ownerReferences: ownedBy('Deployment', 'web'),
    }),
    spec: { replicas: more.replicas ?? 3, selector: { matchLabels: { app: 'web' } }, template: more.template ?? podTemplate() },
    status: { replicas: more.replicas ?? 3, ...more.status },
  }
}

const READY = {
  conditions: [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: 'True', lastTransitionTime: ago(3_600) },
  ],
  containerStatuses: [{ name: 'web', image: 'shop/web:1', ready: true, restartCount: 0, state: { running: { startedAt: ago(3_600) } } }],
}
export const CRASHING = {
  conditions: [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: 'False', lastTransitionTime: ago(600) },
  ],
  containerStatuses: [
    {
      name: 'web',
      image: 'shop/web:1',
      ready: false,
      restartCount: 7,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } },
      lastState: { terminated: { reason: 'Error', exitCode: 1, startedAt: ago(130), finishedAt: ago(120) } },
    },
  ],
}
export function pod(name: string, more: { readonly status?: Manifest; readonly spec?: Manifest; readonly metadata?: Manifest; readonly set?: string } = {}): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, { labels: { app: 'web' }, creationTimestamp: ago(3_600), ownerReferences: ownedBy('ReplicaSet', more.set ?? 'web-1'), ...more.metadata }),
    spec: { nodeName: 'node-1', containers: [{ name: 'web', image: 'shop/web:1' }], ...more.spec },
    status: { phase: 'Running', ...READY, ...more.status },
  }
}
