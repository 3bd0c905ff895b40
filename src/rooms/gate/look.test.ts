import { describe, expect, it } from 'vitest'
import { deployment, evicting, NOW, PLAN, POLICY, plannedCase, pod, readingOnly, restartedAt, scaleTo, setMemory, tried, WEB, WEB_1 } from '../../../test/gate-case.ts'
import { Fault } from '../../domain/fault.ts'
import type { Attempt } from '../../domain/history.ts'
import { NO_BLAST, type Right } from '../../domain/plan.ts'
import { planHash } from '../../domain/plan-hash.ts'
import { ownerKey } from '../../domain/target.ts'
import type { AnyObject, Kind, Kinds, Reader, Selector } from '../../kube/wire.ts'
import { type LookDeps, look } from './look.ts'

/** A namespace as plain objects; `broken` kinds answer with a fault. */
function reader(all: readonly AnyObject[], broken: readonly string[] = []) {
  const asked: string[] = []
  const fail = (kind: string) => {
    if (broken.includes(kind)) throw new Fault('CLUSTER_FORBIDDEN', `${kind} may not be read`)
  }
  const isA = <K extends Kind>(object: AnyObject, kind: K): object is AnyObject & Kinds[K] => object.kind === kind
  const read: Reader = {
    namespace: 'team-a',
    async get(kind, name) {
      asked.push(`get ${kind}/${name}`)
      fail(kind)
      return all.filter((object) => isA(object, kind)).find(({ metadata }) => metadata?.name === name)
    },
    async list(kind, selector: Selector = {}) {
      asked.push(`list ${kind}${selector.labels === undefined ? '' : ` ${selector.labels}`}`)
      fail(kind)
      return all.filter((object) => isA(object, kind))
    },
    async object({ kind, name }) {
      asked.push(`object ${kind}/${name}`)
      fail(kind)
      return all.find((object) => object.kind === kind && object.metadata?.name === name)
    },
    logs: async () => '',
  }
  return { read, asked }
}

const podObject = (): AnyObject => ({ ...pod('web-1'), kind: 'Pod', metadata: { name: 'web-1', uid: WEB_1.uid, labels: { app: 'web' } } })
const world = (): readonly AnyObject[] => [deployment(), podObject()]

function deps(read: Reader, over: Partial<LookDeps> = {}): LookDeps {
  return {
    read,
    access: { missing: async () => [] },
    ledger: { entries: async () => [] },
    attempts: { forOwner: () => [], forRule: () => [], inNamespace: () => [] },
    policy: () => POLICY,
    firing: async () => 'firing',
    self: {},
    approvals: () => undefined,
    needs: () => [],
    clock: { now: () => NOW, elapsed: () => 0 },
    ...over,
  }
}

