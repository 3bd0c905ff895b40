import { describe, expect, it } from 'vitest'
import { behaviour, container, living, type Manifest, type World, withoutControllers, workload } from '../../test/acting.ts'
import { rollbackDeployment } from './rollback-deployment.ts'

const IMAGE = '/spec/template/spec/containers/0/image'
const CAUSE = '/metadata/annotations/kubernetes.io~1change-cause'
/** Revision 1 runs shop/web:1, revision 2 shop/web:2. */
async function twoRevisions(...more: readonly Manifest[]): Promise<World> {
  const world = await living(workload('Deployment', 'web', { metadata: { annotations: { 'kubernetes.io/change-cause': 'first' } } }), ...more)
  await world.patch('Deployment', 'web', { op: 'replace', path: IMAGE, value: 'shop/web:2' }, { op: 'replace', path: CAUSE, value: 'second' })
  await world.ports.advance(3_000)
  return world
}
const imagesOf = async (world: World) => (await world.podsOf('web')).map((pod) => pod.spec?.containers[0]?.image)

describe('rollback_deployment', () => {
  it('puts the template of the revision before back, and its undo the newer one', async () => {
    const world = await twoRevisions(behaviour('broken', { image: 'shop/web:2' }, { fail: 'crash' }))
    const target = world.target('Deployment', 'web')
    const act = world.as(rollbackDeployment)
    const plan = await act.plan(target)
    expect(plan).toMatchObject({ summary: 'roll Deployment team-a/web back to revision 1', safety: 'reversible', undoWhen: 'worse', before: { good: false } })
    await act.send(plan.steps)
    await act.untilSeen(plan, target, 'good')
    expect(await imagesOf(world)).toEqual(['shop/web:1', 'shop/web:1'])
    const rolledBack = await world.get('Deployment', 'web')
    expect(rolledBack.metadata?.annotations).toMatchObject({ 'kubernetes.io/change-cause': 'first', 'deployment.kubernetes.io/revision': '3' })
    expect(rolledBack.spec?.template.metadata?.labels).toEqual({ app: 'web' })
    await act.send(plan.undo)
    expect((await world.get('Deployment', 'web')).spec?.template.spec?.containers[0]?.image).toBe('shop/web:2')
    expect((await world.get('Deployment', 'web')).metadata?.annotations).toMatchObject({ 'kubernetes.io/change-cause': 'second' })
    expect(await act.see(plan, target)).toMatchObject({ state: 'bad', reverted: true })
  })

  it('leaves other annotations of the Deployment alone', async () => {
    const world = await twoRevisions()
    await world.patch('Deployment', 'web', { op: 'add', path: '/metadata/annotations/argocd.argoproj.io~1tracking-id', value: 'shop:apps/Deployment:team-a/web' })
    const act = world.as(rollbackDeployment)
    await act.send((await act.plan(world.target('Deployment', 'web'))).steps)
    expect((await world.get('Deployment', 'web')).metadata?.annotations).toHaveProperty(['argocd.argoproj.io/tracking-id'])
  })

  it('takes a change-cause away that the older revision did not have', async () => {
    const world = await living(workload('Deployment', 'web'))
    await world.patch('Deployment', 'web', { op: 'replace', path: IMAGE, value: 'shop/web:2' }, { op: 'add', path: CAUSE, value: 'second' })
    await world.ports.advance(3_000)
    const act = world.as(rollbackDeployment)
    const plan = await act.plan(world.target('Deployment', 'web'))
    await act.send(plan.steps)
    expect((await world.get('Deployment', 'web')).metadata?.annotations).not.toHaveProperty(['kubernetes.io/change-cause'])
    await act.send(plan.undo)
    expect((await world.get('Deployment', 'web')).metadata?.annotations).toHaveProperty(['kubernetes.io/change-cause'], 'second')
  })

  it('is a conflict when the template changed since it was judged', async () => {
    const world = await twoRevisions()
    const act = world.as(rollbackDeployment)
    const plan = await act.plan(world.target('Deployment', 'web'))
    await world.patch('Deployment', 'web', { op: 'replace', path: IMAGE, value: 'shop/web:3' })
    await expect(act.send(plan.steps)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
  })

  it('says bad when the older revision fails now', async () => {
    const world = await twoRevisions()
    const target = world.target('Deployment', 'web')
    const act = world.as(rollbackDeployment)
    const plan = await act.plan(target)
    world.practice.load([behaviour('a-first', { image: 'shop/web:1' }, { fail: 'configMissing' })])
    await act.send(plan.steps)
    expect((await act.untilSeen(plan, target, 'bad')).why).toContain('CreateContainerConfigError')
  })

  it('says what changes for memory and quota', async () => {
    const small = container({ resources: { limits: { memory: '64Mi' } } })
    const world = await living(workload('Deployment', 'web', { containers: [container({ resources: { limits: { memory: '256Mi' } } })] }))
    await world.patch('Deployment', 'web', { op: 'replace', path: '/spec/template/spec/containers', value: [small] })
    await world.ports.advance(3_000)
    const { blast } = await world.as(rollbackDeployment).plan(world.target('Deployment', 'web'))
    expect(blast).toMatchObject({ memoryBytes: { from: 64 * 2 ** 20, to: 256 * 2 ** 20 }, moreMemoryBytes: 2 * 192 * 2 ** 20 })
  })

  it('refuses without a former revision, when paused, and when that revision has the template of now', async () => {
    const world = await living(workload('Deployment', 'web'))
    const act = world.as(rollbackDeployment)
    const target = world.target('Deployment', 'web')
    expect(await act.refusal(target)).toMatchObject({ code: 'PLAN_REFUSED', refused: expect.stringContaining('no revision before') })
    await world.patch('Deployment', 'web', { op: 'replace', path: IMAGE, value: 'shop/web:2' })
    await world.ports.advance(3_000)
    await world.patch('Deployment', 'web', { op: 'add', path: '/spec/paused', value: true })
    expect(await act.refusal(target)).toMatchObject({ code: 'PLAN_REFUSED', refused: expect.stringContaining('paused') })
    // Paused, so that the controller has not given revision 1 its new number yet.
    await world.patch('Deployment', 'web', { op: 'replace', path: IMAGE, value: 'shop/web:1' })
    await world.patch('Deployment', 'web', { op: 'replace', path: '/spec/paused', value: false })
    expect(await act.refusal(target)).toMatchObject({ code: 'NOTHING_TO_CHANGE' })
  })

  it('acts on nothing but a Deployment that exists', async () => {
    const world = withoutControllers(workload('StatefulSet', 'db'))
    const act = world.as(rollbackDeployment)
    expect(await act.refusal(world.target('StatefulSet', 'db'))).toMatchObject({ code: 'TARGET_UNFIT' })
    expect(await act.refusal(world.target('Deployment', 'gone'))).toMatchObject({ code: 'PLAN_REFUSED' })
  })

  it('needs exactly the rights that it declares', async () => {
    const world = await twoRevisions()
    const target = world.target('Deployment', 'web')
    const act = world.as(rollbackDeployment)
    const plan = await act.plan(target)
    await act.send(plan.steps)
    await act.untilSeen(plan, target, 'good')
    await act.send(plan.undo)
    expect(act.used()).toEqual(act.declared)
  })
})
