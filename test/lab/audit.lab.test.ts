// What the sidecar's account wrote, held against what its cases say, by the API server's own book.
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { realPorts } from '../../src/ports.ts'
import { delivery } from '../acceptance/deliveries.ts'
import { until } from '../waiting.ts'
import { reckon, writesIn } from './audit.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { FATE } from './parts/stages.ts'
import { apply, deployment, podsOf, rolledOut } from './scenes.ts'
import { generated, type Sidecar, startSidecar } from './sidecar.ts'

const PARTS = ['controller-manager', 'scheduler', 'kwok', 'actor', 'metrics-server'] as const
const http = realPorts.http()

labSuite("the API server's audit log", PARTS, () => {
  let lab: LabCluster
  beforeAll(async () => {
    lab = await withLab(PARTS)
  }, 120_000)
  afterAll(async () => await lab.stop())

  const send = async ({ webhook }: Sidecar, status: 'firing' | 'resolved', labels: Readonly<Record<string, string>>, startsAt: number): Promise<void> => {
    const body = JSON.stringify(delivery(status, [{ labels, startsAt }], realPorts.clock.now()))
    const headers = { authorization: `Bearer ${webhook.token}`, 'content-type': 'application/json' }
    expect((await http({ method: 'POST', url: webhook.url, headers, body })).status).toBe(200)
  }
  const recorded = ({ app, cases }: Sidecar) => cases().map(({ id, outcome }) => ({ outcome, events: app.history.events(id) }))

  it('shows that the account wrote what the case says, all of it and nothing else', { timeout: 180_000 }, async () => {
    const namespace = 'audited'
    await lab.given(...generated(namespace))
    // Alertmanager is not asked here: what fires is what was delivered.
    const sidecar = await startSidecar(lab, { namespace, config: { alertmanager: { urls: [] } }, ends: onTestFinished })
    const good = { namespace, name: 'web', image: 'shop/web:1' }
    await lab.given(deployment(good), deployment({ namespace, name: 'bystander', image: 'shop/other:1' }))
    await rolledOut(lab, namespace, 'web')
    await rolledOut(lab, namespace, 'bystander')
    await apply(lab, deployment({ ...good, image: 'shop/web:2', fate: { [FATE.fails]: 'crash' } }))
    const pod = await until('a pod of the new revision crashes', () => crashing(namespace))

    const labels = { alertname: 'KubePodCrashLooping', namespace, pod, container: 'app', severity: 'warning' }
    const startsAt = realPorts.clock.now() - 60_000
    await send(sidecar, 'firing', labels, startsAt)
    await until('the sidecar has written', () => sidecar.written().length > 0, { withinMs: 60_000, explain: () => sidecar.log.slice(-20).join('') })
    await rolledOut(lab, namespace, 'web')
    await send(sidecar, 'resolved', labels, startsAt)
    expect(await sidecar.closed('KubePodCrashLooping', 60_000)).toMatchObject({ action: 'rollback_deployment', outcome: 'fixed' })

    expect(reckon(sidecar.audit(), recorded(sidecar))).toEqual({ unsaid: [], unsent: [] })
    expect(
      writesIn(sidecar.audit())
        .filter(({ rehearsal }) => rehearsal)
        .map(({ what }) => what),
    ).toEqual(expect.arrayContaining(['patch deployments/web']))
  })

  it('shows a write that no case says', { timeout: 60_000 }, async () => {
    const namespace = 'audited-stray'
    await lab.given(...generated(namespace), deployment({ namespace, name: 'web', image: 'shop/web:1' }))
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`
    const body = { metadata: { annotations: { stray: 'yes' } } }
    await lab.as(await lab.tokenFor(namespace, 'alerts-slm')).send({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })
    expect(reckon(lab.audit(`system:serviceaccount:${namespace}:alerts-slm`), [])).toEqual({ unsaid: [`patch deployments/web ${JSON.stringify(body)}`], unsent: [] })
  })

  const crashing = async (namespace: string): Promise<string | undefined> => {
    for (const name of await podsOf(lab, namespace, 'web')) {
      const { body } = await lab.admin.send({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods/${name}` })
      if (JSON.stringify(body).includes('CrashLoopBackOff')) return name
    }
    return undefined
  }
})
