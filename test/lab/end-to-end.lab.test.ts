// From the pod that crashes to the case that is closed, with nothing in between that is ours but the sidecar: the API server and its
// controllers, Prometheus and its rules, Alertmanager and its routes. What was written is read off the API server's audit log.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Tree } from '../../src/config/tree.ts'
import { makeReader } from '../../src/kube/reader.ts'
import { realPorts } from '../../src/ports.ts'
import type { StoredCase } from '../../src/rooms/record/rows.ts'
import { until } from '../waiting.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { FATE } from './parts/stages.ts'
import { rulesFor } from './rule-folder.ts'
import { apply, applyAs, deployment, fires, firing, isQuiet, podsOf, rolledOut, silence } from './scenes.ts'
import { generated, type Sidecar, startSidecar } from './sidecar.ts'

const PARTS = ['controller-manager', 'scheduler', 'kwok', 'prometheus', 'alertmanager'] as const
type Ends = (undo: () => void | Promise<void>) => void

interface Tenant {
  readonly namespace: string
  readonly sidecar: Sidecar
  /** `patch deployments/web`, as the API server wrote it down. */
  readonly written: () => readonly string[]
  /** The closed case of an alert that fires from now on, once nothing fires any more; prints how long each step took. */
  readonly mended: (alert: string) => Promise<StoredCase>
}

