// The API server in trouble, at the write and before it: each trouble has its ending, and nothing is done twice.
import { describe, expect, it } from 'vitest'
import type { FaultKind } from '../../src/practice/faults.ts'
import { promise } from '../promises.ts'
import { alertOf, badDeploy, crashLooping, imageOf, onePodFails, redeploy, stuckPod, untilWell } from './scenes.ts'
import type { Stage } from './stage.ts'

const WEB = /\/deployments\/web$/
const patches = (on: Stage) => on.practice.requests.filter(({ method, path, dryRun }) => method === 'PATCH' && WEB.test(path) && !dryRun)
const applied = (on: Stage) => on.written().filter((write) => write === 'patch deployments/web').length

/** The rehearsal passes; then this strikes the write itself, so often. */
async function atTheWrite(then: FaultKind, times = 1): Promise<Stage> {
  const on = await badDeploy()
  on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, times: 1, then: { kind: 'delay', ms: 300 } })
  await on.push(crashLooping(on, 'web'))
  await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun), 5_000, 10)
  on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, times, then })
  return on
}
async function fixedIn(on: Stage, limitMs?: number) {
  await untilWell(on, 'web', 1, limitMs)
  await on.resolve(...on.cases().flatMap(({ page }) => page.alerts.map(({ labels }) => ({ labels }))))
  return on.ending(limitMs)
}

describe('the write', () => {
  it.each([
    ['500', { kind: 'status', status: 500 }],
    ['503', { kind: 'status', status: 503 }],
    ['429 with a time to wait', { kind: 'status', status: 429, retryAfter: 2 }],
    ['a conflict (409)', { kind: 'status', status: 409 }],
    ['a failed test (422)', { kind: 'status', status: 422 }],
    ['a connection that breaks before it', { kind: 'cut-before' }],
    ['a connection that breaks after it', { kind: 'cut-after' }],
    ['no answer', { kind: 'hang' }],
  ] satisfies readonly (readonly [string, FaultKind])[])('is done once in spite of %s', async (_, then) => {
    const on = await atTheWrite(then)
    expect(await fixedIn(on)).toMatchObject({ outcome: 'fixed', reason: 'VERIFIED' })
    expect(applied(on)).toBe(1)
  })

  it('is not sent again when a look shows that it had landed', async () => {
    const on = await atTheWrite({ kind: 'cut-after' })
    await untilWell(on, 'web', 1)
    await on.ports.advance(5_000)
    expect(patches(on)).toHaveLength(1)
  })

  it('waits as long as the API server asked before it is sent again', async () => {
    const on = await atTheWrite({ kind: 'status', status: 429, retryAfter: 7 })
    await untilWell(on, 'web', 1)
    const [one, two] = patches(on)
    expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(7_000)
  })

  it.each([
    ['403', 'CLUSTER_REFUSED'],
    ['404', 'TARGET_GONE'],
  ])('ends at %s', async (status, reason) => {
    const on = await atTheWrite({ kind: 'status', status: Number(status) }, 1_000)
    expect(await on.ending()).toMatchObject({ outcome: status === '404' ? 'cancelled' : 'failed', reason })
    expect(applied(on)).toBe(0)
    expect(patches(on)).toHaveLength(1)
  })

  it(promise('conflict-is-judged-again'), async () => {
    const on = await badDeploy()
    on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, times: 1, then: { kind: 'delay', ms: 300 } })
    await on.push(alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web' }))
    await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun), 5_000, 10)
    // Somebody mends it by hand while the rehearsal runs: the plan does not fit any more.
    redeploy(on, 'web', 4)
    await on.ports.advance(10_000)
    expect(imageOf(on, 'web')).toBe('shop/web:4')
    expect(applied(on)).toBe(0)
    expect(patches(on).length).toBeLessThanOrEqual(1)
  })

  it('is not tried for ever on an object that changes each time', async () => {
    const on = await badDeploy()
    on.practice.faults.add({ match: { path: /\/configmaps(?:\/alerts-slm-ledger)?$/ }, then: { kind: 'delay', ms: 100 } })
    await on.push(alertOf('KubeDeploymentReplicasMismatch', { deployment: 'web' }))
    let version = 10
    let entered = 0
    // Between intent and write somebody else deploys, over and over.
    await on.ports.until(
      () => {
        const now = on.writeVerbs().filter(({ on: what }) => what.startsWith('configmaps')).length
        if (now > entered) redeploy(on, 'web', ++version)
        entered = now
        return on.cases()[0]?.closedAt !== undefined
      },
      600_000,
      20,
    )
    expect(applied(on)).toBe(0)
    expect(patches(on).map(({ status }) => status)).toEqual(expect.arrayContaining([422]))
    expect(imageOf(on, 'web')).toBe(`shop/web:${version}`)
  })

  it('is uncertain when no try is answered, and then only looked at', async () => {
    const on = await atTheWrite({ kind: 'cut-before' }, 4)
    const ended = await on.ending(120_000)
    expect(ended).toMatchObject({ outcome: 'unproven', reason: 'EFFECT_UNKNOWN' })
    expect(applied(on)).toBe(0)
  })
})

