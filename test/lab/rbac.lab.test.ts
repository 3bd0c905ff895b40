// Every action does its work with exactly the roles that the generator writes for it, and without any single one of its rights it is
// refused before anything is written, with the right named. The API server decides both; its audit log says what was asked of it.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ACTIONS } from '../../src/actions/catalogue.ts'
import type { Action } from '../../src/actions/define-action.ts'
import type { JsonObject } from '../../src/domain/json.ts'
import { realPorts } from '../../src/ports.ts'
import { delivery } from '../acceptance/deliveries.ts'
import { until } from '../waiting.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { FATE } from './parts/stages.ts'
import { rulesFor } from './rule-folder.ts'
import { apply, deployment, podsOf, rolledOut, statefulSet, statefulSetIsReady } from './scenes.ts'
import { accountWithout, generated, type Sidecar, startSidecar, type Taken } from './sidecar.ts'

const PARTS = ['controller-manager', 'scheduler', 'kwok'] as const
const ALERT = 'LabAsksForIt'

/** A workload on which the action has something to do, and the labels of an alert that names it. */
interface Ground {
  readonly parameters?: JsonObject
  readonly prepare: (lab: LabCluster, namespace: string) => Promise<Readonly<Record<string, string>>>
}
const SIZED = { limits: { memory: '64Mi', cpu: '100m' }, requests: { memory: '64Mi', cpu: '100m' } }

async function web(lab: LabCluster, namespace: string, more: object = {}): Promise<Readonly<Record<string, string>>> {
  await lab.given(deployment({ namespace, name: 'web', image: 'shop/web:1', ...more }))
  await rolledOut(lab, namespace, 'web')
  return { deployment: 'web' }
}

const GROUND: Readonly<Record<string, Ground>> = {
  collect_diagnostics: { prepare: web },
  increase_resources: { parameters: { memoryFactor: 1.5, container: 'app' }, prepare: (lab, namespace) => web(lab, namespace, { resources: SIZED }) },
  restart_pod: {
    async prepare(lab, namespace) {
      await web(lab, namespace, { replicas: 3 })
      return { pod: (await podsOf(lab, namespace, 'web'))[0] ?? '' }
    },
  },
  rollback_deployment: {
    async prepare(lab, namespace) {
      const labels = await web(lab, namespace)
      await apply(lab, deployment({ namespace, name: 'web', image: 'shop/web:2', fate: { [FATE.fails]: 'neverReady' } }))
      return labels
    },
  },
  rollout_restart: { prepare: web },
  scale_deployment: { parameters: { replicas: 3 }, prepare: web },
  scale_statefulset: {
    parameters: { replicas: 3 },
    async prepare(lab, namespace) {
      await lab.given(statefulSet({ namespace, name: 'db', image: 'shop/db:1' }))
      await statefulSetIsReady(lab, namespace, 'db')
      return { statefulset: 'db' }
    },
  },
}

const named = ({ apiGroup, resource, verb }: Taken): string => `${verb} ${resource}${apiGroup ? `.${apiGroup}` : ''}`
const quoted = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
/** As the gate says it; or as the API server does, where already the evidence or the plan could not be read. */
const naming = (taken: Taken): RegExp =>
  new RegExp(`may not (.*, )?${quoted(named(taken))}[, ]|cannot ${taken.verb} resource "${quoted(taken.resource)}" in API group "${quoted(taken.apiGroup)}"`)
const rightsOf = ({ needs }: Action): readonly Taken[] => needs.flatMap(({ apiGroup, resource, verbs }) => verbs.map((verb) => ({ apiGroup, resource, verb })))
const dns = (action: string): string => action.replaceAll('_', '-')
const SEED = { settle: { time: '500ms', verify_within: '30s', check_every: '200ms' } }

labSuite('the rights of actions', PARTS, () => {
  let lab: LabCluster
  beforeAll(async () => {
    lab = await withLab(PARTS)
  }, 120_000)
  afterAll(async () => await lab.stop())

  const tell = async (sidecar: Sidecar, status: 'firing' | 'resolved', labels: Readonly<Record<string, string>>): Promise<void> => {
    const body = JSON.stringify(delivery(status, [{ labels: { alertname: ALERT, severity: 'warning', ...labels } }], realPorts.clock.now()))
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${sidecar.webhook.token}` }
    const answer = await realPorts.http()({ method: 'POST', url: sidecar.webhook.url, headers, body })
    expect(answer.status, await answer.text()).toBeLessThan(300)
  }

  describe.each(ACTIONS.filter(({ needs }) => needs.length > 0).map((action) => [action.name, action] as const))('%s', (name, action) => {
    const { prepare, parameters = {} } = GROUND[name] ?? {}
    const config = () => ({ ...SEED, alertmanager: { urls: [] }, rules: { operator_dir: rulesFor(ALERT, name, parameters) } })

    it('has a ground in this suite', () => expect(prepare).toBeDefined())

    it('does its work with exactly its generated roles, and is denied nothing', { timeout: 90_000 }, async () => {
      const namespace = `with-${dns(name)}`
      await lab.given(...generated(namespace, [action]))
      const labels = { namespace, ...(await prepare?.(lab, namespace)) }
      const sidecar = await startSidecar(lab, { namespace, config: config(), ends: onTestFinished })
      await tell(sidecar, 'firing', labels)
      if (action.safety !== 'harmless') {
        await until(`${name} writes`, () => sidecar.written().length > 0, { explain: () => sidecar.log.join('') })
        expect(sidecar.ledgered()).not.toEqual([])
        await tell(sidecar, 'resolved', labels)
      }
      const closed = await sidecar.closed(ALERT)
      expect(closed).toMatchObject({ action: name, outcome: action.safety === 'harmless' ? 'told' : 'fixed' })
      expect(sidecar.audit().filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([])
    })

    it('is refused without any single one of its rights, before anything is written', { timeout: 300_000 }, async () => {
      const namespace = `without-${dns(name)}`
      await lab.given(...generated(namespace, [action]))
      const labels = { namespace, ...(await prepare?.(lab, namespace)) }
      for (const [index, taken] of rightsOf(action).entries()) {
        const account = `without-${index}`
        await lab.given(...accountWithout(namespace, account, [action], taken))
        const sidecar = await startSidecar(lab, { namespace, account, config: config(), ends: onTestFinished })
        await tell(sidecar, 'firing', labels)
        const { outcome, because } = await sidecar.closed(ALERT)
        expect({ outcome, because }, `without ${named(taken)}`).toEqual({ outcome: expect.stringMatching(/^(refused|failed)$/), because: expect.stringMatching(naming(taken)) })
        expect([...sidecar.written(), ...sidecar.ledgered()], `without ${named(taken)}`).toEqual([])
        await sidecar.stop()
      }
    })
  })
})
