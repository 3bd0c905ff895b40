import { describe, expect, it } from 'vitest'
import { behaviour, living, NAMESPACE, object, withoutControllers, workload } from '../../test/acting.ts'
import { restartPod } from './restart-pod.ts'

const podOf = async (world: Awaited<ReturnType<typeof living>>, app: string) => (await world.podsOf(app))[0]?.metadata?.name ?? ''

describe('restart_pod', () => {
  it('evicts the pod by uid; the pod that takes its place becomes ready', async () => {
    const world = await living(workload('Deployment', 'web'), behaviour('stuck', { labels: { app: 'web' }, podsStuck: 1 }, { fail: 'neverReady' }))
    const stuck = (await world.podsOf('web')).find((pod) => pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'False'))
    const target = world.target('Pod', stuck?.metadata?.name ?? '')
    const act = world.as(restartPod)
    const plan = await act.plan(target)
    expect(plan).toMatchObject({
      steps: [{ kind: 'evict', object: { uid: target.object.uid } }],
      removes: [target.object.uid],
      undo: { impossible: expect.any(String) },
      blast: { podsLost: 0 },
      before: { good: false },
    })
    await act.send(plan.steps)
    expect((await act.see(plan, target)).state).toBe('waiting')
    const seen = await act.untilSeen(plan, target, 'good')
    expect(seen.health).toMatchObject({ desired: 2, available: 2, good: true })
  })

  it('counts a ready pod as one that is lost', async () => {
    const world = await living(workload('Deployment', 'web'))
    const plan = await world.as(restartPod).plan(world.target('Pod', await podOf(world, 'web')))
    expect(plan.blast.podsLost).toBe(1)
  })

  it('says bad once the replacement keeps failing and nothing is starting any more', async () => {
    const world = await living(workload('Deployment', 'web', { replicas: 1 }), behaviour('crash', { labels: { app: 'web' } }, { fail: 'crash', exitCode: 3 }))
    const target = world.target('Pod', await podOf(world, 'web'))
    const act = world.as(restartPod)
    const plan = await act.plan(target)
    await act.send(plan.steps)
    const seen = await act.untilSeen(plan, target, 'bad')
    expect(seen.why).toContain('exit code 3')
    expect(seen.why).not.toContain(target.object.name)
  })

  it('says bad when the pod is still there as if nothing had been asked', async () => {
    const world = await living(workload('Deployment', 'web'))
    const target = world.target('Pod', await podOf(world, 'web'))
    const act = world.as(restartPod)
    expect((await act.see(await act.plan(target), target)).state).toBe('bad')
  })

  it('honours a disruption budget', async () => {
    const budget = object('policy/v1', 'PodDisruptionBudget', 'web', { spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } } })
    const world = await living(workload('Deployment', 'web'), budget)
    const act = world.as(restartPod)
    const plan = await act.plan(world.target('Pod', await podOf(world, 'web')))
    await expect(act.send(plan.steps)).rejects.toMatchObject({ code: 'CLUSTER_THROTTLED' })
    expect(await world.podsOf('web')).toHaveLength(2)
  })

  it('does not touch a namesake that took the place of the pod it judged', async () => {
    const world = await living(workload('StatefulSet', 'db', { replicas: 1 }))
    const target = world.target('Pod', 'db-0')
    const act = world.as(restartPod)
    const plan = await act.plan(target)
    await act.send(plan.steps)
    await world.calm()
    const successor = world.target('Pod', 'db-0').object.uid
    await expect(act.send(plan.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    expect(world.target('Pod', 'db-0').object.uid).toBe(successor)
    expect((await act.see(plan, target)).state).toBe('good')
  })

  const pod = (name: string, more: object = {}, metadata: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, ...metadata },
    spec: { containers: [{ name: 'app', image: 'a' }] },
    ...more,
  })
  const owned = (kind: string, apiVersion = 'apps/v1') => ({ ownerReferences: [{ apiVersion, kind, name: 'x', uid: 'u1', controller: true }] })
  it.each([
    ['has no controller', pod('p'), 'PLAN_REFUSED', 'no controller'],
    ['is a static pod', pod('p', {}, owned('Node', 'v1')), 'PLAN_REFUSED', 'static pod'],
    ['belongs to a Job', pod('p', {}, owned('Job', 'batch/v1')), 'PLAN_REFUSED', 'Job'],
    ['is being ended', pod('p', {}, { ...owned('ReplicaSet'), deletionTimestamp: '2026-01-15T11:59:59Z', deletionGracePeriodSeconds: 30 }), 'NOTHING_TO_CHANGE', 'being ended'],
    ['has ended', pod('p', { status: { phase: 'Failed' } }, owned('ReplicaSet')), 'NOTHING_TO_CHANGE', 'has ended'],
  ])('refuses a pod that %s', async (_, manifest, code, words) => {
    const world = withoutControllers(manifest)
    expect(await world.as(restartPod).refusal(world.target('Pod', 'p'))).toMatchObject({ code, refused: expect.stringContaining(words) })
  })

  it('refuses a pod that is gone, and a target that is no pod', async () => {
    const world = await living(workload('Deployment', 'web'))
    const act = world.as(restartPod)
    const gone = { ...world.target('Pod', await podOf(world, 'web')).object, uid: 'other' }
    expect(await act.refusal({ object: gone, owner: gone, chain: [gone], container: undefined })).toMatchObject({ code: 'PLAN_REFUSED' })
    expect(await act.refusal(world.target('Deployment', 'web'))).toMatchObject({ code: 'TARGET_UNFIT' })
  })

  it('needs exactly the rights that it declares', async () => {
    const bare = { ...workload('Deployment', 'bare'), kind: 'ReplicaSet' }
    const world = await living(workload('Deployment', 'web'), workload('StatefulSet', 'db'), workload('DaemonSet', 'agent'), bare)
    const act = world.as(restartPod)
    for (const app of ['web', 'db', 'agent', 'bare']) {
      const target = world.target('Pod', await podOf(world, app))
      const plan = await act.plan(target)
      await act.send(plan.steps)
      await act.untilSeen(plan, target, 'good')
    }
    expect(act.used()).toEqual(act.declared)
  })
})
