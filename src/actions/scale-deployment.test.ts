import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { container, living, newPodsFail, object, withoutControllers, workload } from '../../test/acting.ts'
import { scaleParams, wantedReplicas } from './scale.ts'
import { scaleDeployment } from './scale-deployment.ts'

describe('scale_deployment', () => {
  it('sets an absolute count through the scale subresource, and its undo sets the old one back', async () => {
    const world = await living(workload('Deployment', 'web', { containers: [container({ resources: { requests: { memory: '128Mi' }, limits: { cpu: '500m' } } })] }))
    const target = world.target('Deployment', 'web')
    const act = world.as(scaleDeployment)
    const plan = await act.plan(target, { by: 3 })
    expect(plan).toMatchObject({ summary: 'scale Deployment team-a/web from 2 to 5 replicas', steps: [{ subresource: 'scale' }] })
    expect(plan.blast).toEqual({ podsLost: 0, replicas: { from: 2, to: 5 }, memoryBytes: undefined, moreMemoryBytes: 3 * 128 * 2 ** 20, moreCpuCores: 1.5 })
    await act.send(plan.steps)
    expect((await act.see(plan, target)).state).toBe('waiting')
    expect((await act.untilSeen(plan, target, 'good')).health).toMatchObject({ desired: 5, available: 5 })
    await act.send(plan.undo)
    await world.calm()
    expect(await world.podsOf('web')).toHaveLength(2)
  })

  it('counts the pods that a smaller count ends', async () => {
    const world = withoutControllers(workload('Deployment', 'web', { replicas: 6 }))
    expect((await world.as(scaleDeployment).plan(world.target('Deployment', 'web'), { factor: 0.5 })).blast).toMatchObject({
      podsLost: 3,
      replicas: { from: 6, to: 3 },
      moreMemoryBytes: 0,
    })
  })

  it('is a conflict when somebody scaled since it was judged, and is not sent twice as much when sent twice', async () => {
    const world = await living(workload('Deployment', 'web'))
    const act = world.as(scaleDeployment)
    const plan = await act.plan(world.target('Deployment', 'web'), { by: 1 })
    await act.send(plan.steps)
    await expect(act.send(plan.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    expect((await world.get('Deployment', 'web')).spec?.replicas).toBe(3)
  })

  it('says so when the count is no longer its own', async () => {
    const world = await living(workload('Deployment', 'web'))
    const target = world.target('Deployment', 'web')
    const act = world.as(scaleDeployment)
    const plan = await act.plan(target, { replicas: 3 })
    await act.send(plan.steps)
    await world.patch('Deployment', 'web', { op: 'replace', path: '/spec/replicas', value: 2 })
    await world.calm()
    expect(await act.see(plan, target)).toMatchObject({ state: 'bad', reverted: true, health: { good: true } })
    await expect(act.send(plan.undo)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
  })

  it('says bad when the new pods cannot be created', async () => {
    const quota = object('v1', 'ResourceQuota', 'small', { spec: { hard: { pods: '2' } } })
    const world = await living(workload('Deployment', 'web'), quota)
    const target = world.target('Deployment', 'web')
    const act = world.as(scaleDeployment)
    const plan = await act.plan(target, { replicas: 4 })
    await act.send(plan.steps)
    expect((await act.untilSeen(plan, target, 'bad')).why).toMatch(/quota/)
  })

  it('says bad when the new pods keep failing', async () => {
    const world = await living(workload('Deployment', 'web'))
    const target = world.target('Deployment', 'web')
    const act = world.as(scaleDeployment)
    const plan = await act.plan(target, { replicas: 3 })
    world.practice.load(newPodsFail('web', { fail: 'imageMissing' }))
    await act.send(plan.steps)
    expect(await act.untilSeen(plan, target, 'bad')).toMatchObject({ why: expect.stringContaining('ImagePullBackOff'), health: { available: 2, failing: 1 } })
  })

  it.each([
    [{ replicas: 2 }, 'NOTHING_TO_CHANGE'],
    [{ by: 4, max: 2 }, 'NOTHING_TO_CHANGE'],
    [{}, 'PARAMETERS_INVALID'],
    [{ replicas: 3, by: 1 }, 'PARAMETERS_INVALID'],
    [{ replicas: 0 }, 'PARAMETERS_INVALID'],
    [{ replicas: '3' }, 'PARAMETERS_INVALID'],
    [{ replicas: 3, force: true }, 'PARAMETERS_INVALID'],
  ])('refuses %j', async (parameters, code) => {
    const world = withoutControllers(workload('Deployment', 'web'))
    expect(await world.as(scaleDeployment).refusal(world.target('Deployment', 'web'), parameters)).toMatchObject({ code })
  })

  it('does not wake what somebody scaled to nothing, nor acts on what is gone', async () => {
    const world = withoutControllers(workload('Deployment', 'web', { replicas: 0 }))
    const act = world.as(scaleDeployment)
    expect(await act.refusal(world.target('Deployment', 'web'), { replicas: 3 })).toMatchObject({ code: 'PLAN_REFUSED' })
    expect(await act.refusal(world.target('Deployment', 'gone'), { replicas: 3 })).toMatchObject({ code: 'PLAN_REFUSED' })
  })

  it('needs exactly the rights that it declares', async () => {
    const world = await living(workload('Deployment', 'web'))
    const target = world.target('Deployment', 'web')
    const act = world.as(scaleDeployment)
    const plan = await act.plan(target, { replicas: 3 })
    await act.send(plan.steps)
    await act.untilSeen(plan, target, 'good')
    await act.send(plan.undo)
    expect(act.used()).toEqual(act.declared)
  })
})

describe('the count that is meant', () => {
  const count = fc.integer({ min: 1, max: 500 })
  it('is never below one, never grows beyond max, and a max never shrinks what is there', () => {
    fc.assert(
      fc.property(count, fc.integer({ min: -600, max: 600 }), count, (from, by, max) => {
        const to = wantedReplicas(from, { by, max })
        expect(to).toBeGreaterThanOrEqual(1)
        expect(to).toBeLessThanOrEqual(Math.max(from, max))
        if (by >= 0) expect(to).toBeGreaterThanOrEqual(from)
        if (by <= 0) expect(to).toBeLessThanOrEqual(from)
      }),
    )
  })
  it('moves by at least one for any factor but one, unless it is one already', () => {
    fc.assert(fc.property(count, fc.double({ min: 1.001, max: 10, noNaN: true }), (from, factor) => wantedReplicas(from, { factor }) > from))
    expect(wantedReplicas(3, { factor: 0.9 })).toBe(2)
    expect(wantedReplicas(1, { factor: 0.1 })).toBe(1)
  })
  it('is given in exactly one way', () => {
    expect(scaleParams.safeParse({ by: 1, factor: 2 }).success).toBe(false)
    expect(scaleParams.safeParse({ max: 3 }).success).toBe(false)
    expect(scaleParams.safeParse({ by: -1, max: 3 }).success).toBe(true)
  })
})
