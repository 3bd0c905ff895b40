// One planned case and one look at its world, all of it in order: a test changes what it is about.
import type { Alert } from '../src/domain/alert.ts'
import { caseId, type Planned } from '../src/domain/case-file.ts'
import type { Attempt } from '../src/domain/history.ts'
import type { Plan, Step } from '../src/domain/plan.ts'
import { NO_BLAST } from '../src/domain/plan.ts'
import type { Policy } from '../src/domain/policy.ts'
import { type ObjectRef, ownerKey } from '../src/domain/target.ts'
import type { AnyObject, Kinds } from '../src/kube/wire.ts'
import type { Seen } from '../src/rooms/gate/seen.ts'
import { START } from './manual-ports.ts'

export const NOW = START
export const NAMESPACE = 'team-a'

export const ref = (kind: string, name: string, apiVersion = kind === 'Pod' ? 'v1' : 'apps/v1'): ObjectRef => ({
  apiVersion,
  kind,
  namespace: NAMESPACE,
  name,
  uid: `uid-${kind}-${name}`,
})
export const WEB = ref('Deployment', 'web')
export const WEB_1 = ref('Pod', 'web-1')

export const POLICY: Policy = {
  mode: 'enforce',
  killSwitch: false,
  confirmedAt: NOW,
  confirmWithinMs: 30_000,
  allowedActions: undefined,
  protected: { labels: { 'alerts-slm.io/protected': 'true' }, names: [] },
  limits: { maxReplicas: 10, maxMemoryBytes: 2 ** 30, maxPodShare: 0.5 },
  budget: { perTarget: 5, perRule: 10, perNamespace: 20, windowMs: 3_600_000 },
  concurrentActions: 5,
  cooldownMs: 300_000,
  ineffectiveLimit: 3,
  oscillation: { limit: 2, windowMs: 3_600_000 },
  minConfidence: 0.7,
  approveAbove: 'disruptive',
  maintenance: [],
  settleMs: 600_000,
  verifyWithinMs: 600_000,
  checkEveryMs: 15_000,
  holdMs: 3_600_000,
  reconsiderMs: 1_800_000,
}

export const ALERT: Alert = {
  fingerprint: 'f1',
  status: 'firing',
  labels: { alertname: 'KubePodCrashLooping', namespace: NAMESPACE, pod: 'web-1' },
  annotations: {},
  startsAt: NOW - 600_000,
  endsAt: undefined,
  generatorUrl: undefined,
}

export const scaleTo = (to: number, object = WEB): Step => ({
  kind: 'patch',
  object,
  subresource: 'scale',
  ops: [{ op: 'replace', path: '/spec/replicas', value: to }],
  why: 'load',
})
export const evict = (object = WEB_1): Step => ({ kind: 'evict', object, why: 'stuck' })
export const setMemory = (value: string, object = WEB): Step => ({
  kind: 'patch',
  object,
  ops: [{ op: 'replace', path: '/spec/template/spec/containers/0/resources/limits/memory', value }],
  why: 'killed for memory',
})
export const restartedAt = (value = '2026-01-15T12:00:00Z'): Step => ({
  kind: 'patch',
  object: WEB,
  ops: [{ op: 'add', path: '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt', value }],
  why: 'restart',
})

/** Scales web from 3 to 4: reversible, stops nothing. */
export const PLAN: Plan = {
  action: 'scale_deployment',
  parameters: { replicas: 4 },
  summary: 'scale web from 3 to 4',
  safety: 'reversible',
  object: WEB,
  steps: [scaleTo(4)],
  undo: [scaleTo(3)],
  undoWhen: 'worse',
  artefacts: [],
  blast: { ...NO_BLAST, replicas: { from: 3, to: 4 } },
  before: { exists: true, desired: 3, ready: 3, available: 3, updated: 3, failing: 0, restarts: 0, rolledOut: true, good: true, why: 'all ready' },
  removes: [],
}

