import { describe, expect, it } from 'vitest'
import { behaviour, living, withoutControllers, workload } from '../../test/acting.ts'
import { RESTARTED_AT } from './pod-template.ts'
import { rolloutRestart } from './rollout-restart.ts'

const uidsOf = (pods: readonly { metadata?: { uid?: string } }[]) => pods.map((pod) => pod.metadata?.uid).sort()

describe('rollout_restart', () => {
  it.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)('replaces every pod of a %s', async (kind) => {
    const world = await living(workload(kind, 'web'))
    const before = uidsOf(await world.podsOf('web'))
    const target = world.target(kind, 'web')
    const act = world.as(rolloutRestart)
    const plan = await act.plan(target)
    expect(plan).toMatchObject({ safety: 'disruptive', undo: { impossible: expect.any(String) }, before: { good: true } })
    await act.send(plan.steps)
    expect((await act.see(plan, target)).state).toBe('waiting')
    await act.untilSeen(plan, target, 'good')
    expect(uidsOf(await world.podsOf('web')).filter((uid) => before.includes(uid))).toEqual([])
  })

  it('restarts again where it was restarted before, and not twice in one second', async () => {
    const world = await living(workload('Deployment', 'web'))
    const target = world.target('Deployment', 'web')
    const act = world.as(rolloutRestart)
    const first = await act.plan(target)
    await act.send(first.steps)
    expect(await act.refusal(target)).toMatchObject({ code: 'NOTHING_TO_CHANGE' })
    await world.ports.advance(2_000)
    const second = await act.plan(target)
    await act.send(second.steps)
    // A later restart is as good as the first one's own.
    await act.untilSeen(first, target, 'good')
    await act.untilSeen(second, target, 'good')
    expect((await world.get('Deployment', 'web')).metadata?.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
  })

  it('keeps the annotations that the template has', async () => {
    const world = await living(workload('Deployment', 'web', { annotations: { 'prometheus.io/scrape': 'true' } }))
    const act = world.as(rolloutRestart)
    await act.send((await act.plan(world.target('Deployment', 'web'))).steps)
    expect((await world.get('Deployment', 'web')).spec?.template.metadata?.annotations).toMatchObject({ 'prometheus.io/scrape': 'true', [RESTARTED_AT]: expect.any(String) })
  })

  it('is a conflict when the rollout was paused, or restarted by somebody, since it was judged', async () => {
    const world = await living(workload('Deployment', 'web'), workload('Deployment', 'other'), workload('Deployment', 'noted', { annotations: { a: 'b' } }))
    const act = world.as(rolloutRestart)
    const planFor = (name: string) => act.plan(world.target('Deployment', name))
    const [web, other, noted] = [await planFor('web'), await planFor('other'), await planFor('noted')]
    await world.patch('Deployment', 'web', { op: 'add', path: '/spec/paused', value: true })
    await world.patch('Deployment', 'other', { op: 'add', path: '/spec/template/metadata/annotations', value: { [RESTARTED_AT]: '2026-01-01T00:00:00Z' } })
    await expect(act.send(web.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    await expect(act.send(other.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    await world.patch('Deployment', 'noted', { op: 'add', path: '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt', value: '2026-01-01T00:00:00Z' })
    await expect(act.send(noted.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
  })

  it('says bad as soon as a new pod keeps failing, though the old ones still serve', async () => {
    const world = await living(workload('Deployment', 'web'))
    const target = world.target('Deployment', 'web')
    const act = world.as(rolloutRestart)
    const plan = await act.plan(target)
    world.practice.load([behaviour('crash', { labels: { app: 'web' }, revisionAtLeast: 2 }, { fail: 'crash', exitCode: 4 })])
    await act.send(plan.steps)
    const seen = await act.untilSeen(plan, target, 'bad')
    expect(seen).toMatchObject({ why: expect.stringContaining('exit code 4'), health: { exists: true, good: false } })
    expect(seen.reverted).toBeUndefined()
  })

  it('says so when its annotation is gone again', async () => {
    const world = await living(workload('Deployment', 'web', { annotations: { a: 'b' } }))
    const target = world.target('Deployment', 'web')
    const act = world.as(rolloutRestart)
    const plan = await act.plan(target)
    await act.send(plan.steps)
    await world.patch('Deployment', 'web', { op: 'replace', path: '/spec/template/metadata/annotations', value: { a: 'b' } })
    expect(await act.see(plan, target)).toMatchObject({ state: 'bad', reverted: true })
  })

  it.each([
    ['Deployment', { paused: true }, 'paused'],
    ['StatefulSet', { updateStrategy: { type: 'OnDelete' } }, 'OnDelete'],
    ['DaemonSet', { updateStrategy: { type: 'OnDelete' } }, 'OnDelete'],
  ] as const)('refuses a %s whose template reaches no pod', async (kind, spec, words) => {
    const world = withoutControllers(workload(kind, 'web', { spec }))
    expect(await world.as(rolloutRestart).refusal(world.target(kind, 'web'))).toMatchObject({ code: 'PLAN_REFUSED', refused: expect.stringContaining(words) })
  })

  it.each([
    [{ strategy: { type: 'Recreate' } }, 8, 8],
    [{}, 8, 2],
    [{ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '50%' } } }, 8, 4],
    [{ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }, 8, 0],
    [{}, 2, 0],
  ])('counts the pods that the strategy %j lets stop at once, of %i', async (spec, replicas, podsLost) => {
    const world = withoutControllers(workload('Deployment', 'web', { replicas, spec }))
    expect((await world.as(rolloutRestart).plan(world.target('Deployment', 'web'))).blast.podsLost).toBe(podsLost)
  })

  it('needs exactly the rights that it declares', async () => {
    const world = await living(workload('Deployment', 'web'), workload('StatefulSet', 'db'), workload('DaemonSet', 'agent'))
    const act = world.as(rolloutRestart)
    for (const [kind, name] of [
      ['Deployment', 'web'],
      ['StatefulSet', 'db'],
      ['DaemonSet', 'agent'],
    ] as const) {
      const target = world.target(kind, name)
      const plan = await act.plan(target)
      await act.send(plan.steps)
      await act.untilSeen(plan, target, 'good')
    }
    expect(act.used()).toEqual(act.declared)
  })
})
