// What is not known, not confirmed or not kept stops every write.
import { describe, expect, it } from 'vitest'
import { Database } from '../../src/libsql/database.ts'
import { policyReader } from '../../src/rights/manifests.ts'
import { NAMESPACE } from '../acting.ts'
import { promise } from '../promises.ts'
import { alertOf, badDeploy, crashLooping, imageOf, ledgerOf, untilWell } from './scenes.ts'
import { type Stage, stage, type Wishes } from './stage.ts'

const POLICY = { namespace: 'ops', name: 'alerts-slm-policy' }
const policyMap = (data: Readonly<Record<string, string>>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: POLICY, data })
const OPERATED: Wishes = {
  config: { policy: { config_map: POLICY } },
  manifests: [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ops' } },
    policyMap({ mode: 'enforce' }),
    ...policyReader(POLICY, [NAMESPACE]).map((manifest) => ({ ...manifest })),
  ],
}
const operatorSays = (on: Stage, data: Readonly<Record<string, string>>) => {
  const found = on.practice.store.get('ConfigMap', POLICY.namespace, POLICY.name)
  if (found) on.practice.store.update({ ...found, ...policyMap(data), metadata: { ...found.metadata, ...POLICY } })
}
const WEB = /\/deployments\/web$/
const LEDGER = /\/configmaps(?:\/alerts-slm-ledger)?$/

describe('the operator', () => {
  it(promise('kill-switch-stops', 'between the gates and the intent'), async () => {
    const on = await badDeploy(OPERATED)
    // The rehearsal, which is the last gate, takes so long that the policy is read once more meanwhile.
    on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, times: 1, then: { kind: 'delay', ms: 12_000 } })
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun))
    operatorSays(on, { kill_switch: 'true' })
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'KILL_SWITCH' })
    expect(on.practice.requests.filter(({ dryRun }) => dryRun).map(({ status }) => status)).toEqual([200])
    expect(on.written()).toEqual([])
    expect(on.practice.store.peek('ConfigMap', NAMESPACE, 'alerts-slm-ledger')).toBeUndefined()
  })

  it(promise('stale-policy-holds'), async () => {
    const on = await badDeploy(OPERATED)
    const mend = on.practice.faults.add({ match: { path: '/api/v1/namespaces/ops/configmaps' }, then: { kind: 'status', status: 500 } })
    await on.ports.advance(45_000)
    await on.push(crashLooping(on, 'web'))
    expect(await on.waiting('policy')).toMatchObject({ because: expect.stringMatching(/policy/i) })
    await on.ports.advance(60_000)
    expect(on.written()).toEqual([])
    mend()
    await untilWell(on, 'web', 1)
  })

  it(promise('stale-policy-holds', 'a policy that vanished, or that cannot be understood, is none'), async () => {
    const on = await badDeploy(OPERATED)
    operatorSays(on, { mode: 'enforce', budget_per_tenant: '3' })
    await on.ports.advance(45_000)
    await on.push(crashLooping(on, 'web'))
    await on.waiting('policy')
    on.practice.store.remove('ConfigMap', POLICY.namespace, POLICY.name)
    await on.ports.advance(60_000)
    expect(on.written()).toEqual([])
  })

  it('can only lower: its ConfigMap makes no observer act', async () => {
    const on = await badDeploy({ ...OPERATED, config: { ...OPERATED.config, actions: { mode: 'observe' } } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({ outcome: 'observed' })
  })
})

