// What end-to-end suites do to a namespace of the lab, and what they wait for there.
import * as z from 'zod'
import { makeReader } from '../../src/kube/reader.ts'
import type { Kinds } from '../../src/kube/wire.ts'
import { realPorts } from '../../src/ports.ts'
import { until } from '../waiting.ts'
import type { LabCluster } from './lab-cluster.ts'

export interface Wish {
  readonly namespace: string
  readonly name: string
  readonly image: string
  readonly replicas?: number
  /** The fate of its pods, as stages.ts reads it. */
  readonly fate?: Readonly<Record<string, string>>
  readonly resources?: object
  readonly annotations?: Readonly<Record<string, string>>
}

export const deployment = ({ namespace, name, image, replicas = 2, fate = {}, resources = {}, annotations = {} }: Wish) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, annotations },
  spec: {
    replicas,
    progressDeadlineSeconds: 600,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name }, annotations: fate }, spec: { containers: [{ name: 'app', image, resources }] } },
  },
})

/** As `kubectl apply` of another version would: a merge patch over the workload. */
export async function apply(lab: LabCluster, manifest: ReturnType<typeof deployment>): Promise<void> {
  const { namespace, name } = manifest.metadata
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
  await lab.admin.send({ method: 'PATCH', path, body: manifest, contentType: 'application/merge-patch+json' })
}

/** Server-side apply by another manager, as a GitOps controller does it. */
export async function applyAs(lab: LabCluster, fieldManager: string, manifest: ReturnType<typeof deployment>): Promise<void> {
  const { namespace, name } = manifest.metadata
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
  await lab.admin.send({ method: 'PATCH', path, query: { fieldManager, force: true }, body: manifest, contentType: 'application/apply-patch+yaml' })
}

export const isRolledOut = ({ metadata, spec, status }: Kinds['Deployment']): boolean =>
  status?.observedGeneration === metadata?.generation &&
  status?.updatedReplicas === spec?.replicas &&
  status?.availableReplicas === spec?.replicas &&
  status?.replicas === spec?.replicas

export const rolledOut = (lab: LabCluster, namespace: string, name: string): Promise<Kinds['Deployment']> =>
  until(
    `Deployment ${namespace}/${name} is rolled out`,
    async () => {
      const found = await makeReader(lab.admin, namespace).get('Deployment', name)
      return found && isRolledOut(found) && found
    },
    { everyMs: 100 },
  )

const ALERTS = z.object({
  data: z.object({ alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.enum(['pending', 'firing']), activeAt: z.string() })) }),
})
const http = realPorts.http()

/** Names of what Prometheus says fires in the namespace now. */
export async function firing(lab: LabCluster, namespace: string): Promise<readonly string[]> {
  const answer = await http({ method: 'GET', url: `${lab.prometheus}/api/v1/alerts` })
  const { alerts } = ALERTS.parse(JSON.parse(await answer.text())).data
  return alerts.filter(({ labels, state }) => state === 'firing' && labels['namespace'] === namespace).map(({ labels }) => labels['alertname'] ?? '')
}

export const fires = (lab: LabCluster, namespace: string, alert: string): Promise<unknown> =>
  until(`${alert} fires in ${namespace}`, async () => (await firing(lab, namespace)).includes(alert), { withinMs: 90_000, everyMs: 100 })
export const isQuiet = (lab: LabCluster, namespace: string): Promise<unknown> =>
  until(`nothing fires in ${namespace}`, async () => (await firing(lab, namespace)).length === 0, { withinMs: 90_000, everyMs: 100 })

export const statefulSet = ({ namespace, name, image, replicas = 2, fate = {}, resources = {} }: Wish) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace },
  spec: {
    serviceName: name,
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name }, annotations: fate }, spec: { containers: [{ name: 'app', image, resources }] } },
  },
})

export const statefulSetIsReady = (lab: LabCluster, namespace: string, name: string): Promise<unknown> =>
  until(
    `StatefulSet ${namespace}/${name} is ready`,
    async () => {
      const found = await makeReader(lab.admin, namespace).get('StatefulSet', name)
      return found?.status?.readyReplicas === found?.spec?.replicas
    },
    { everyMs: 100 },
  )

/** Names of the pods that are not being ended. */
export const podsOf = async (lab: LabCluster, namespace: string, app: string): Promise<readonly string[]> =>
  (await makeReader(lab.admin, namespace).list('Pod', { labels: `app=${app}` }))
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata?.name ?? '')

const SILENCE = z.object({ silenceID: z.string() })

/** Set as a person would; answers how it is lifted. */
export async function silence(lab: LabCluster, namespace: string, now: number): Promise<() => Promise<void>> {
  const [startsAt, endsAt] = [now, now + 3_600_000].map((at) => new Date(at).toISOString())
  const matchers = [{ name: 'namespace', value: namespace, isRegex: false, isEqual: true }]
  const body = JSON.stringify({ matchers, startsAt, endsAt, createdBy: 'ann', comment: 'I look at it myself' })
  // Peers share silences, and the lab may hold two pairs that know nothing of each other.
  const set = await Promise.all(
    lab.alertmanagers.map(async (peer) => {
      const answer = await http({ method: 'POST', url: `${peer}/api/v2/silences`, headers: { 'content-type': 'application/json' }, body })
      return `${peer}/api/v2/silence/${SILENCE.parse(JSON.parse(await answer.text())).silenceID}`
    }),
  )
  return async () => {
    for (const url of set) await (await http({ method: 'DELETE', url })).text()
  }
}
