// metrics.k8s.io of the lab: what our facts and the real autoscaler read there, and who may.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeReader } from '../../src/kube/reader.ts'
import { until } from '../waiting.ts'
import { evidenceOfPod } from './evidence.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { USAGE } from './metrics/usage.ts'
import { deployment, rolledOut } from './scenes.ts'

const PARTS = ['controller-manager', 'scheduler', 'kwok', 'metrics-server'] as const
const READS = ['get', 'list']

labSuite('metrics.k8s.io', PARTS, () => {
  let lab: LabCluster
  let namespaces = 0
  beforeAll(async () => {
    lab = await withLab(PARTS)
  }, 120_000)
  afterAll(async () => await lab.stop())

  async function busy(usage: Readonly<Record<string, string>>): Promise<{ namespace: string; pod: string }> {
    const namespace = `metrics-${namespaces++}`
    const resources = { requests: { cpu: '500m', memory: '256Mi' }, limits: { cpu: '1', memory: '512Mi' } }
    await lab.given({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await lab.given(deployment({ namespace, name: 'web', image: 'shop/web:1', replicas: 1, fate: usage, resources }))
    await rolledOut(lab, namespace, 'web')
    const [pod] = await makeReader(lab.admin, namespace).list('Pod', { labels: 'app=web' })
    return { namespace, pod: pod?.metadata?.name ?? '' }
  }

  it('tells our fact what a pod uses', { timeout: 60_000 }, async () => {
    const { namespace, pod } = await busy({ [USAGE.cpu]: '900m', [USAGE.memory]: '384Mi' })
    const evidence = await evidenceOfPod(lab.admin, namespace, 'web', pod)
    expect(await evidence.read('usage')).toEqual({ cpuCores: 0.9, memoryBytes: 384 * 1024 * 1024 })
    expect(await evidence.read('resources')).toMatchObject({ memoryShareOfLimit: 0.75, cpuShareOfLimit: 0.9 })
  })

  it('does not know a pod that is not measured', { timeout: 60_000 }, async () => {
    const { namespace, pod } = await busy({})
    const evidence = await evidenceOfPod(lab.admin, namespace, 'web', pod)
    expect(await evidence.read('usage')).toEqual({ unknown: 'the metrics API has no figures of this container' })
  })

  it('is read with the rights that the fact declares, and with no less', { timeout: 60_000 }, async () => {
    const { namespace, pod } = await busy({ [USAGE.memory]: '1Mi' })
    const allowed = lab.as(await lab.accountWith(namespace, [{ apiGroup: 'metrics.k8s.io', resource: 'pods', verbs: READS }]))
    expect(await makeReader(allowed, namespace).list('PodMetrics', { labels: 'app=web' })).toMatchObject([{ metadata: { name: pod }, containers: [{ name: 'app' }] }])
    const limited = lab.as(await lab.accountWith(namespace, [{ apiGroup: '', resource: 'pods', verbs: READS }]))
    await expect(makeReader(limited, namespace).get('PodMetrics', pod)).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' })
  })

  it("feeds the cluster's own autoscaler", { timeout: 90_000 }, async () => {
    const { namespace } = await busy({ [USAGE.cpu]: '500m' })
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }]
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    const spec = { scaleTargetRef, minReplicas: 1, maxReplicas: 2, metrics }
    await lab.given({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'web', namespace }, spec })
    const reader = makeReader(lab.admin, namespace)
    await until('the autoscaler wants a second pod', async () => (await reader.get('Deployment', 'web'))?.spec?.replicas === 2, { withinMs: 60_000, everyMs: 200 })
  })
})
