import { expect, it } from 'vitest'
import { withoutControllers, workload } from '../../test/acting.ts'
import { notifyOnly } from './notify-only.ts'

it('notify_only plans nothing, reads nothing and needs no right, whatever the target is', async () => {
  const world = withoutControllers(workload('Deployment', 'web'))
  const act = world.as(notifyOnly)
  const target = world.target('Deployment', 'web')
  const plan = await act.plan(target, { message: 'look at the database' })
  expect(plan).toMatchObject({ steps: [], undo: [], artefacts: [], summary: 'look at the database' })
  expect((await act.see(plan, target)).state).toBe('good')
  const kafka = { ...target.object, kind: 'Kafka', apiVersion: 'kafka.strimzi.io/v1' }
  expect((await act.plan({ object: kafka, owner: kafka, chain: [kafka], container: undefined })).summary).toContain('Kafka team-a/web')
  expect(act.used()).toEqual([])
  expect(act.declared).toEqual([])
})

it('notify_only refuses parameters that it does not know', async () => {
  const world = withoutControllers(workload('Deployment', 'web'))
  expect(await world.as(notifyOnly).refusal(world.target('Deployment', 'web'), { run: 'rm' })).toMatchObject({ code: 'PARAMETERS_INVALID' })
})
