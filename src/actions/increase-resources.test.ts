import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { behaviour, container, living, newPodsFail, withoutControllers, workload } from '../../test/acting.ts'
import { parseQuantity } from '../domain/quantity.ts'
import { increaseResources } from './increase-resources.ts'
import { growth } from './more-resources.ts'

const MI = 2 ** 20
const sized = (more: object = {}) => container({ resources: { requests: { memory: '128Mi', cpu: '100m' }, limits: { memory: '256Mi', cpu: '200m' } }, ...more })
const web = (containers: readonly object[] = [sized()]) => workload('Deployment', 'web', { containers: containers.map((one) => ({ ...one })) })

describe('increase_resources', () => {
  it('raises limit and request in one proportion, mends what was killed for memory, and takes it back', async () => {
    const world = await living(web(), behaviour('oom', { labels: { app: 'web' }, memoryLimitBelow: '512Mi' }, { fail: 'oom' }))
    const target = world.target('Deployment', 'web')
    const act = world.as(increaseResources)
    const plan = await act.plan(target, { memoryFactor: 2 })
    expect(plan).toMatchObject({ safety: 'reversible', undoWhen: 'worse', before: { available: 0, good: false } })
    expect(plan.summary).toBe('raise memory limit from 256Mi to 512Mi, memory request from 128Mi to 256Mi in container app of Deployment team-a/web')
    expect(plan.blast).toEqual({ podsLost: 0, replicas: undefined, memoryBytes: { from: 256 * MI, to: 512 * MI }, moreMemoryBytes: 2 * 128 * MI, moreCpuCores: 0 })
    await act.send(plan.steps)
    const seen = await act.untilSeen(plan, target, 'good')
    expect(seen.health).toMatchObject({ available: 2, failing: 0 })
    await act.send(plan.undo)
    expect((await world.get('Deployment', 'web')).spec?.template.spec?.containers[0]?.resources).toEqual(sized()['resources'])
    expect(await act.see(plan, target)).toMatchObject({ state: 'bad', reverted: true })
  })

  it('says bad when the new size is too large for any node or keeps failing', async () => {
    const world = await living(web())
    const target = world.target('Deployment', 'web')
    const act = world.as(increaseResources)
    const plan = await act.plan(target, { memory: '1Gi' })
    world.practice.load(newPodsFail('web', { fail: 'oom' }))
    await act.send(plan.steps)
    const seen = await act.untilSeen(plan, target, 'bad')
    expect(seen).toMatchObject({ why: expect.stringContaining('OOMKilled'), health: { available: 2 } })
  })

  it('chooses the container that the parameters name, else the one of the alert, else the only one', async () => {
    const world = withoutControllers(web([sized(), sized({ name: 'helper' })]))
    const act = world.as(increaseResources)
    const paths = async (container: string | undefined, parameters: object) =>
      (await act.plan(world.target('Deployment', 'web', container), { cpuFactor: 2, ...parameters })).steps.flatMap((step) =>
        step.kind === 'patch' ? step.ops.map((op) => op.path) : [],
      )
    expect(await paths('helper', {})).toContain('/spec/template/spec/containers/1/resources/limits/cpu')
    expect(await paths('helper', { container: 'app' })).toContain('/spec/template/spec/containers/0/resources/limits/cpu')
    expect(await act.refusal(world.target('Deployment', 'web'), { cpuFactor: 2 })).toMatchObject({ code: 'PARAMETERS_INVALID' })
    expect(await act.refusal(world.target('Deployment', 'web', 'istio-proxy'), { cpuFactor: 2 })).toMatchObject({
      code: 'PLAN_REFUSED',
      refused: expect.stringContaining('istio-proxy'),
    })
  })

  it('changes a native sidecar too', async () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [sized()], initContainers: [sized({ name: 'log', restartPolicy: 'Always' })] } }
    const world = withoutControllers(workload('Deployment', 'web', { spec: { template } }))
    const plan = await world.as(increaseResources).plan(world.target('Deployment', 'web', 'log'), { memoryFactor: 1.5 })
    expect(plan.steps[0]).toMatchObject({ ops: expect.arrayContaining([{ op: 'replace', path: '/spec/template/spec/initContainers/0/resources/limits/memory', value: '384Mi' }]) })
    expect(plan.blast.moreMemoryBytes).toBe(2 * 64 * MI)
  })

  it('is a conflict when size or order of the containers changed since it was judged', async () => {
    const world = withoutControllers(web([sized(), sized({ name: 'helper' })]), workload('Deployment', 'other', { containers: [sized()] }))
    const act = world.as(increaseResources)
    const [first, second] = [
      await act.plan(world.target('Deployment', 'web', 'app'), { memoryFactor: 2 }),
      await act.plan(world.target('Deployment', 'other'), { memoryFactor: 2 }),
    ]
    await world.patch('Deployment', 'web', { op: 'replace', path: '/spec/template/spec/containers', value: [sized({ name: 'helper' }), sized()] })
    await world.patch('Deployment', 'other', { op: 'replace', path: '/spec/template/spec/containers/0/resources/requests/memory', value: '130Mi' })
    await expect(act.send(first.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
    await expect(act.send(second.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
  })

  it.each([
    [{}, 'PARAMETERS_INVALID'],
    [{ memory: '1Gi', memoryFactor: 2 }, 'PARAMETERS_INVALID'],
    [{ memoryFactor: 1 }, 'PARAMETERS_INVALID'],
    [{ memory: 'much' }, 'PARAMETERS_INVALID'],
    [{ memory: '256Mi' }, 'NOTHING_TO_CHANGE'],
    [{ memory: '100Mi' }, 'NOTHING_TO_CHANGE'],
    [{ memoryFactor: 2, maxMemory: '256Mi' }, 'NOTHING_TO_CHANGE'],
  ])('refuses %j', async (parameters, code) => {
    const world = withoutControllers(web())
    expect(await world.as(increaseResources).refusal(world.target('Deployment', 'web'), parameters)).toMatchObject({ code })
  })

  it('refuses what has no size to grow from, and workloads whose template reaches no pod', async () => {
    const world = withoutControllers(workload('Deployment', 'web'), workload('Deployment', 'paused', { containers: [sized()], spec: { paused: true } }))
    const act = world.as(increaseResources)
    expect(await act.refusal(world.target('Deployment', 'web'), { memoryFactor: 2 })).toMatchObject({ refused: expect.stringContaining('neither a request nor a limit') })
    expect(await act.refusal(world.target('Deployment', 'paused'), { memoryFactor: 2 })).toMatchObject({ code: 'PLAN_REFUSED' })
  })

  it('needs exactly the rights that it declares', async () => {
    const world = await living(web(), workload('StatefulSet', 'db', { containers: [sized()] }), workload('DaemonSet', 'agent', { containers: [sized()] }))
    const act = world.as(increaseResources)
    for (const [kind, name] of [
      ['Deployment', 'web'],
      ['StatefulSet', 'db'],
      ['DaemonSet', 'agent'],
    ] as const) {
      const target = world.target(kind, name)
      const plan = await act.plan(target, { cpuFactor: 1.5, memoryFactor: 1.5 })
      await act.send(plan.steps)
      await act.untilSeen(plan, target, 'good')
      await act.send(plan.undo)
    }
    expect(act.used()).toEqual(act.declared)
  })
})

describe('growth', () => {
  const amount = fc.integer({ min: 16, max: 4_096 })
  it('keeps request and limit in proportion, never lowers a value and never goes beyond the cap', () => {
    fc.assert(
      fc.property(amount, amount, fc.double({ min: 1.01, max: 8, noNaN: true }), amount, (limit, part, factor, cap) => {
        const request = Math.min(limit, part)
        const one = { name: 'app', resources: { limits: { memory: `${limit}Mi` }, requests: { memory: `${request}Mi` } } }
        const grown = growth(one, { resource: 'memory', factor, max: cap * MI })
        if (typeof grown === 'string') {
          expect(cap).toBeLessThanOrEqual(limit)
          return
        }
        const to = (field: string) => grown.find((g) => g.field === field)?.to
        expect(to('limits')).toBeLessThanOrEqual(cap * MI)
        expect(to('limits')).toBeGreaterThan(limit * MI)
        // Rounding is to a whole Mi at most.
        expect(Math.abs((to('requests') ?? request * MI) / request - (to('limits') ?? 0) / limit)).toBeLessThanOrEqual((2 * MI) / Math.min(request, limit))
        for (const g of grown) expect(parseQuantity(g.now)).toBe(g.to)
        if (request === limit) expect(to('requests')).toBe(to('limits'))
      }),
    )
  })
  it('stays below a cap that is no whole number of units', () => {
    const one = { name: 'a', resources: { limits: { memory: '100Mi', cpu: '1' } } }
    expect(growth(one, { resource: 'memory', factor: 4, max: 1.5e8 })).toMatchObject([{ now: '143Mi' }])
    expect(growth(one, { resource: 'cpu', factor: 4, max: 1.2345 })).toMatchObject([{ now: '1234m' }])
  })
  it('raises the request alone where there is no limit', () => {
    expect(growth({ name: 'a', resources: { requests: { cpu: '250m' } } }, { resource: 'cpu', factor: 2 })).toEqual([
      { resource: 'cpu', field: 'requests', was: '250m', now: '500m', from: 0.25, to: 0.5 },
    ])
  })
})
