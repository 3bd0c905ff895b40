// The walk of one case without a writer: what would be decided, planned and allowed, and why.
import { type Alert, alertName, type Labels } from '../domain/alert.ts'
import { type Answer, type Closed, caseId, type Decided, type Located, type Next, type Opened, type Parked, type Planned } from '../domain/case-file.ts'
import type { Judgement, RuleConsidered } from '../domain/decision.ts'
import type { Evidence } from '../domain/evidence.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Plan } from '../domain/plan.ts'
import type { Target } from '../domain/target.ts'
import type { Book } from '../rooms/decide/book.ts'
import { judge } from '../rooms/decide/decide.ts'
import { type ScreenRules, screen } from '../rooms/screen/screen.ts'

export interface ExplainRooms {
  readonly locate: (file: Opened) => Promise<Next<Located>>
  readonly plan: (file: Decided) => Promise<Next<Planned>>
  /** Looks and judges, and commits to nothing. */
  readonly gate: (file: Planned) => Promise<readonly Answer[]>
}
export interface ExplainSources {
  readonly book: Book
  readonly evidence: (alerts: readonly [Alert, ...Alert[]], target: Target | undefined) => Evidence
  readonly screening: ScreenRules
  readonly now: number
}

/** Every key is always there: null is what there is none of. */
export interface Explained {
  readonly alert: string
  readonly labels: Labels
  /** Names of all alerts of the case. */
  readonly alerts: readonly string[]
  readonly decision: 'act' | 'ambiguous' | 'notify' | 'ignore'
  readonly action: string | null
  readonly parameters: JsonObject | null
  readonly target: ExplainedTarget | null
  readonly by: 'rule' | 'model' | 'person' | null
  readonly rule: string | null
  readonly confidence: number | null
  readonly because: string
  /** What may be asked for where the rules cannot tell. */
  readonly candidates: readonly string[]
  readonly plan: Plan | null
  /** Why there is no plan although there was a decision. */
  readonly refused: { readonly reason: string; readonly because: string } | null
  readonly gates: readonly Answer[]
  readonly unknownFacts: readonly { readonly fact: string; readonly why: string }[]
  readonly considered: readonly RuleConsidered[]
  readonly book: string
}
interface ExplainedTarget {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly container: string | null
  readonly owner: { readonly apiVersion: string; readonly kind: string; readonly namespace: string; readonly name: string }
}

export const makeExplain =
  ({ locate, plan, gate }: ExplainRooms) =>
  async (alerts: readonly [Alert, ...Alert[]], { book, evidence, screening, now }: ExplainSources): Promise<Explained> => {
    const base = nothing(alerts, book)
    const ignored = whyIgnored(alerts[0], screening, now)
    if (ignored !== undefined) return { ...base, decision: 'ignore', because: ignored }
    const opened: Opened = { at: 'opened', id: caseId('explain'), openedAt: now, alerts }
    const located = await locate(opened)
    if (located.at !== 'located') return { ...base, because: endingOf(located).because }
    const judgement = await judge(book, alerts, evidence(alerts, located.target), { everyRule: true })
    const judged = { ...base, target: targetOf(located.target), ...judgedOf(judgement) }
    if (judgement.kind !== 'act') return judged
    const planned = await plan({ ...located, at: 'decided', decision: judgement.decision, explanation: judgement.explanation })
    if (planned.at === 'planned') return { ...judged, plan: planned.plan, gates: await gate(planned) }
    return judged.decision === 'notify' ? judged : { ...judged, refused: endingOf(planned) }
  }

function nothing(alerts: readonly [Alert, ...Alert[]], book: Book): Explained {
  const none = { action: null, parameters: null, target: null, by: null, rule: null, confidence: null, plan: null, refused: null }
  const empty = { candidates: [], gates: [], unknownFacts: [], considered: [] }
  return {
    alert: alertName(alerts[0]),
    labels: alerts[0].labels,
    alerts: [...new Set(alerts.map(alertName))],
    decision: 'notify',
    because: '',
    ...none,
    ...empty,
    book: book.version,
  }
}

/** Nothing is known of an alert that is looked at for the first time. */
function whyIgnored(alert: Alert, screening: ScreenRules, now: number): string | undefined {
  const screened = screen(alert, undefined, screening, now)
  if (screened.kind === 'own') return 'it is one of our own notifications'
  if (screened.kind === 'filtered') return screened.why
  return screened.kind === 'unknown-resolved' ? 'it is resolved' : undefined
}

function judgedOf(judgement: Judgement): Pick<Explained, 'decision' | 'because' | 'unknownFacts' | 'considered'> & Partial<Explained> {
  const { considered, unknownFacts } = judgement.explanation
  if (judgement.kind === 'notify') return { decision: 'notify', because: judgement.because, considered, unknownFacts }
  if (judgement.kind === 'ambiguous') return { decision: 'ambiguous', because: judgement.because, candidates: judgement.candidates, considered, unknownFacts }
  const { action, parameters, by, rule, confidence, because } = judgement.decision
  return { decision: action === 'notify_only' ? 'notify' : 'act', action, parameters, by, rule: rule ?? null, confidence, because, considered, unknownFacts }
}

const endingOf = (ended: Closed | Parked): { readonly reason: string; readonly because: string } =>
  ended.at === 'closed' ? { reason: ended.reason, because: ended.because } : { reason: ended.waitingFor, because: ended.because }

function targetOf({ object, owner, container }: Target): ExplainedTarget {
  const { apiVersion, kind, namespace, name } = object
  return {
    apiVersion,
    kind,
    namespace,
    name,
    container: container ?? null,
    owner: { apiVersion: owner.apiVersion, kind: owner.kind, namespace: owner.namespace, name: owner.name },
  }
}
