// What our Kubernetes client and an API server must agree on: run against practice always, against a real API server where one is.
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/domain/json.ts'
import type { Right, Step } from '../../src/domain/plan.ts'
import type { Http, Ports } from '../../src/domain/ports.ts'
import type { ObjectRef } from '../../src/domain/target.ts'
import { makeAccess } from '../../src/kube/access.ts'
import { makeEvents } from '../../src/kube/events.ts'
import { makeLedger } from '../../src/kube/ledger.ts'
import type { LedgerEntry } from '../../src/kube/ledger-entry.ts'
import { makeReader } from '../../src/kube/reader.ts'
import { makeRehearsal } from '../../src/kube/rehearse.ts'
import { makeTransport, type Transport } from '../../src/kube/transport.ts'
import { type Watches, watchNamespace } from '../../src/kube/watch.ts'
import { makeWriter } from '../../src/kube/writer.ts'

export interface ContractCluster {
  readonly http: Http
  readonly server: string
  /** May do everything. */
  readonly token: string
  /** Empty, and this test's own. */
  readonly namespace: string
  readonly ports: Ports
  /** A token of somebody who holds exactly these rights in the namespace. */
  readonly user: (rights: readonly Right[]) => Promise<string>
  readonly close: () => Promise<void>
}

interface World {
  readonly cluster: ContractCluster
  readonly namespace: string
  readonly transport: Transport
  /** Creates, and answers with the reference. */
  readonly given: (plural: string, manifest: JsonObject) => Promise<ObjectRef>
  readonly as: (rights: readonly Right[]) => Promise<Transport>
}

const POD: JsonObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'example.com/web:1' }] } }
const DEPLOYMENT: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'example.com/web:1' }] } },
  },
}
const configMap = (name: string, more: JsonObject = {}): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more }, data: { a: '1' } })
const CONFIG_MAPS: Right = { apiGroup: '', resource: 'configmaps', verbs: ['get', 'create', 'patch'] }

const transportOf = ({ http, server, ports }: ContractCluster, token: string): Transport =>
  makeTransport({ ...ports, http, server, headers: async () => ({ authorization: `Bearer ${token}` }), requestsPerSecond: 1_000, burst: 1_000 })