describe('the ledger', () => {
  it(promise('ledger-before-write', 'where it may not be written the case fails'), async () => {
    const on = await badDeploy()
    on.practice.faults.add({ match: { method: 'POST', path: LEDGER }, then: { kind: 'status', status: 403 } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({ outcome: 'failed', reason: 'CLUSTER_REFUSED' })
    expect(on.written()).toEqual([])
  })

  it(promise('ledger-before-write', 'where it cannot be written for a while the case waits'), async () => {
    const on = await badDeploy()
    const mend = on.practice.faults.add({ match: { method: 'POST', path: LEDGER }, then: { kind: 'status', status: 500 } })
    await on.push(crashLooping(on, 'web'))
    await on.waiting('retry')
    await on.ports.advance(60_000)
    expect(on.written()).toEqual([])
    mend()
    await untilWell(on, 'web', 1)
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it(promise('ledger-before-write', 'the entry is there before the write, with undo and plan'), async () => {
    const on = await badDeploy()
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.written().length === 1)
    const order = on.writeVerbs().filter(({ status, on: what }) => status < 300 && !what.startsWith('events'))
    expect(order.slice(0, 2).map(({ verb, on: what }) => `${verb} ${what}`)).toEqual(['create configmaps', 'patch deployments/web'])
    const entries = ledgerOf(on)
    expect(entries[0]).toMatchObject({ caseId: on.cases()[0]?.id, action: 'rollback_deployment', undo: [{ kind: 'patch' }] })
  })

  it('that cannot be read holds the case: earlier attempts are not known', async () => {
    const on = await badDeploy()
    const mend = on.practice.faults.add({ match: { method: 'GET', path: LEDGER }, then: { kind: 'status', status: 403 } })
    await on.push(crashLooping(on, 'web'))
    await on.waiting('retry')
    await on.ports.advance(60_000)
    expect(on.written()).toEqual([])
    mend()
    await untilWell(on, 'web', 1)
  })
})

/** Another program fills the disk: the file is larger than ours may become. */
function fillDisk(store: string): () => void {
  const other = new Database(store)
  other.exec('CREATE TABLE IF NOT EXISTS filler (junk BLOB)')
  other.exec('WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO filler SELECT randomblob(4000) FROM n')
  return () => {
    other.exec('DROP TABLE filler')
    other.close()
  }
}

describe('the history', () => {
  const SMALL: Wishes = { config: { store: { max_bytes: '256Ki' } } }

  it(promise('store-then-answer', 'full: 503, and Alertmanager sends again'), async () => {
    const on = await stage(SMALL)
    const free = fillDisk(on.store)
    const alert = alertOf('Anything', { deployment: 'web' }, { annotations: { description: 'x'.repeat(20_000) } })
    const refused = await on.push(alert)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await refused.json()).toMatchObject({ code: 'STORE_FULL' })
    expect(on.cases()).toEqual([])
    free()
    expect((await on.push(alert)).status).toBe(200)
    expect(await on.ending()).toMatchObject({ outcome: 'told' })
  })

  it(promise('intent-before-write', 'full between the gates and the intent'), async () => {
    const on = await badDeploy(SMALL)
    on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, times: 1, then: { kind: 'delay', ms: 1_000 } })
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun))
    const free = fillDisk(on.store)
    await on.ports.advance(30_000)
    expect(on.written()).toEqual([])
    expect(on.practice.store.peek('ConfigMap', NAMESPACE, 'alerts-slm-ledger')).toBeUndefined()
    // The API server is not asked over and over meanwhile.
    expect(on.practice.requests.filter(({ dryRun }) => dryRun).length).toBeLessThan(12)
    free()
    await untilWell(on, 'web', 1)
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it(promise('store-then-answer', 'locked by another program'), async () => {
    const on = await stage()
    const other = new Database(on.store)
    other.exec('BEGIN IMMEDIATE')
    const refused = await on.push(alertOf('Anything', { deployment: 'web' }))
    other.exec('ROLLBACK')
    other.close()
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await on.push(alertOf('Anything', { deployment: 'web' }))).status).toBe(200)
  })

  it(promise('store-then-answer', 'a queue at its limit'), async () => {
    const on = await stage({ config: { webhook: { max_queued: 2 } } })
    const three = ['a', 'b', 'c'].map((deployment) => alertOf('Anything', { deployment }))
    expect((await on.push(...three)).status).toBe(503)
    expect(on.cases()).toEqual([])
    expect((await on.push(...three.slice(0, 2))).status).toBe(200)
  })

  it('keeps nothing of a case on the object that it is about', async () => {
    const on = await badDeploy()
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => imageOf(on, 'web') === 'shop/web:1')
    expect(JSON.stringify(on.practice.store.peek('Deployment', NAMESPACE, 'web')?.metadata.annotations ?? {})).not.toMatch(/alerts-slm|case/)
  })
})
