// Whole walks, from the webhook to the filed case: what the history says, and what the API server saw.
import { describe, expect, it } from 'vitest'
import { caseId } from '../../src/domain/case-file.ts'
import { behaviour, NAMESPACE, object } from '../acting.ts'
import { promise } from '../promises.ts'
import {
  alertOf,
  badDeploy,
  crashes,
  crashLooping,
  deployment,
  failingPod,
  imageOf,
  ledgerOf,
  onePodFails,
  redeploy,
  rollbackMakesWorse,
  rulesFolder,
  stuckPod,
  untilFailing,
  untilWell,
} from './scenes.ts'
import { type Stage, stage } from './stage.ts'

const memoryOf = (on: Stage, app: string): string | undefined =>
  /"limits":\{"memory":"([^"]+)"/.exec(JSON.stringify(on.practice.store.peek('Deployment', NAMESPACE, app)?.['spec']))?.[1]

describe('a case that a rule decides', () => {
  it(promise('fixed-is-proven', 'back to the revision that worked'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    expect((await on.push(alert)).status).toBe(200)
    await untilWell(on, 'web', 1)
    // Good for longer than it takes to settle, but the alert has not ended yet.
    await on.ports.advance(10_000)
    expect(on.cases()).toMatchObject([{ state: 'applied', closedAt: undefined }])
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed', reason: 'VERIFIED', action: 'rollback_deployment', rule: 'crash-looping-since-new-revision', decidedBy: 'rule' })
    expect(on.written()).toEqual(['patch deployments/web'])
  })

  it('gives more memory to what the kernel ends at its limit', async () => {
    const on = await stage({
      manifests: [deployment('cart', 1), behaviour('hungry', { labels: { app: 'cart' }, memoryLimitBelow: '300Mi' }, { fail: 'oom' })],
    })
    await untilFailing(on, 'cart')
    const alert = alertOf('KubeContainerOOMKilled', { pod: failingPod(on, 'cart'), container: 'app' })
    await on.push(alert)
    await untilWell(on, 'cart', 1)
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed', action: 'increase_resources' })
    expect(memoryOf(on, 'cart')).toBe('384Mi')
    expect(on.written()).toEqual(['patch deployments/cart'])
  })

  it('restarts the one pod that hangs, by eviction', async () => {
    const on = await onePodFails('hang')
    const pod = stuckPod(on, 'worker')
    const alert = alertOf('KubePodNotReady', { pod })
    await on.push(alert)
    await on.ports.advance(5_000)
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed', action: 'restart_pod' })
    expect(on.written()).toEqual([`create pods/${pod}/eviction`])
  })

  it(promise('worse-is-undone'), async () => {
    const on = await rollbackMakesWorse()
    await on.push(crashLooping(on, 'reports'))
    expect(await on.ending(120_000)).toMatchObject({ outcome: 'undone', reason: 'MADE_WORSE', action: 'rollback_deployment' })
    expect(imageOf(on, 'reports')).toBe('shop/reports:7')
    expect(on.written()).toEqual(['patch deployments/reports', 'patch deployments/reports'])
  })

  it(promise('no-better-stays'), async () => {
    // More memory does not help: it asks for all it can get. No better and no worse.
    const on = await stage({ manifests: [deployment('cart', 1), behaviour('leaks', { labels: { app: 'cart' } }, { fail: 'oom' })] })
    await untilFailing(on, 'cart')
    await on.push(alertOf('KubeContainerOOMKilled', { pod: failingPod(on, 'cart'), container: 'app' }))
    expect(await on.ending(120_000)).toMatchObject({ outcome: 'unproven', reason: 'NOT_BETTER' })
    expect(memoryOf(on, 'cart')).toBe('384Mi')
    expect(on.written()).toEqual(['patch deployments/cart'])
  })

  it(promise('good-but-firing-is-unproven'), async () => {
    const on = await badDeploy({ config: { settle: { reconsider: '1m' } } })
    await on.push(crashLooping(on, 'web'))
    await untilWell(on, 'web', 1)
    const ended = await on.ending(300_000)
    expect(ended).toMatchObject({ outcome: 'unproven', reason: 'STILL_FIRING' })
    expect(imageOf(on, 'web')).toBe('shop/web:1')
  })

  it(promise('undo-only-as-left', 'what somebody changed after us stays theirs'), async () => {
    const on = await badDeploy()
    await on.push(crashLooping(on, 'web'))
    await on.ports.until(() => imageOf(on, 'web') === 'shop/web:1')
    redeploy(on, 'web', 3)
    expect(await on.ending()).toMatchObject({ outcome: 'unproven', reason: 'REVERTED' })
    expect(imageOf(on, 'web')).toBe('shop/web:3')
    expect(on.written()).toEqual(['patch deployments/web'])
  })
})