function rootOf(apiVersion: string, namespace: string): string {
  return `${apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`}/namespaces/${namespace}`
}

export function kubeClientContract(name: string, setup: () => Promise<ContractCluster>): void {
  const within = (test: (world: World) => Promise<void>) => async () => {
    const cluster = await setup()
    const { namespace } = cluster
    const transport = transportOf(cluster, cluster.token)
    const given = async (plural: string, manifest: JsonObject): Promise<ObjectRef> => {
      const { apiVersion, kind } = manifest
      if (typeof apiVersion !== 'string' || typeof kind !== 'string') throw new Error('a manifest names its kind')
      const created: { readonly body: unknown } = await transport.send({ method: 'POST', path: `${rootOf(apiVersion, namespace)}/${plural}`, body: manifest })
      const { name: called, uid } = metadataOf(created.body)
      return { apiVersion, kind, namespace, name: called, uid }
    }
    try {
      await test({ cluster, namespace, transport, given, as: async (rights) => transportOf(cluster, await cluster.user(rights)) })
    } finally {
      await cluster.close()
    }
  }

  describe(`the Kubernetes client against ${name}`, () => {
    describe('reading', () => {
      it(
        'gets an object, and undefined where there is none',
        within(async ({ transport, namespace, given }) => {
          const { uid } = await given('deployments', DEPLOYMENT)
          const reader = makeReader(transport, namespace)
          expect(await reader.get('Deployment', 'web')).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { uid }, spec: { replicas: 2 } })
          expect(await reader.get('Deployment', 'api')).toBeUndefined()
        }),
      )
      it(
        'lists by labels, each item with its kind',
        within(async ({ transport, namespace, given }) => {
          await given('configmaps', configMap('one', { labels: { app: 'x' } }))
          await given('configmaps', configMap('two', { labels: { app: 'y' } }))
          const found = await makeReader(transport, namespace).list('ConfigMap', { labels: 'app in (x,z)' })
          expect(found).toMatchObject([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } }])
        }),
      )
      it(
        'finds kinds that it does not know by discovery, and undefined for kinds that nobody serves',
        within(async ({ transport, namespace, given }) => {
          const manifest = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } }
          const { uid } = await given('networkpolicies', manifest)
          const reader = makeReader(transport, namespace)
          expect(await reader.object({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: 'deny' })).toMatchObject({ kind: 'NetworkPolicy', metadata: { uid } })
          expect(await reader.object({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: 'other' })).toBeUndefined()
          expect(await reader.object({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name: 'web' })).toBeUndefined()
          expect(await reader.object({ apiVersion: 'apps/v1', kind: 'Workload', name: 'web' })).toBeUndefined()
        }),
      )
      it(
        'keeps the managers of fields in what it reads live',
        within(async ({ transport, namespace, given }) => {
          const object = await given('deployments', DEPLOYMENT)
          await makeWriter(transport).send({ kind: 'patch', object, subresource: 'scale', ops: [{ op: 'replace', path: '/spec/replicas', value: 3 }], why: 'more' }, 'C1', 0)
          const managers = (await makeReader(transport, namespace).get('Deployment', 'web'))?.metadata?.managedFields?.map(({ manager }) => manager)
          expect(managers).toContain('alerts-slm')
        }),
      )
      it(
        'tells a missing right as a fault that names it',
        within(async ({ namespace, as }) => {
          const reader = makeReader(await as([CONFIG_MAPS]), namespace)
          await expect(reader.list('Pod')).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN', message: expect.stringContaining('pods') })
        }),
      )
    })

    describe('writing', () => {
      const scale = (object: ObjectRef, from: number, to: number): Step => ({
        kind: 'patch',
        object,
        subresource: 'scale',
        ops: [
          { op: 'test', path: '/spec/replicas', value: from },
          { op: 'replace', path: '/spec/replicas', value: to },
        ],
        why: 'test',
      })

      it(
        'patches what is still as it was judged',
        within(async ({ transport, namespace, given }) => {
          const object = await given('deployments', DEPLOYMENT)
          expect(await makeWriter(transport).send(scale(object, 2, 5), 'C1', 0)).toEqual({ done: true })
          expect((await makeReader(transport, namespace).get('Deployment', 'web'))?.spec?.replicas).toBe(5)
        }),
      )
      it(
        'does not patch what changed since, nor a namesake, nor what is gone',
        within(async ({ transport, namespace, given }) => {
          const object = await given('deployments', DEPLOYMENT)
          const writer = makeWriter(transport)
          await expect(writer.send(scale(object, 3, 5), 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
          const template: Step = { kind: 'patch', object: { ...object, uid: 'another' }, ops: [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }], why: 'test' }
          await expect(writer.send(template, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
          await expect(writer.send(scale({ ...object, name: 'gone' }, 2, 5), 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' })
          expect(await makeReader(transport, namespace).get('Deployment', 'web')).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 2 } })
        }),
      )
      it(
        'tells an invalid change from a conflict',
        within(async ({ transport, given }) => {
          const object = await given('deployments', DEPLOYMENT)
          await expect(makeWriter(transport).send(scale(object, 2, -1), 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_INVALID' })
        }),
      )
      it(
        'deletes exactly the object it was told of, and is done when that is gone',
        within(async ({ transport, namespace, given }) => {
          const object = await given('configmaps', configMap('old'))
          const writer = makeWriter(transport)
          await expect(writer.send({ kind: 'delete', object: { ...object, uid: 'another' }, why: 'test' }, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
          expect(await makeReader(transport, namespace).get('ConfigMap', 'old')).toBeDefined()
          await writer.send({ kind: 'delete', object, why: 'test' }, 'C1', 0)
          expect(await makeReader(transport, namespace).get('ConfigMap', 'old')).toBeUndefined()
          expect(await writer.send({ kind: 'delete', object, why: 'test' }, 'C1', 0)).toEqual({ done: true })
        }),
      )
      it(
        'creates once a case: again is done, by another case a conflict',
        within(async ({ transport, namespace }) => {
          const step: Step = { kind: 'create', object: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'made' }, manifest: { data: { a: '1' } }, why: 'test' }
          const writer = makeWriter(transport)
          await writer.send(step, 'C1', 3)
          const made = await makeReader(transport, namespace).get('ConfigMap', 'made')
          expect(made).toMatchObject({ data: { a: '1' }, metadata: { annotations: { 'alerts-slm.io/case': 'C1', 'alerts-slm.io/step': '3' } } })
          expect(await writer.send(step, 'C1', 3)).toEqual({ done: true })
          await expect(writer.send(step, 'C2', 3)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
        }),
      )
      it(
        'does not evict against a disruption budget, nor a namesake, and is done when the pod is gone',
        within(async ({ transport, namespace, given }) => {
          const object = await runningPod(transport, given)
          const writer = makeWriter(transport)
          await expect(writer.send({ kind: 'evict', object: { ...object, uid: 'another' }, why: 'test' }, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_CONFLICT' })
          await given('poddisruptionbudgets', budgetOfOne)
          await expect(writer.send({ kind: 'evict', object, why: 'test' }, 'C1', 0)).rejects.toMatchObject({ code: 'CLUSTER_THROTTLED' })
          expect((await makeReader(transport, namespace).get('Pod', 'web-1'))?.metadata?.deletionTimestamp).toBeUndefined()
          expect(await writer.send({ kind: 'evict', object: { ...object, name: 'gone' }, why: 'test' }, 'C1', 0)).toEqual({ done: true })
        }),
      )
    })

    describe('rehearsing', () => {
      const create = (namespace: string): Step => ({
        kind: 'create',
        object: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'made' },
        manifest: { data: {} },
        why: 'test',
      })
      const label = (object: ObjectRef, value: string): Step => ({ kind: 'patch', object, ops: [{ op: 'add', path: '/metadata/labels', value: { tried: value } }], why: 'test' })

      it(
        'changes nothing, whatever the step',
        within(async ({ transport, namespace, given }) => {
          const reader = makeReader(transport, namespace)
          const pod = await runningPod(transport, given)
          const map = await given('configmaps', configMap('kept'))
          const before = [await reader.get('Pod', 'web-1'), await reader.get('ConfigMap', 'kept')]
          const steps: Step[] = [
            label(pod, 'x'),
            { kind: 'evict', object: pod, why: 'test' },
            { kind: 'delete', object: pod, why: 'test' },
            { kind: 'delete', object: map, why: 'test' },
            create(namespace),
          ]
          expect(await makeRehearsal(transport)(steps)).toEqual({ says: 'ok' })
          expect([await reader.get('Pod', 'web-1'), await reader.get('ConfigMap', 'kept')]).toEqual(before)
          expect(await reader.get('ConfigMap', 'made')).toBeUndefined()
        }),
      )
      it(
        'says what would be refused, and why',
        within(async ({ transport, namespace, given, as }) => {
          const rehearse = makeRehearsal(transport)
          const pod = await runningPod(transport, given)
          await given('poddisruptionbudgets', budgetOfOne)
          expect(await rehearse([{ kind: 'evict', object: pod, why: 'test' }])).toMatchObject({ says: 'refused', code: 'REHEARSAL_DISRUPTION' })
          const deployment = await given('deployments', DEPLOYMENT)
          const tooFew: Step = { kind: 'patch', object: deployment, subresource: 'scale', ops: [{ op: 'replace', path: '/spec/replicas', value: -1 }], why: 'test' }
          expect(await rehearse([tooFew])).toMatchObject({ says: 'refused', code: 'REHEARSAL_INVALID' })
          expect(await rehearse([label({ ...pod, uid: 'another' }, 'x')])).toMatchObject({ says: 'refused', code: 'REHEARSAL_CONFLICT' })
          expect(await rehearse([label({ ...pod, name: 'gone' }, 'x')])).toMatchObject({ says: 'refused', code: 'REHEARSAL_CONFLICT' })
          const forbidden = await makeRehearsal(await as([]))([create(namespace)])
          expect(forbidden).toMatchObject({ says: 'refused', code: 'REHEARSAL_FORBIDDEN', why: expect.stringContaining('configmaps') })
        }),
      )
      it(
        'passes over waiting and commands, and is done with what is gone',
        within(async ({ transport, namespace }) => {
          const object: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'gone', uid: 'u' }
          const steps: Step[] = [
            { kind: 'delete', object, why: 'test' },
            { kind: 'wait', object, until: 'gone', seconds: 5, why: 'test' },
            { kind: 'exec', object, container: 'main', argv: ['true'], why: 'test' },
          ]
          expect(await makeRehearsal(transport)(steps)).toEqual({ says: 'ok' })
        }),
      )
    })

    describe('the ledger', () => {
      const entry = (caseId: string, more: Partial<LedgerEntry> = {}): Omit<LedgerEntry, 'at'> => ({
        caseId,
        owner: 'Deployment/a/web',
        targetUid: 'u-1',
        alert: 'KubePodCrashLooping',
        action: 'scale_deployment',
        planHash: `plan of ${caseId}`,
        term: 1,
        undo: { impossible: 'nothing to set back' },
        ...more,
      })

      it(
        'keeps what was entered, dated by the API server, until it is completed',
        within(async ({ transport, namespace }) => {
          const object: ObjectRef = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web', uid: 'u-1' }
          const undo: Step[] = [{ kind: 'patch', object, subresource: 'scale', ops: [{ op: 'replace', path: '/spec/replicas', value: 2 }], why: 'back' }]
          const ledger = makeLedger(transport, namespace)
          expect(await ledger.entries()).toEqual([])
          await ledger.enter(entry('C1', { undo, rule: 'r', direction: 'up' }))
          const [kept] = await ledger.entries()
          expect(kept).toEqual({ ...entry('C1', { undo, rule: 'r', direction: 'up' }), at: expect.any(Number) })
          expect(Math.abs((kept?.at ?? 0) - (transport.serverTime() ?? Number.NaN))).toBeLessThan(5_000)
          await ledger.complete('C1', 'fixed')
          expect(await makeLedger(transport, namespace).entries()).toEqual([{ ...kept, undo: [], outcome: 'fixed' }])
        }),
      )
      it(
        'enters one plan once, and takes another plan of the case in its place',
        within(async ({ transport, namespace }) => {
          const ledger = makeLedger(transport, namespace)
          await ledger.enter(entry('C1'))
          const version = (await makeReader(transport, namespace).get('ConfigMap', 'alerts-slm-ledger'))?.metadata?.resourceVersion
          await ledger.enter(entry('C1'))
          expect((await makeReader(transport, namespace).get('ConfigMap', 'alerts-slm-ledger'))?.metadata?.resourceVersion).toBe(version)
          await ledger.enter(entry('C1', { planHash: 'other' }))
          expect((await ledger.entries()).map(({ planHash }) => planHash)).toEqual(['other'])
        }),
      )
      it(
        'loses nothing when several write at once, the very first time too',
        within(async ({ transport, namespace }) => {
          const cases = ['C1', 'C2', 'C3', 'C4']
          await Promise.all(cases.map((id) => makeLedger(transport, namespace).enter(entry(id))))
          await Promise.all(cases.map((id) => makeLedger(transport, namespace).complete(id, 'fixed')))
          const kept = await makeLedger(transport, namespace).entries()
          expect(kept.map(({ caseId, outcome }) => `${caseId} ${outcome}`).toSorted()).toEqual(cases.map((id) => `${id} fixed`))
        }),
      )
      it(
        'lets the oldest completed entries fall out, never an open one',
        within(async ({ transport, namespace, given }) => {
          const kept = Array.from({ length: 100 }, (_, i): LedgerEntry => ({ ...entry(`C${i}`), at: 1_000 + i, ...(i > 0 && { outcome: 'fixed' }) }))
          await given('configmaps', { ...configMap('alerts-slm-ledger'), data: Object.fromEntries(kept.map((one) => [one.caseId, JSON.stringify(one)])) })
          const ledger = makeLedger(transport, namespace)
          await ledger.enter(entry('NEW'))
          const left = (await ledger.entries()).map(({ caseId }) => caseId)
          expect(left).toHaveLength(100)
          expect(left.slice(0, 2)).toEqual(['C0', 'C2'])
          expect(left.at(-1)).toBe('NEW')
        }),
      )
      it(
        'refuses to grow beyond its bounds when only open entries are left',
        within(async ({ transport, namespace }) => {
          const ledger = makeLedger(transport, namespace)
          const long = 'x'.repeat(100_000)
          await ledger.enter(entry('C1', { undo: { impossible: long } }))
          await ledger.enter(entry('C2', { undo: { impossible: long } }))
          await expect(ledger.enter(entry('C3', { undo: { impossible: long } }))).rejects.toMatchObject({ code: 'LEDGER_UNUSABLE' })
          await ledger.complete('C1', 'unproven')
          await ledger.enter(entry('C3', { undo: { impossible: long } }))
          // What would have undone the closed one is forgotten, so there is room for it as well.
          expect((await ledger.entries()).map(({ caseId }) => caseId)).toEqual(['C1', 'C2', 'C3'])
        }),
      )
      it(
        'is a fault when an entry cannot be read or the right to write is missing',
        within(async ({ transport, namespace, given, as }) => {
          const reading = makeLedger(await as([{ ...CONFIG_MAPS, verbs: ['get'] }]), namespace)
          await expect(reading.enter(entry('C1'))).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' })
          await given('configmaps', { ...configMap('alerts-slm-ledger'), data: { C9: '{"caseId":"C9"}' } })
          await expect(makeLedger(transport, namespace).entries()).rejects.toMatchObject({ code: 'LEDGER_UNUSABLE', message: expect.stringContaining('C9') })
          await expect(makeLedger(transport, namespace).enter(entry('C1'))).rejects.toMatchObject({ code: 'LEDGER_UNUSABLE' })
        }),
      )
    })

    it(
      'knows which rights are missing, down to the verb and the subresource',
      within(async ({ cluster, namespace, as }) => {
        const scale: Right = { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['get', 'patch'] }
        const pods: Right = { apiGroup: '', resource: 'pods', verbs: ['get', 'delete'] }
        const access = makeAccess(await as([{ ...scale, verbs: ['patch'] }, pods]), namespace, cluster.ports.clock)
        expect(await access.missing([pods])).toEqual([])
        expect(await access.missing([scale, pods, { ...pods, resource: 'pods/eviction', verbs: ['create'] }])).toEqual([
          { right: scale, verb: 'get' },
          { right: { ...pods, resource: 'pods/eviction', verbs: ['create'] }, verb: 'create' },
        ])
      }),
    )

    it(
      'tells people by an Event on the object, cut to what the API takes',
      within(async ({ cluster, transport, namespace, given }) => {
        const object = await given('deployments', DEPLOYMENT)
        const tell = makeEvents(transport, namespace, cluster.ports.clock)
        await tell({ object, type: 'Normal', reason: 'Repaired', action: 'scale_deployment', note: `ä${'ö'.repeat(2_000)}` })
        await tell({ object, type: 'Warning', reason: 'Undone', action: 'scale_deployment', note: 'made it worse' })
        const events = await makeReader(transport, namespace).list('Event', { fields: `involvedObject.uid=${object.uid}` })
        expect(events.map(({ reason, type }) => `${type} ${reason}`).toSorted()).toEqual(['Normal Repaired', 'Warning Undone'])
        const long = events.find(({ reason }) => reason === 'Repaired')?.message ?? ''
        expect(Buffer.byteLength(long)).toBeLessThanOrEqual(1_024)
        expect(long).toMatch(/^äö+…$/)
      }),
    )

    describe('watching', () => {
      const watching = async (world: World, transport: Transport, test: (watches: Watches) => Promise<void>) => {
        const watches = watchNamespace({ ...world.cluster.ports, transport, namespace: world.namespace, kinds: ['ConfigMap', 'Deployment'] })
        try {
          await watches.synced()
          await test(watches)
        } finally {
          watches.stop()
        }
      }

      it(
        'holds what was there and follows what changes',
        within(async (world) => {
          const { transport, namespace, given } = world
          await given('configmaps', configMap('one', { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: 'x' } }))
          await watching(world, transport, async ({ held }) => {
            const names = () =>
              held
                .list('ConfigMap')
                .map(({ metadata }) => metadata?.name)
                .filter((called) => called !== 'kube-root-ca.crt')
            expect(names()).toEqual(['one'])
            expect(held.get('ConfigMap', 'one')?.metadata).toMatchObject({ annotations: { mine: 'x' } })
            expect(held.get('ConfigMap', 'one')?.metadata).not.toHaveProperty('managedFields')
            expect(Object.keys(held.get('ConfigMap', 'one')?.metadata?.annotations ?? {})).toEqual(['mine'])
            const two = await given('configmaps', configMap('two'))
            await expect.poll(names).toEqual(['one', 'two'])
            await makeWriter(transport).send({ kind: 'patch', object: two, ops: [{ op: 'replace', path: '/data/a', value: '2' }], why: 'test' }, 'C1', 0)
            await expect.poll(() => held.get('ConfigMap', 'two')?.data).toEqual({ a: '2' })
            await makeWriter(transport).send({ kind: 'delete', object: two, why: 'test' }, 'C1', 0)
            await expect.poll(names).toEqual(['one'])
            const reader = makeReader(transport, namespace, held)
            expect(await reader.get('ConfigMap', 'one')).toBe(held.get('ConfigMap', 'one'))
          })
        }),
      )
      it(
        'of a kind that is forbidden says so, and reading goes to the API server',
        within(async (world) => {
          const limited = await world.as([
            { ...CONFIG_MAPS, verbs: ['get', 'list', 'watch'] },
            { apiGroup: 'apps', resource: 'deployments', verbs: ['get'] },
          ])
          await world.given('deployments', DEPLOYMENT)
          await watching(world, limited, async ({ held, state }) => {
            expect(state()).toMatchObject([
              { kind: 'ConfigMap', synced: true, forbidden: false },
              { kind: 'Deployment', synced: false, forbidden: true },
            ])
            expect(held.holds('Deployment')).toBe(false)
            expect(await makeReader(limited, world.namespace, held).get('Deployment', 'web')).toMatchObject({ kind: 'Deployment' })
          })
        }),
      )
    })
  })
}

const budgetOfOne: JsonObject = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web' },
  spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
}

/** A pending pod disrupts nobody and may always be evicted: this one runs and is ready. */
async function runningPod(transport: Transport, given: World['given']): Promise<ObjectRef> {
  const pod = await given('pods', POD)
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  await transport.send({ method: 'PATCH', path: `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/status`, contentType: 'application/merge-patch+json', body: { status } })
  return pod
}

function metadataOf(body: unknown): { readonly name: string; readonly uid: string } {
  const metadata = typeof body === 'object' && body !== null && 'metadata' in body ? body.metadata : undefined
  if (typeof metadata !== 'object' || metadata === null || !('name' in metadata) || !('uid' in metadata)) throw new Error('no metadata in the answer')
  return { name: String(metadata.name), uid: String(metadata.uid) }
}
