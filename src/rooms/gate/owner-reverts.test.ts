import { describe, expect, it } from 'vitest'
import { deployment, evicting, NOW, objects, plannedCase, ref, restartedAt, scaleTo, seen, setMemory, WEB } from '../../../test/gate-case.ts'
import type { Step } from '../../domain/plan.ts'
import type { AnyObject } from '../../kube/wire.ts'
import { ownerReverts } from './owner-reverts.ts'
import type { Seen } from './seen.ts'

type Metadata = NonNullable<AnyObject['metadata']>
const judge = (step: Step, metadata: Metadata = {}, over: Partial<Seen> = {}) => {
  const { policy: _policy, ...rest } = over
  return ownerReverts.judge(plannedCase({ steps: [step] }), seen({ objects: objects(deployment(metadata)), ...rest }), NOW)
}
const PASS = { says: 'pass' }
const would = (who: string, field: string) => ({ says: 'refuse', code: 'OWNER_WOULD_REVERT', why: expect.stringMatching(new RegExp(`^${who}.* keeps ${field}`)) })
const unreadable = { says: 'refuse', code: 'OWNER_UNREADABLE' }

const written = (manager: string, fieldsV1: object, operation = 'Apply') => ({ manager, operation, apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1 })
const REPLICAS = { 'f:spec': { 'f:replicas': {} } }
const MEMORY = { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:resources': { 'f:limits': { 'f:memory': {} } } } } } } } }

describe('Git', () => {
  it.each([
    ['argocd-controller', 'Argo CD'],
    ['kustomize-controller', 'Flux'],
    ['helm-controller', 'Flux'],
  ])('that is kept by %s sets back what is written there, and nothing else', (manager, who) => {
    const metadata = { managedFields: [written(manager, REPLICAS)] }
    expect(judge(scaleTo(4), metadata)).toMatchObject(would(who, '/spec/replicas'))
    expect(judge(setMemory('512Mi'), metadata)).toEqual(PASS)
    expect(judge(restartedAt(), metadata)).toEqual(PASS)
    expect(judge(setMemory('512Mi'), { managedFields: [written(manager, MEMORY)] })).toMatchObject(would(who, '/spec/template/spec/containers/0/resources/limits/memory'))
  })

  it('does not set back what is written there already', () => {
    expect(judge(scaleTo(3), { managedFields: [written('argocd-controller', REPLICAS)] })).toEqual(PASS)
  })

  it('judges a replaced template by the fields that differ', () => {
    const template = { metadata: { annotations: { team: 'a' } }, spec: { containers: [{ name: 'app', image: 'app:0', resources: { limits: { memory: '256Mi' } } }] } }
    const rollback: Step = { kind: 'patch', object: WEB, ops: [{ op: 'replace', path: '/spec/template', value: template }], why: 'rollback' }
    expect(judge(rollback, { managedFields: [written('argocd-controller', MEMORY)] })).toEqual(PASS)
    const image = { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } } } } }
    expect(judge(rollback, { managedFields: [written('argocd-controller', image)] })).toMatchObject(would('Argo CD', '/spec/template/spec/containers/0/image'))
  })

  it('applied on the client side keeps only what its last-applied annotation says', () => {
    const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
    const owns = { 'f:metadata': { 'f:annotations': { [`f:${ANNOTATION}`]: {} } }, ...REPLICAS }
    const applied = (spec: object, fields: object = owns) => ({
      annotations: { [ANNOTATION]: JSON.stringify({ spec }) },
      managedFields: [written('argocd-controller', fields, 'Update')],
    })
    expect(judge(scaleTo(4), applied({}))).toEqual(PASS)
    expect(judge(scaleTo(4), applied({ replicas: 3 }))).toMatchObject(would('Argo CD', '/spec/replicas'))
    // The annotation is somebody else's: it says nothing of what Argo CD keeps.
    expect(judge(scaleTo(4), applied({}, REPLICAS))).toMatchObject(would('Argo CD', '/spec/replicas'))
  })

  it('whose marks are there without its entry counts as would revert, but for a restart under Argo CD', () => {
    const argo = { annotations: { 'argocd.argoproj.io/tracking-id': 'app:apps/Deployment:team-a/web' } }
    expect(judge(scaleTo(4), argo)).toMatchObject(unreadable)
    expect(judge(restartedAt(), argo)).toEqual(PASS)
    const flux = { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }
    expect(judge(scaleTo(4), flux)).toMatchObject(unreadable)
    expect(judge(scaleTo(4), { labels: { 'helm.toolkit.fluxcd.io/name': 'web' } })).toMatchObject(unreadable)
  })

  it('under Flux may be told to leave an object alone', () => {
    const managedFields = [written('kustomize-controller', REPLICAS)]
    expect(judge(scaleTo(4), { managedFields, annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } })).toEqual(PASS)
    expect(judge(scaleTo(4), { managedFields, annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'Ignore' } })).toEqual(PASS)
    expect(judge(scaleTo(4), { managedFields, annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'Merge' } })).toMatchObject(would('Flux', '/spec/replicas'))
  })

  it('is not meant by plain Helm or kubectl', () => {
    const helm = { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'web' }, managedFields: [written('helm', REPLICAS, 'Update')] }
    expect(judge(scaleTo(4), helm)).toEqual(PASS)
    expect(judge(scaleTo(4), { managedFields: [written('kubectl-client-side-apply', REPLICAS, 'Update')] })).toEqual(PASS)
  })
})

