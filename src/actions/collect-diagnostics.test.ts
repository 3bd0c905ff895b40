import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { behaviour, container, living, type Manifest, NAMESPACE, object, type World, withoutControllers, workload } from '../../test/acting.ts'
import type { Kind } from '../kube/wire.ts'
import { collectDiagnostics } from './collect-diagnostics.ts'

const SECRET = 'hunter2-of-the-shop'
const secretive = container({
  env: [
    { name: 'DB_PASSWORD', value: SECRET },
    { name: 'FROM', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
  ],
})
const crash = behaviour('crash', { labels: { app: 'web' } }, { fail: 'crash', exitCode: 3, logs: 'starting again', previousLogs: `FATAL: cannot reach db\npassword=${SECRET}` })

async function crashing(...more: readonly Manifest[]): Promise<World> {
  const world = await living(
    workload('Deployment', 'web', {
      replicas: 1,
      containers: [secretive],
      metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"env":"${SECRET}"}` } },
    }),
    crash,
    ...more,
  )
  await world.ports.advance(5_000)
  return world
}
const collected = async (world: World, kind: Kind, name: string) => {
  const plan = await world.as(collectDiagnostics).plan(world.target(kind, name))
  return { plan, text: (file: string) => plan.artefacts.find((one) => one.name === file)?.text ?? '' }
}

describe('collect_diagnostics', () => {
  it('plans no step and keeps objects, events, logs of now and before, and limits', async () => {
    const quota = object('v1', 'ResourceQuota', 'team', { spec: { hard: { pods: '10' } } })
    const world = await crashing(quota)
    const pod = (await world.podsOf('web'))[0]?.metadata?.name ?? ''
    const { plan, text } = await collected(world, 'Pod', pod)
    expect(plan).toMatchObject({ steps: [], undo: [], safety: 'harmless', before: { good: false } })
    const kinds = parseAllDocuments(text('objects.yaml')).map((document) => document.toJS().kind)
    expect(kinds).toEqual(['Pod', 'ReplicaSet', 'Deployment'])
    expect(text('events.txt')).toMatch(/Warning BackOff Pod\/web-/)
    expect(text(`${pod}.app.previous.log`)).toContain('FATAL: cannot reach db')
    expect(text('limits.yaml')).toContain('kind: ResourceQuota')
  })

  it('shows no environment value, no bookkeeping and no secret from a log', async () => {
    const world = await crashing()
    await world.patch('Deployment', 'web', { op: 'replace', path: '/spec/replicas', value: 1 }, { op: 'add', path: '/metadata/annotations/note', value: 'x' })
    expect((await world.get('Deployment', 'web')).metadata?.managedFields).toBeDefined()
    const { plan, text } = await collected(world, 'Deployment', 'web')
    expect(text('objects.yaml')).toContain('name: DB_PASSWORD')
    expect(text('objects.yaml')).toContain('secretKeyRef')
    const all = plan.artefacts.map((one) => one.text).join('\n')
    expect(all).not.toContain(SECRET)
    expect(all).not.toContain('managedFields')
  })

  it('stays within 64 KiB, and keeps the end of a log', async () => {
    const world = await crashing()
    const pods = await world.podsOf('web')
    const name = pods[0]?.metadata?.name ?? ''
    for (const previous of [true, false]) world.practice.logs.set(name, 'app', previous, `${`${'ö'.repeat(90)}\n`.repeat(2_000)}the last line`)
    for (let i = 0; i < 400; i++)
      world.practice.load([
        object('v1', 'Event', `e${i}`, {
          involvedObject: { kind: 'Pod', name, namespace: NAMESPACE, uid: pods[0]?.metadata?.uid },
          reason: 'Noise',
          message: 'x'.repeat(300),
          type: 'Normal',
        }),
      ])
    const { plan, text } = await collected(world, 'Deployment', 'web')
    const bytes = plan.artefacts.reduce((sum, one) => sum + new TextEncoder().encode(one.text).length, 0)
    expect(bytes).toBeLessThanOrEqual(64 * 1024)
    expect(text(`${name}.app.previous.log`)).toMatch(/the last line$/)
    expect(text('events.txt')).toContain('there was more')
  })

  it.each([403, 500])('says what could not be read (%i, as when the kubelet is away) and keeps the rest', async (status) => {
    const world = await crashing()
    const name = (await world.podsOf('web'))[0]?.metadata?.name ?? ''
    world.practice.faults.add({ match: { method: 'GET', path: /\/log$/ }, then: { kind: 'status', status } })
    const { plan, text } = await collected(world, 'Pod', name)
    expect(text(`${name}.app.previous.log`)).toContain('could not be read')
    expect(plan.artefacts.map((one) => one.name)).toContain('objects.yaml')
  })

  it('keeps what it can of an owner that it may not read', async () => {
    const owner = [{ apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', name: 'bus', uid: 'k1', controller: true }]
    const world = withoutControllers(workload('StatefulSet', 'bus', { metadata: { ownerReferences: owner } }), {
      apiVersion: 'kafka.strimzi.io/v1',
      kind: 'Kafka',
      metadata: { name: 'bus', namespace: NAMESPACE, uid: 'k1' },
    })
    const { plan, text } = await collected(world, 'StatefulSet', 'bus')
    expect(plan.object.kind).toBe('Kafka')
    expect(text('objects.yaml')).toContain('Kafka team-a/bus could not be read')
    expect(text('objects.yaml')).toContain('kind: StatefulSet')
  })

  it('needs exactly the rights that it declares', async () => {
    const bare = { ...workload('Deployment', 'bare'), kind: 'ReplicaSet' }
    const job = { template: { spec: { restartPolicy: 'Never', containers: [container()] } } }
    const world = await crashing(
      workload('StatefulSet', 'db'),
      workload('DaemonSet', 'agent'),
      bare,
      object('batch/v1', 'CronJob', 'nightly', { spec: { schedule: '0 0 * * *', jobTemplate: { spec: job } } }),
      object('batch/v1', 'Job', 'nightly-1', {
        spec: job,
        metadata: { name: 'nightly-1', namespace: NAMESPACE, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: '', controller: true }] },
      }),
      object('v1', 'Service', 'web', { spec: { selector: { app: 'web' } } }),
      object('v1', 'PersistentVolumeClaim', 'data', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
    )
    const act = world.as(collectDiagnostics)
    const single = (await world.podsOf('web'))[0]?.metadata?.name ?? ''
    for (const [kind, name] of [
      ['Pod', single],
      ['StatefulSet', 'db'],
      ['DaemonSet', 'agent'],
      ['ReplicaSet', 'bare'],
      ['Job', 'nightly-1'],
      ['Service', 'web'],
      ['PersistentVolumeClaim', 'data'],
    ] as const) {
      const target = world.target(kind, name)
      const plan = await act.plan(target)
      expect((await act.see(plan, target)).state).toBe('good')
    }
    expect(act.used()).toEqual(act.declared)
  })
})
