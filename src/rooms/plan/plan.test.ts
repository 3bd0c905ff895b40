import { describe, expect, it } from 'vitest'
import { living, type World, workload } from '../../../test/acting.ts'
import { findAction } from '../../actions/catalogue.ts'
import type { Alert } from '../../domain/alert.ts'
import { caseId, type Decided } from '../../domain/case-file.ts'
import type { JsonObject } from '../../domain/json.ts'
import { plan } from './plan.ts'

const alert: Alert = { fingerprint: 'f', status: 'firing', labels: { alertname: 'A' }, annotations: {}, startsAt: 0, endsAt: undefined, generatorUrl: undefined }
const decided = (world: World, action: string, parameters: JsonObject = {}): Decided => ({
  at: 'decided',
  id: caseId('c1'),
  openedAt: 0,
  alerts: [alert],
  target: world.target('Deployment', 'web'),
  decision: { by: 'rule', rule: 'r', action, parameters, confidence: 1, because: 'the rule says so', evidence: [] },
  explanation: { considered: [], unknownFacts: [], book: '' },
})
const planning = (world: World, allowed?: readonly string[]) =>
  plan({ actions: findAction, read: world.read, clock: world.ports.clock, ...(allowed && { allowed: () => allowed }) })

describe('plan', () => {
  it('gives the file the page of its plan and keeps the others', async () => {
    const world = await living(workload('Deployment', 'web'))
    const file = decided(world, 'scale_deployment', { replicas: 3 })
    expect(await planning(world)(file)).toMatchObject({ ...file, at: 'planned', plan: { action: 'scale_deployment', parameters: { replicas: 3 }, steps: [{ kind: 'patch' }] } })
  })
  it('plans diagnostics although they have no step', async () => {
    const world = await living(workload('Deployment', 'web'))
    expect(await planning(world)(decided(world, 'collect_diagnostics'))).toMatchObject({
      at: 'planned',
      plan: { steps: [], artefacts: expect.arrayContaining([expect.objectContaining({ name: 'objects.yaml' })]) },
    })
  })
  it('tells people where the rule says so, with the message or the reason of the rule, and reads nothing for it', async () => {
    const world = await living(workload('Deployment', 'web'))
    const asked = world.practice.requests.length
    expect(await planning(world)(decided(world, 'notify_only'))).toMatchObject({ at: 'closed', outcome: 'told', reason: 'RULE_SAYS_TELL', because: 'the rule says so' })
    expect(await planning(world)(decided(world, 'notify_only', { message: 'call the shop' }))).toMatchObject({ because: 'call the shop' })
    expect(world.practice.requests.length).toBe(asked)
  })
  it('fails on an action that nobody knows', async () => {
    const world = await living(workload('Deployment', 'web'))
    expect(await planning(world)(decided(world, 'format_disk'))).toMatchObject({ at: 'closed', outcome: 'failed', reason: 'ACTION_UNKNOWN' })
  })
  it.each([
    ['restart_pod', {}, 'TARGET_UNFIT'],
    ['scale_deployment', { replicas: 'many' }, 'PARAMETERS_INVALID'],
    ['scale_deployment', { replicas: 2 }, 'NOTHING_TO_CHANGE'],
    ['rollback_deployment', {}, 'PLAN_REFUSED'],
  ])('files the refusal of %s %j as %s, with its sentence', async (action, parameters, reason) => {
    const world = await living(workload('Deployment', 'web'))
    expect(await planning(world)(decided(world, action, parameters))).toMatchObject({ at: 'closed', outcome: 'refused', reason, because: expect.stringMatching(/.{20}/) })
  })
  it('uses no action that is not allowed, and may always tell people', async () => {
    const world = await living(workload('Deployment', 'web'))
    expect(await planning(world, ['restart_pod'])(decided(world, 'scale_deployment', { replicas: 3 }))).toMatchObject({
      outcome: 'refused',
      because: expect.stringContaining('not among'),
    })
    expect(await planning(world, [])(decided(world, 'notify_only'))).toMatchObject({ outcome: 'told' })
  })
  it('lets a fault of the cluster pass to those who know what to do with it', async () => {
    const world = await living(workload('Deployment', 'web'))
    world.practice.faults.add({ match: { path: /deployments/ }, then: { kind: 'status', status: 409 } })
    await expect(planning(world)(decided(world, 'scale_deployment', { replicas: 3 }))).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
  })
})
