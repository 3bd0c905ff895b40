// The sidecar is killed between its intent and its write; the API server ends in the middle of a repair. Both end as if nothing had been.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { Database } from '../../src/libsql/database.ts'
import { Cut } from '../../src/practice/listen.ts'
import { start } from '../child-processes.ts'
import { temporaryFolder } from '../temporary.ts'
import { PROGRAM } from '../torture/torn-cluster.ts'
import { until } from '../waiting.ts'
import { freePort } from './ground.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'
import { FATE } from './parts/stages.ts'
import { apply, deployment, rolledOut } from './scenes.ts'
import { configOf, generated, isWorkloadWrite, kubeconfigFor, startSidecar, WEBHOOK_TOKEN } from './sidecar.ts'
import { struckApi } from './struck-api.ts'

const PARTS = ['controller-manager', 'scheduler', 'kwok', 'prometheus', 'alertmanager'] as const
const STORY = { timeout: 240_000 }

async function breakRevision(lab: LabCluster, namespace: string): Promise<void> {
  const good = { namespace, name: 'web', image: 'shop/web:1' }
  await lab.given(deployment(good))
  await rolledOut(lab, namespace, 'web')
  await apply(lab, deployment({ ...good, image: 'shop/web:2', fate: { [FATE.fails]: 'crash' } }))
}

labSuite('trouble in the middle of a repair', PARTS, () => {
  it('a sidecar that is killed between intent and write writes in its next life, once', STORY, async () => {
    const lab = await withLab(PARTS)
    onTestFinished(lab.stop)
    const namespace = 'e2e-killed'
    await lab.given(...generated(namespace))
    const folder = temporaryFolder()
    const api = await struckApi(lab, onTestFinished)
    writeFileSync(join(folder, 'kubeconfig'), await kubeconfigFor({ ca: lab.ca, tokenFor: lab.tokenFor, server: api.url }, namespace))
    const port = await freePort()
    const config = join(folder, 'alerts-slm.yaml')
    writeFileSync(config, stringify(configOf(namespace, folder, lab.alertmanagers, port)))
    await lab.route({ namespace, url: `http://127.0.0.1:${port}/alerts`, token: WEBHOOK_TOKEN })
    onTestFinished(() => lab.route({ namespace }))
    const live = async () => {
      const life = start(process.execPath, [PROGRAM, 'sidecar', '--config', config])
      await life.says(/ready to take alerts/)
      return life
    }
    const first = await live()
    const struck = Promise.withResolvers<void>()
    api.strike(
      ({ method, path, dryRun }) => method === 'PATCH' && path.endsWith('/deployments/web') && !dryRun,
      async () => {
        await first.end('SIGKILL')
        struck.resolve()
        throw new Cut()
      },
    )
    await breakRevision(lab, namespace)
    await struck.promise
    const written = () =>
      lab
        .audit(`system:serviceaccount:${namespace}:alerts-slm`)
        .filter(isWorkloadWrite)
        .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}/${objectRef?.name}`)
    expect(written()).toEqual([])
    const second = await live()
    const closed = () => outcomes(join(folder, 'history.db')).find(({ alert, outcome }) => alert === 'KubePodCrashLooping' && outcome !== 'null')
    expect(await until('the case is closed', closed, { withinMs: 120_000, everyMs: 200, explain: second.output })).toMatchObject({ outcome: 'fixed' })
    expect((await rolledOut(lab, namespace, 'web')).spec?.template.spec?.containers[0]?.image).toBe('shop/web:1')
    expect(written()).toEqual(['patch deployments/web'])
  })

  it('a repair outlives an API server that is killed and comes back', STORY, async () => {
    const lab = await withLab(PARTS, { own: true })
    onTestFinished(lab.stop)
    const namespace = 'e2e-restarted'
    await lab.given(...generated(namespace))
    const sidecar = await startSidecar(lab, { namespace, ends: onTestFinished })
    await lab.route({ namespace, ...sidecar.webhook })
    await breakRevision(lab, namespace)
    await until('the sidecar writes', () => sidecar.written().length > 0, { withinMs: 120_000, explain: () => sidecar.log.join('') })
    await lab.kill('kube-apiserver')
    await lab.start('kube-apiserver')
    expect(await sidecar.closed('KubePodCrashLooping', 120_000)).toMatchObject({ action: 'rollback_deployment', outcome: 'fixed' })
    expect((await rolledOut(lab, namespace, 'web')).spec?.template.spec?.containers[0]?.image).toBe('shop/web:1')
    expect(sidecar.written()).toHaveLength(1)
  })
})

/** Read while the sidecar runs: whoever opens a history that nobody else has open would repair it in the sidecar's place. */
function outcomes(file: string): readonly { readonly alert: string; readonly outcome: string }[] {
  const database = new Database(file)
  try {
    return database.all('SELECT alert_name, outcome FROM cases').map((row) => ({ alert: String(row['alert_name']), outcome: String(row['outcome']) }))
  } finally {
    database.close()
  }
}