describe('a person', () => {
  it(promise('people-can-undo'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await untilWell(on, 'web', 1)
    await on.resolve(alert)
    const fixed = await on.ending()
    const order = on.app.history.order({ caseId: fixed.id, kind: 'undo', by: 'ann', planHash: undefined })
    await on.ports.until(() => on.app.history.orderAnswer(order) !== undefined)
    expect(on.app.history.case(fixed.id)).toMatchObject({ outcome: 'undone', reason: 'UNDONE_BY_PERSON', because: expect.stringContaining('ann') })
    expect(imageOf(on, 'web')).toBe('shop/web:2')
    // A second order finds nothing to do.
    const again = on.app.history.order({ caseId: fixed.id, kind: 'undo', by: 'ann', planHash: undefined })
    await on.ports.until(() => on.app.history.orderAnswer(again) !== undefined)
    expect(on.app.history.orderAnswer(again)).toMatch(/undone already/)
    expect(on.written()).toEqual(['patch deployments/web', 'patch deployments/web'])
  })

  it(promise('people-can-undo', 'also while the change is still being checked'), async () => {
    const on = await badDeploy()
    await on.push(crashLooping(on, 'web'))
    await untilWell(on, 'web', 1)
    const [open] = on.cases()
    on.app.history.order({ caseId: open?.id ?? caseId(''), kind: 'undo', by: 'ann', planHash: undefined })
    expect(await on.ending()).toMatchObject({ outcome: 'undone', reason: 'UNDONE_BY_PERSON' })
    expect(imageOf(on, 'web')).toBe('shop/web:2')
  })

  it('who orders an undo that does not pass leaves the case as it is', async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await untilWell(on, 'web', 1)
    const [open] = on.cases()
    const mend = on.practice.faults.add({ match: { method: 'PATCH', path: /\/deployments\/web$/ }, then: { kind: 'status', status: 422 } })
    const order = on.app.history.order({ caseId: open?.id ?? caseId(''), kind: 'undo', by: 'ann', planHash: undefined })
    await on.ports.until(() => on.app.history.orderAnswer(order) !== undefined)
    expect(on.app.history.orderAnswer(order)).toMatch(/did not pass the gates/)
    mend()
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'fixed' })
    expect(ledgerOf(on)).toMatchObject([{ outcome: 'fixed' }])
  })

  it(promise('undo-only-as-left', 'a person who orders it is told so'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await untilWell(on, 'web', 1)
    await on.resolve(alert)
    const fixed = await on.ending()
    redeploy(on, 'web', 5)
    const order = on.app.history.order({ caseId: fixed.id, kind: 'undo', by: 'ann', planHash: undefined })
    await on.ports.until(() => on.app.history.orderAnswer(order) !== undefined)
    expect(on.app.history.case(fixed.id)).toMatchObject({ outcome: 'fixed' })
    expect(on.app.history.orderAnswer(order)).toMatch(/changed/)
    expect(imageOf(on, 'web')).toBe('shop/web:5')
  })
})