labSuite('end to end', PARTS, () => {
  let lab: LabCluster
  beforeAll(async () => {
    lab = await withLab(PARTS)
  }, 120_000)
  afterAll(async () => await lab.stop())

  async function tenant(namespace: string, ends: Ends, config: Tree = {}): Promise<Tenant> {
    await lab.given(...generated(namespace))
    const sidecar = await startSidecar(lab, { namespace, config, ends })
    await lab.route({ namespace, ...sidecar.webhook })
    ends(() => lab.route({ namespace }))
    return {
      namespace,
      sidecar,
      written: () => sidecar.written().map(({ verb, objectRef }) => `${verb} ${[objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')}/${objectRef?.name}`),
      async mended(alert) {
        await fires(lab, namespace, alert)
        const fired = realPorts.clock.now()
        // Beside each other: the case closes when the alert is resolved and the workload has been good for a while.
        const quiet = isQuiet(lab, namespace).then(() => realPorts.clock.now())
        const closed = await sidecar.closed(alert, 120_000)
        const wroteAt = Date.parse(sidecar.written()[0]?.requestReceivedTimestamp ?? '')
        const after = (at: number | undefined) => `${(((at ?? Number.NaN) - fired) / 1000).toFixed(1)} s`
        process.stdout.write(`${namespace}: after ${alert} fired: written ${after(wroteAt)}, nothing fires ${after(await quiet)}, closed ${after(closed.closedAt)}\n`)
        return closed
      },
    }
  }
  /** From now on one pod of the app has this fate; whatever replaces it has the template's. */
  async function haunt(namespace: string, app: string, annotations: Readonly<Record<string, string>>): Promise<string> {
    const [sick = ''] = await podsOf(lab, namespace, app)
    await lab.admin.send({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/pods/${sick}`,
      body: { metadata: { annotations } },
      contentType: 'application/merge-patch+json',
    })
    return sick
  }
  const STORY = { timeout: 240_000 }

  it.concurrent('rolls a crash-looping revision back; the controllers roll, the alert resolves, the case closes as fixed', STORY, async ({ onTestFinished }) => {
    const { namespace, mended, written } = await tenant('e2e-rollback', onTestFinished)
    const good = { namespace, name: 'web', image: 'shop/web:1' }
    await lab.given(deployment(good))
    await rolledOut(lab, namespace, 'web')
    await apply(lab, deployment({ ...good, image: 'shop/web:2', fate: { [FATE.fails]: 'crash' } }))
    expect(await mended('KubePodCrashLooping')).toMatchObject({ action: 'rollback_deployment', outcome: 'fixed' })
    expect((await rolledOut(lab, namespace, 'web')).spec?.template.spec?.containers[0]?.image).toBe('shop/web:1')
    expect(written()).toEqual(['patch deployments/web'])
  })

  it.concurrent('gives memory to what the kernel ends at its limit, as much as it needs and not again', STORY, async ({ onTestFinished }) => {
    const { namespace, mended, written } = await tenant('e2e-memory', onTestFinished)
    const resources = { limits: { memory: '64Mi' }, requests: { memory: '64Mi' } }
    await lab.given(deployment({ namespace, name: 'cache', image: 'shop/cache:1', resources, fate: { [FATE.fails]: 'oom', [FATE.needsMemory]: '90Mi' } }))
    expect(await mended('KubeContainerOOMKilled')).toMatchObject({ action: 'increase_resources', outcome: 'fixed' })
    expect((await rolledOut(lab, namespace, 'cache')).spec?.template.spec?.containers[0]?.resources).toEqual({ limits: { memory: '96Mi' }, requests: { memory: '96Mi' } })
    expect(written()).toEqual(['patch deployments/cache'])
  })

  it.concurrent('evicts the one pod that crashes among healthy ones', STORY, async ({ onTestFinished }) => {
    const { namespace, mended, written } = await tenant('e2e-restart', onTestFinished)
    await lab.given(deployment({ namespace, name: 'worker', image: 'shop/worker:1', replicas: 4 }))
    await rolledOut(lab, namespace, 'worker')
    const sick = await haunt(namespace, 'worker', { [FATE.fails]: 'crash' })
    expect(await mended('KubePodCrashLooping')).toMatchObject({ action: 'restart_pod', outcome: 'fixed' })
    expect(await podsOf(lab, namespace, 'worker')).not.toContain(sick)
    expect(written()).toEqual([`create pods/eviction/${sick}`])
  })

  it.concurrent('touches nothing of a workload whose template Argo CD keeps, and says who would set it back', STORY, async ({ onTestFinished }) => {
    const { namespace, sidecar, written } = await tenant('e2e-gitops', onTestFinished)
    const web = (image: string, fate = {}) =>
      deployment({ namespace, name: 'web', image, fate, annotations: { 'argocd.argoproj.io/tracking-id': `shop:apps/Deployment:${namespace}/web` } })
    await applyAs(lab, 'argocd-controller', web('shop/web:1'))
    await rolledOut(lab, namespace, 'web')
    await applyAs(lab, 'argocd-controller', web('shop/web:2', { [FATE.fails]: 'crash' }))
    const closed = await sidecar.closed('KubePodCrashLooping', 120_000)
    expect(closed).toMatchObject({ action: 'rollback_deployment', outcome: 'refused', reason: 'OWNER_WOULD_REVERT', because: expect.stringContaining('Argo CD') })
    expect(written()).toEqual([])
    expect(await firing(lab, namespace)).toContain('KubePodCrashLooping')
  })

  it.concurrent('keeps two tenants apart: neither reads nor writes in the namespace of the other', STORY, async ({ onTestFinished }) => {
    const [one, other] = [await tenant('e2e-one', onTestFinished), await tenant('e2e-other', onTestFinished)]
    for (const { namespace } of [one, other]) await lab.given(deployment({ namespace, name: 'web', image: 'shop/web:1' }))
    for (const { namespace } of [one, other]) await rolledOut(lab, namespace, 'web')
    await apply(lab, deployment({ namespace: one.namespace, name: 'web', image: 'shop/web:2', fate: { [FATE.fails]: 'crash' } }))
    expect(await one.mended('KubePodCrashLooping')).toMatchObject({ outcome: 'fixed' })
    expect(other.sidecar.cases()).toEqual([])
    expect([one.written(), other.written()]).toEqual([['patch deployments/web'], []])
    for (const { namespace, sidecar } of [one, other]) {
      const places = sidecar.audit().flatMap(({ objectRef }) => objectRef?.namespace ?? [])
      expect([...new Set(places)]).toEqual([namespace])
    }
  })

  it.concurrent('goes back from an image that cannot be pulled', STORY, async ({ onTestFinished }) => {
    const { namespace, mended, written } = await tenant('e2e-image', onTestFinished)
    const good = { namespace, name: 'web', image: 'shop/web:1' }
    await lab.given(deployment(good))
    await rolledOut(lab, namespace, 'web')
    await apply(lab, deployment({ ...good, image: 'shop/web:nowhere', fate: { [FATE.fails]: 'imageMissing' } }))
    expect(await mended('KubePodNotReady')).toMatchObject({ action: 'rollback_deployment', outcome: 'fixed' })
    await until('the old pods are left alone', async () => (await makeReader(lab.admin, namespace).list('Pod')).every(({ spec }) => spec?.containers[0]?.image === 'shop/web:1'))
    expect(written()).toEqual(['patch deployments/web'])
  })
  it.concurrent('takes its own change back when the workload got worse by it', STORY, async ({ onTestFinished }) => {
    const { namespace, mended, written } = await tenant('e2e-undone', onTestFinished)
    const resources = { limits: { memory: '64Mi' }, requests: { memory: '64Mi' } }
    const fragile = deployment({ namespace, name: 'media', image: 'shop/media:1', replicas: 4, resources, fate: { [FATE.breaksFromMemory]: '90Mi' } })
    await lab.given({ ...fragile, spec: { ...fragile.spec, strategy: { rollingUpdate: { maxUnavailable: 2, maxSurge: 0 } } } })
    await rolledOut(lab, namespace, 'media')
    await haunt(namespace, 'media', { [FATE.fails]: 'oom', [FATE.needsMemory]: '90Mi' })
    expect(await mended('KubeContainerOOMKilled')).toMatchObject({ action: 'increase_resources', outcome: 'undone' })
    expect((await rolledOut(lab, namespace, 'media')).spec?.template.spec?.containers[0]?.resources).toEqual(resources)
    expect(written()).toEqual(['patch deployments/media', 'patch deployments/media'])
  })
  it.concurrent('holds in a maintenance window, heeds a silence that is set meanwhile, and goes on when it is lifted', STORY, async ({ onTestFinished }) => {
    const [from, to] = [-60_000, 45_000].map((away) => new Date(realPorts.clock.now() + away).toISOString())
    const { namespace, sidecar, written } = await tenant('e2e-silence', onTestFinished, { actions: { maintenance: [{ from, to, why: 'the database moves' }] } })
    const good = { namespace, name: 'web', image: 'shop/web:1' }
    await lab.given(deployment(good))
    await rolledOut(lab, namespace, 'web')
    await apply(lab, deployment({ ...good, image: 'shop/web:2', fate: { [FATE.fails]: 'crash' } }))
    const held = (why: string) => until(`a case is held: ${why}`, () => sidecar.cases().find(({ because }) => because?.includes(why)), { withinMs: 120_000, everyMs: 100 })
    await held('the database moves')
    const lift = await silence(lab, namespace, realPorts.clock.now())
    await held('silenced or inhibited')
    expect(written()).toEqual([])
    await lift()
    expect(await sidecar.closed('KubePodCrashLooping', 120_000)).toMatchObject({ action: 'rollback_deployment', outcome: 'fixed' })
    expect(written()).toEqual(['patch deployments/web'])
  })
  it.concurrent('does not scale by hand what an autoscaler keeps at its count', STORY, async ({ onTestFinished }) => {
    const operator_dir = rulesFor('KubeDeploymentReplicasMismatch', 'scale_deployment', { replicas: 3 }, onTestFinished)
    const { namespace, sidecar, written } = await tenant('e2e-autoscaler', onTestFinished, { rules: { operator_dir } })
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
    await lab.given(deployment({ namespace, name: 'web', image: 'shop/web:1', fate: { [FATE.fails]: 'neverReady' } }), {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace },
      spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 5, metrics },
    })
    const closed = await sidecar.closed('KubeDeploymentReplicasMismatch', 120_000)
    expect(closed).toMatchObject({ action: 'scale_deployment', outcome: 'refused', reason: 'OWNER_WOULD_REVERT', because: expect.stringContaining('HorizontalPodAutoscaler web') })
    expect(written()).toEqual([])
  })
})
