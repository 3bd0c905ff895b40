// From the pod that crashes to the case that is closed, with nothing in between that is ours but the sidecar: the API server and its
// controllers, Prometheus and its rules, Alertmanager and its routes. What was written is read off the API server's audit log.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { realPorts } from '../../src/ports.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { FATE } from './parts/stages.ts'
import { apply, deployment, fires, isQuiet, rolledOut } from './scenes.ts'
import { generated, type Sidecar, startSidecar } from './sidecar.ts'

const PARTS = ['controller-manager', 'scheduler', 'kwok', 'prometheus', 'alertmanager'] as const

labSuite('end to end', PARTS, () => {
  let lab: LabCluster
  beforeAll(async () => {
    lab = await withLab(PARTS)
  }, 120_000)
  afterAll(async () => await lab.stop())

  async function tenant(namespace: string): Promise<Sidecar> {
    await lab.given(...generated(namespace))
    const sidecar = await startSidecar(lab, { namespace, ends: onTestFinished })
    await lab.route({ namespace, ...sidecar.webhook })
    onTestFinished(() => lab.route({ namespace }))
    return sidecar
  }

  describe('a new revision that crash loops', () => {
    it('is rolled back by the sidecar, the controllers roll, the alert resolves and the case closes as fixed', { timeout: 240_000 }, async () => {
      const namespace = 'e2e-rollback'
      const sidecar = await tenant(namespace)
      const good = { namespace, name: 'web', image: 'shop/web:1' }
      await lab.given(deployment(good))
      await rolledOut(lab, namespace, 'web')

      await apply(lab, deployment({ ...good, image: 'shop/web:2', fate: { [FATE.fails]: 'crash' } }))
      await fires(lab, namespace, 'KubePodCrashLooping')
      const fired = realPorts.clock.now()
      // Beside each other: the case closes when the alert is resolved and the workload has been good for a while.
      const quiet = isQuiet(lab, namespace).then(() => realPorts.clock.now())
      const closed = await sidecar.closed('KubePodCrashLooping', 120_000)
      expect(closed).toMatchObject({ action: 'rollback_deployment', outcome: 'fixed' })
      const after = await rolledOut(lab, namespace, 'web')
      expect(after.spec?.template.spec?.containers[0]?.image).toBe('shop/web:1')
      const written = sidecar.written()
      expect(written.map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}/${objectRef?.name}`)).toEqual(['patch deployments/web'])
      const wroteAt = Date.parse(written[0]?.requestReceivedTimestamp ?? '')
      process.stdout.write(
        `rollback: written ${seconds(wroteAt - fired)} after the alert fired, nothing fired any more after ${seconds((await quiet) - fired)}, closed after ${seconds((closed.closedAt ?? 0) - fired)}\n`,
      )
    })
  })
})

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`