describe('a case that is not acted upon', () => {
  it(promise('owner-is-not-fought', 'Argo CD keeps the template'), async () => {
    const managedFields = [
      {
        manager: 'argocd-controller',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } } } } },
      },
    ]
    const on = await stage({
      manifests: [deployment('web', 1, { metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' }, managedFields } }), crashes('web', 2)],
    })
    await on.ports.advance(3_000)
    redeploy(on, 'web', 2)
    await untilFailing(on, 'web')
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'OWNER_WOULD_REVERT', action: 'rollback_deployment' })
    expect(on.written()).toEqual([])
  })

  it(promise('missing-right-is-named'), async () => {
    const actions = ['rollback-deployment', 'increase-resources', 'rollout-restart', 'scale-deployment'].map((name) => `alerts-slm-action-${name}`)
    const on = await badDeploy({ withoutRoles: actions })
    await on.push(crashLooping(on, 'web'))
    const ended = await on.ending()
    expect(ended).toMatchObject({ outcome: 'refused', reason: 'RIGHT_MISSING' })
    expect(ended.because).toMatch(/patch/)
    expect(ended.because).toMatch(/deployments/)
    expect(on.writeVerbs().filter(({ on: what }) => what.startsWith('deployments'))).toEqual([])
  })

  it(promise('disruption-budgets-hold'), async () => {
    const on = await onePodFails('crash', {
      manifests: [object('policy/v1', 'PodDisruptionBudget', 'all', { spec: { minAvailable: 3, selector: { matchLabels: { app: 'worker' } } } })],
    })
    await on.push(crashLooping(on, 'worker'))
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'DISRUPTION_BUDGET', action: 'restart_pod' })
    expect(on.written()).toEqual([])
  })

  it(promise('protected-is-untouched'), async () => {
    const on = await badDeploy({ config: { actions: { protected: { names: ['Deployment/web'] } } } })
    await on.push(crashLooping(on, 'web'))
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'PROTECTED' })
    expect(on.written()).toEqual([])
  })

  it(promise('resolved-cancels'), async () => {
    const on = await badDeploy({ config: { actions: { mode: 'approve' } } })
    const alert = crashLooping(on, 'web')
    await on.push(alert)
    await on.waiting('approval')
    await on.resolve(alert)
    expect(await on.ending()).toMatchObject({ outcome: 'cancelled', reason: 'RESOLVED_BEFORE_ACTION' })
    expect(on.written()).toEqual([])
  })

  it(promise('ambiguous-is-told'), async () => {
    const on = await stage({ manifests: [deployment('billing', 9), crashes('billing', 9)] })
    await untilFailing(on, 'billing')
    await on.push(crashLooping(on, 'billing'))
    expect(await on.ending()).toMatchObject({ outcome: 'told', reason: 'AMBIGUOUS_NO_MODEL' })
    expect(on.written()).toEqual([])
  })

  it(promise('own-namespace-only'), async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    await on.push({ labels: { ...alert.labels, namespace: 'kube-system' } })
    expect(await on.ending()).toMatchObject({ outcome: 'told', reason: 'OTHER_NAMESPACE' })
    expect(on.written()).toEqual([])
    const asked = on.practice.requests.filter(({ user }) => user.endsWith(':alerts-slm')).map(({ path }) => /\/namespaces\/([^/]+)\//.exec(path)?.[1])
    expect(new Set(asked.filter((namespace) => namespace !== undefined))).toEqual(new Set([NAMESPACE]))
  })

  it(promise('exits-are-filed'), async () => {
    const on = await stage({ config: { screen: { severities: ['critical'] } } })
    await on.push(
      alertOf('Filtered', { deployment: 'web' }),
      alertOf('NoObject', { severity: 'critical' }),
      alertOf('Gone', { severity: 'critical', deployment: 'web' }),
      { labels: { alertname: 'NoNamespace', severity: 'critical' } },
      { labels: { alertname: 'Elsewhere', severity: 'critical', namespace: 'other' } },
    )
    const closed = await on.closed(5)
    expect(Object.fromEntries(closed.map(({ alert, outcome, reason }) => [alert, `${outcome} ${reason}`]))).toEqual({
      Filtered: 'cancelled FILTERED',
      NoObject: 'told NO_TARGET',
      Gone: expect.stringMatching(/^(?:told NO_TARGET|cancelled TARGET_GONE)$/),
      NoNamespace: 'told NO_TARGET',
      Elsewhere: 'told OTHER_NAMESPACE',
    })
    for (const { id, because } of closed) {
      expect(because).toMatch(/\w+ \w+/)
      expect(on.app.history.events(id).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['opened', 'closed']))
    }
  })

  it(promise('no-evidence-no-action'), async () => {
    const on = await badDeploy({
      config: {
        rules: {
          tenant_dir: rulesFolder(
            'on-word.yaml',
            'alerts: [OnItsWord]\nrules:\n  - id: on-its-word\n    when: { all: [{ fact: label, params: { name: severity }, operator: equal, value: warning }] }\n    then: { action: rollback_deployment, confidence: 0.95 }\n    because: the alert says so\n',
          ),
        },
      },
    })
    await on.push(alertOf('OnItsWord', { deployment: 'web' }))
    expect(await on.ending()).toMatchObject({ outcome: 'refused', reason: 'EVIDENCE_MISSING' })
    expect(on.written()).toEqual([])
  })
})
