import { describe, expect, it } from 'vitest'
import { living, newPodsFail, workload } from '../../test/acting.ts'
import { scaleStatefulset } from './scale-statefulset.ts'

describe('scale_statefulset', () => {
  it('adds pods until all are ready, and its undo takes them away', async () => {
    const world = await living(workload('StatefulSet', 'db'))
    const target = world.target('Pod', 'db-0')
    const act = world.as(scaleStatefulset)
    const plan = await act.plan(target, { factor: 1.5 })
    expect(plan.blast.replicas).toEqual({ from: 2, to: 3 })
    await act.send(plan.steps)
    await act.untilSeen(plan, target, 'good')
    await act.send(plan.undo)
    await world.ports.until(async () => (await world.podsOf('db')).length === 2)
    expect(act.used()).toEqual(act.declared)
  })

  it('says bad when a new pod keeps failing', async () => {
    const world = await living(workload('StatefulSet', 'db', { replicas: 1 }))
    const target = world.target('StatefulSet', 'db')
    const act = world.as(scaleStatefulset)
    const plan = await act.plan(target, { replicas: 2 })
    world.practice.load(newPodsFail('db', { fail: 'crash', exitCode: 9 }))
    await act.send(plan.steps)
    expect((await act.untilSeen(plan, target, 'bad')).why).toContain('db-1')
  })

  it('acts on no Deployment', async () => {
    const world = await living(workload('Deployment', 'web'))
    expect(await world.as(scaleStatefulset).refusal(world.target('Deployment', 'web'), { replicas: 3 })).toMatchObject({ code: 'TARGET_UNFIT' })
  })
})