describe('looking', () => {
  it('reads the chain and what the plan touches, live', async () => {
    const { read } = reader(world())
    const saw = await look(deps(read))(plannedCase())
    expect([...saw.objects.keys()]).toEqual([ownerKey(WEB_1), ownerKey(WEB)])
    expect(saw.objects.get(ownerKey(WEB))).toMatchObject({ spec: { replicas: 3 } })
  })

  it('reads only what the gates of this plan can ask for, and calls the rest unknown', async () => {
    const scaling = reader(world())
    const scaled = await look(deps(scaling.read))(plannedCase())
    expect(scaling.asked.filter((what) => what.startsWith('list'))).toEqual(['list HorizontalPodAutoscaler', 'list ResourceQuota'])
    expect(scaled.pods).toMatchObject({ unknown: expect.any(String) })

    const stopping = reader(world())
    await look(deps(stopping.read))(evicting())
    expect(stopping.asked.filter((what) => what.startsWith('list')).toSorted()).toEqual(['list Pod app=web', 'list PodDisruptionBudget'])

    const restarting = reader(world())
    await look(deps(restarting.read))(plannedCase({ steps: [restartedAt()], blast: NO_BLAST }))
    expect(restarting.asked.filter((what) => what.startsWith('list'))).toEqual([])
  })

  it('looks for vertical autoscalers and their marks where resources change', async () => {
    const vpa = { kind: 'VerticalPodAutoscaler', metadata: { name: 'web-vpa' }, spec: { targetRef: { kind: 'Deployment', name: 'web' } } }
    const other = { kind: 'VerticalPodAutoscaler', metadata: { name: 'web' }, spec: { targetRef: { kind: 'Deployment', name: 'other' } } }
    const { read } = reader([...world(), vpa, other])
    const blast = { ...NO_BLAST, memoryBytes: { from: 1, to: 2 }, moreMemoryBytes: 3 }
    const saw = await look(deps(read))(plannedCase({ steps: [setMemory('512Mi')], blast }))
    expect(saw.verticalAutoscalers).toEqual([vpa])
    expect(saw.pods).toHaveLength(1)
    expect(saw.limitRanges).toEqual([])
    expect(saw.quotas).toEqual([])
  })

  it('says of an object that is gone, or another of the same name, that it is unknown', async () => {
    const replaced = reader([deployment({ uid: 'new' })])
    const saw = await look(deps(replaced.read))(plannedCase())
    expect(saw.objects.get(ownerKey(WEB))).toMatchObject({ unknown: expect.stringContaining('another one') })
    expect(saw.objects.get(ownerKey(WEB_1))).toMatchObject({ unknown: expect.stringContaining('gone') })
  })

  it('does not read outside its namespace', async () => {
    const { read, asked } = reader(world())
    const foreign = { ...WEB, namespace: 'team-b', name: 'api' }
    await look(deps(read))(plannedCase({ steps: [scaleTo(4, foreign)] }))
    expect(asked).not.toContain('object Deployment/api')
  })

  it('takes a bare pod for its own only pod, and a Service for no selector of pods', async () => {
    const { read } = reader(world())
    const bare = await look(deps(read))(evicting(WEB_1, { target: { object: WEB_1, owner: WEB_1, chain: [WEB_1], container: undefined } }))
    expect(bare.pods).toHaveLength(1)
    const service = { ...WEB, apiVersion: 'v1', kind: 'Service', uid: 's' }
    const odd = reader([{ kind: 'Service', metadata: { name: 'web', uid: 's' }, spec: { selector: { app: 'web' } } }])
    const saw = await look(deps(odd.read))(
      plannedCase({ object: service, blast: { ...NO_BLAST, podsLost: 1 } }, { target: { object: service, owner: service, chain: [service], container: undefined } }),
    )
    expect(saw.pods).toMatchObject({ unknown: expect.stringContaining('cannot be told') })
  })

  it('finds the pods below a custom resource that it cannot read', async () => {
    const { read } = reader(world())
    const cluster = { apiVersion: 'db.example.com/v1', kind: 'Cluster', namespace: 'team-a', name: 'db', uid: 'c' }
    const saw = await look(deps(read))(evicting(WEB_1, { target: { object: WEB_1, owner: cluster, chain: [WEB_1, WEB, cluster], container: undefined } }))
    expect(saw.pods).toHaveLength(1)
  })

  it('turns every failing edge into an unknown with its reason, and nothing else', async () => {
    const { read } = reader(world(), ['HorizontalPodAutoscaler', 'Deployment'])
    const broken = () => Promise.reject(new Fault('CLUSTER_TIMEOUT', 'no answer'))
    const saw = await look(deps(read, { ledger: { entries: broken }, firing: broken }))(plannedCase())
    expect(saw.autoscalers).toEqual({ unknown: 'HorizontalPodAutoscaler may not be read' })
    expect(saw.objects.get(ownerKey(WEB))).toEqual({ unknown: 'Deployment may not be read' })
    expect(saw.past).toEqual({ unknown: 'no answer' })
    expect(saw.alert).toEqual({ unknown: 'no answer' })
    const defect = () => Promise.reject(new TypeError('a defect'))
    await expect(look(deps(read, { firing: defect }))(plannedCase())).rejects.toThrow('a defect')
  })

  it('asks for the rights of the action, of each step and of its undo', async () => {
    const { read } = reader(world())
    const asked: Right[] = []
    const declared = { apiGroup: 'apps', resource: 'deployments', verbs: ['get'] }
    const missing = async (rights: readonly Right[]) => {
      asked.push(...rights)
      return []
    }
    await look(deps(read, { access: { missing }, needs: (action) => (action === PLAN.action ? [declared] : []) }))(plannedCase({ undo: [setMemory('1Gi')] }))
    expect(asked).toEqual([declared, { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['patch'] }, { apiGroup: 'apps', resource: 'deployments', verbs: ['patch'] }])
  })

  it('joins history and ledger by owner, rule and namespace', async () => {
    const { read } = reader(world())
    const entry = (caseId: string, owner: string, rule: string) => ({
      ...{ caseId, owner, rule, at: NOW - 60_000, targetUid: 'u', alert: 'A', action: 'x', planHash: 'h', term: 1, undo: { impossible: 'x' } },
    })
    const entries = async () => [entry('lost', ownerKey(WEB), 'crash-1'), entry('api', 'Deployment/team-a/api', 'other')]
    const forOwner = (owner: string): readonly Attempt[] => (owner === ownerKey(WEB) ? [tried(3)] : [])
    const { past } = await look(deps(read, { ledger: { entries }, attempts: { forOwner, forRule: () => [], inNamespace: () => [] } }))(plannedCase())
    const ids = 'unknown' in past ? [] : [past.owner, past.rule, past.namespace].map((list) => list.map(({ caseId }) => caseId).join())
    expect(ids).toEqual(['lost,case-3', 'lost', 'lost,api'])
  })

  it('looks for the approval of this very plan', async () => {
    const { read } = reader(world())
    const yes = { planHash: planHash(PLAN), by: 'ada', at: NOW }
    const approvals: LookDeps['approvals'] = (id, hash) => (id === plannedCase().id && hash === planHash(PLAN) ? yes : undefined)
    expect((await look(deps(read, { approvals }))(plannedCase())).approval).toEqual(yes)
    expect((await look(deps(read, { approvals }))(readingOnly())).approval).toBeUndefined()
  })
})