describe('autoscalers', () => {
  const hpa = (name: string, owner?: string, target = 'web'): Extract<Seen['autoscalers'], readonly unknown[]> => [
    {
      metadata: { name, ...(owner !== undefined && { ownerReferences: [{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', name: owner, uid: 'k', controller: true }] }) },
      spec: { maxReplicas: 9, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target } },
    },
  ]
  it('keep replicas and nothing else', () => {
    expect(judge(scaleTo(4), {}, { autoscalers: hpa('web') })).toMatchObject(would('HorizontalPodAutoscaler web', '/spec/replicas'))
    expect(judge(setMemory('512Mi'), {}, { autoscalers: hpa('web') })).toEqual(PASS)
    expect(judge(scaleTo(4), {}, { autoscalers: hpa('web', undefined, 'api') })).toEqual(PASS)
    expect(judge(scaleTo(4, ref('StatefulSet', 'web')), {}, { autoscalers: hpa('web'), objects: objects({ ...deployment(), kind: 'StatefulSet' }) })).toEqual(PASS)
  })

  it('of KEDA are named by their ScaledObject', () => {
    expect(judge(scaleTo(4), {}, { autoscalers: hpa('keda-hpa-web', 'web-so') })).toMatchObject(would('KEDA .ScaledObject web-so.', '/spec/replicas'))
  })

  it('that could not be read count as would revert, only where replicas change', () => {
    expect(judge(scaleTo(4), {}, { autoscalers: { unknown: '403' } })).toMatchObject(unreadable)
    expect(judge(restartedAt(), {}, { autoscalers: { unknown: 'not read' } })).toEqual(PASS)
  })

  const vpa = (updateMode?: string) => [{ metadata: { name: 'web' }, spec: { updatePolicy: { updateMode } } }]
  it('of the vertical kind keep resources when they act', () => {
    expect(judge(setMemory('512Mi'), {}, { verticalAutoscalers: vpa('Auto') })).toMatchObject(would('VerticalPodAutoscaler web', '/spec/template'))
    expect(judge(setMemory('512Mi'), {}, { verticalAutoscalers: vpa() })).toMatchObject({ code: 'OWNER_WOULD_REVERT' })
    expect(judge(setMemory('512Mi'), {}, { verticalAutoscalers: vpa('Off') })).toEqual(PASS)
    expect(judge(scaleTo(4), {}, { verticalAutoscalers: vpa('Auto') })).toEqual(PASS)
    expect(judge(setMemory('512Mi'), {}, { verticalAutoscalers: { unknown: '403' } })).toMatchObject(unreadable)
  })

  it('of the vertical kind are also known by their mark on pods', () => {
    const pods = [{ metadata: { name: 'web-1', annotations: { vpaUpdates: 'Pod resources updated by web-vpa' } } }]
    expect(judge(setMemory('512Mi'), {}, { pods })).toMatchObject(would('a VerticalPodAutoscaler', '/spec/template'))
  })
})

describe('operators', () => {
  const owned = (apiVersion: string, kind: string, controller = true) => ({ ownerReferences: [{ apiVersion, kind, name: 'db', uid: 'o', controller }] })
  it('keep everything of what a custom resource owns', () => {
    expect(judge(restartedAt(), owned('postgres.example.com/v1', 'Cluster'))).toMatchObject({ code: 'OWNER_WOULD_REVERT', why: expect.stringContaining('Cluster db') })
    expect(judge(restartedAt(), owned('postgres.example.com/v1', 'Cluster', false))).toEqual(PASS)
  })

  it('named OLM keep everything', () => {
    expect(judge(restartedAt(), { labels: { 'olm.owner': 'thing.v1', 'olm.owner.kind': 'ClusterServiceVersion' } })).toMatchObject({
      code: 'OWNER_WOULD_REVERT',
      why: expect.stringContaining('OLM'),
    })
  })

  it('that are built in leave fields alone, but a Deployment keeps its ReplicaSets', () => {
    expect(judge(scaleTo(4), owned('batch/v1', 'CronJob'))).toEqual(PASS)
    expect(judge(scaleTo(4), owned('apps/v1', 'Deployment'))).toMatchObject({ code: 'OWNER_WOULD_REVERT' })
  })
})

describe('what cannot be read', () => {
  it('counts as would revert', () => {
    expect(judge(scaleTo(4), {}, { objects: new Map([['Deployment/team-a/web', { unknown: 'the API server did not answer' }]]) })).toMatchObject({
      ...unreadable,
      why: expect.stringContaining('did not answer'),
    })
    expect(judge(scaleTo(4), { managedFields: [{ manager: 'x' }] })).toMatchObject(unreadable)
  })
})

describe('what is deleted', () => {
  it('comes back where a GitOps tool keeps it; a pod is meant to come back', () => {
    const remove = (object = WEB): Step => ({ kind: 'delete', object, why: '' })
    expect(judge(remove(), { managedFields: [written('argocd-controller', REPLICAS)] })).toMatchObject(would('Argo CD', 'the object itself'))
    expect(judge(remove())).toEqual(PASS)
    expect(ownerReverts.judge(evicting(), seen({ objects: new Map() }), NOW)).toEqual(PASS)
    expect(judge(remove(ref('Pod', 'web-1')), {}, { objects: new Map() })).toEqual(PASS)
  })
})