describe('before the write', () => {
  it(promise('cluster-trouble-is-waited-for', 'it comes back'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    on.practice.faults.dropWatches()
    const mend = on.practice.faults.add({ match: {}, then: { kind: 'cut-before' } })
    await on.push(alert)
    await on.ports.advance(60_000)
    expect(on.cases()).toMatchObject([{ closedAt: undefined, waitingFor: 'retry' }])
    mend()
    expect(await fixedIn(on, 120_000)).toMatchObject({ outcome: 'fixed' })
    expect(applied(on)).toBe(1)
  })

  it(promise('cluster-trouble-is-waited-for', 'it does not come back'), async () => {
    const on = await badDeploy()
    on.practice.faults.dropWatches()
    on.practice.faults.add({ match: {}, then: { kind: 'status', status: 503 } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending(1_200_000)).toMatchObject({ outcome: 'failed', reason: 'CLUSTER_UNREACHABLE' })
    expect(applied(on)).toBe(0)
  })

  it('a slow API server makes it slow, not wrong', async () => {
    const on = await badDeploy()
    on.practice.faults.add({ match: {}, then: { kind: 'delay', ms: 700 } })
    expect((await on.push(crashLooping(on, 'web'))).status).toBe(200)
    expect(await fixedIn(on)).toMatchObject({ outcome: 'fixed' })
    expect(applied(on)).toBe(1)
  })

  it('one that hangs is given up, asked again, and the case goes on', async () => {
    const on = await badDeploy()
    on.practice.faults.add({ match: { path: /\/replicasets/ }, times: 3, then: { kind: 'hang' } })
    await on.push(crashLooping(on, 'web'))
    expect(await fixedIn(on, 120_000)).toMatchObject({ outcome: 'fixed' })
    expect(applied(on)).toBe(1)
  })

  it('a rehearsal that is refused ends the case before people are asked', async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    on.practice.faults.add({ match: { method: 'PATCH', path: WEB }, then: { kind: 'status', status: 422, message: 'admission webhook "policy" denied the request: no' } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'REHEARSAL_REFUSED', because: expect.stringContaining('no') })
    expect(patches(on)).toEqual([])
  })

  it(promise('disruption-budgets-hold', 'an eviction that one forbids at the last moment is not forced'), async () => {
    const on = await onePodFails('hang')
    const pod = stuckPod(on, 'worker')
    on.practice.faults.add({ match: { method: 'POST', path: /\/eviction$/ }, times: 1, then: { kind: 'delay', ms: 300 } })
    await on.push(alertOf('KubePodNotReady', { pod }))
    await on.ports.until(() => on.practice.requests.some(({ dryRun }) => dryRun), 5_000, 10)
    on.practice.faults.add({ match: { method: 'POST', path: /\/eviction$/ }, then: { kind: 'status', status: 429 } })
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'REHEARSAL_REFUSED' })
    expect(on.written()).toEqual([])
    expect(on.practice.requests.filter(({ method }) => method === 'DELETE')).toEqual([])
  })
})

describe('the check afterwards', () => {
  it('waits for an API server that went away after the write', async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await on.ports.until(() => applied(on) === 1)
    const mend = on.practice.faults.add({ match: {}, then: { kind: 'cut-before' } })
    await on.ports.advance(120_000)
    expect(on.cases()).toMatchObject([{ closedAt: undefined, waitingFor: 'verification' }])
    mend()
    await on.resolve(alert)
    expect(await on.ending(120_000)).toMatchObject({ outcome: 'fixed' })
    expect(applied(on)).toBe(1)
  })
})