export function plannedCase(plan: Partial<Plan> = {}, file: Partial<Planned> = {}): Planned {
  return {
    at: 'planned',
    id: caseId('case-now'),
    openedAt: NOW - 1_000,
    alerts: [ALERT],
    target: { object: WEB_1, owner: WEB, chain: [WEB_1, WEB], container: 'app' },
    decision: { by: 'rule', rule: 'crash-1', action: PLAN.action, parameters: PLAN.parameters, confidence: 0.9, because: 'because', evidence: ['pod'] },
    explanation: { considered: [], unknownFacts: [], book: 'b' },
    plan: { ...PLAN, ...plan },
    ...file,
  }
}
/** Stops one pod by name. */
export const evicting = (object = WEB_1, file: Partial<Planned> = {}): Planned =>
  plannedCase({ action: 'restart_pod', safety: 'disruptive', object, steps: [evict(object)], undo: { impossible: 'it is gone' }, blast: { ...NO_BLAST, podsLost: 1 } }, file)
/** Reads only. */
export const readingOnly = (file: Partial<Planned> = {}): Planned => plannedCase({ action: 'collect_diagnostics', safety: 'harmless', steps: [], undo: [], blast: NO_BLAST }, file)

export function pod(
  name: string,
  how: { readonly ready?: boolean; readonly phase?: string; readonly diedMsAgo?: number; readonly labels?: Record<string, string> } = {},
): Kinds['Pod'] {
  const { ready = true, phase = 'Running', diedMsAgo, labels = { app: 'web' } } = how
  const died = diedMsAgo === undefined ? {} : { lastState: { terminated: { exitCode: 1, finishedAt: new Date(NOW - diedMsAgo).toISOString() } } }
  return {
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, uid: ref('Pod', name).uid, labels },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'app', image: 'i', imageID: '', ready, restartCount: diedMsAgo === undefined ? 0 : 3, ...died }],
    },
  }
}

export const deployment = (metadata: NonNullable<AnyObject['metadata']> = {}): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: NAMESPACE, uid: WEB.uid, ...metadata },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { annotations: { team: 'a' } }, spec: { containers: [{ name: 'app', image: 'app:1', resources: { limits: { memory: '256Mi' } } }] } },
  },
})
export const objects = (...all: readonly AnyObject[]): Seen['objects'] =>
  new Map(all.map((object) => [ownerKey({ apiVersion: '', uid: '', namespace: NAMESPACE, kind: object.kind ?? '', name: object.metadata?.name ?? '' }), object]))

export function seen(over: Partial<Omit<Seen, 'policy'>> & { readonly policy?: Partial<Policy> } = {}): Seen {
  const { policy, ...rest } = over
  const pods = [pod('web-1'), pod('web-2'), pod('web-3')]
  return {
    namespace: NAMESPACE,
    self: {},
    objects: objects(deployment(), { kind: 'Pod', metadata: { name: 'web-1', uid: WEB_1.uid } }),
    alert: 'firing',
    autoscalers: [],
    verticalAutoscalers: [],
    pods,
    budgets: [],
    limitRanges: [],
    quotas: [],
    missingRights: [],
    past: { owner: [], rule: [], namespace: [] },
    approval: undefined,
    ...rest,
    policy: { ...POLICY, ...policy },
  }
}

export const tried = (minutesAgo: number, over: Partial<Attempt> = {}): Attempt => ({
  at: NOW - minutesAgo * 60_000,
  caseId: `case-${minutesAgo}`,
  alert: 'KubePodCrashLooping',
  owner: ownerKey(WEB),
  rule: 'crash-1',
  action: PLAN.action,
  direction: undefined,
  outcome: 'fixed',
  ...over,
})
/** The same attempts seen by owner, rule and namespace. */
export const past = (...attempts: readonly Attempt[]): Seen['past'] => ({ owner: attempts, rule: attempts, namespace: attempts })
