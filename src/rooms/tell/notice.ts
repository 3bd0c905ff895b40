// A notice: what people read of a case, rendered in this one place and redacted, whatever the channel.
import { alertName, severity } from '../../domain/alert.ts'
import type { Answer, Closed, Open, Parked } from '../../domain/case-file.ts'
import type { Outcome, Reason } from '../../domain/outcome.ts'
import { redact } from '../../domain/redaction.ts'
import { describeRef, type ObjectRef } from '../../domain/target.ts'

/** `asks`: a person has to say yes or no; `waits`: open for another reason. */
export type NoticeKind = Outcome | 'asks' | 'waits'

export interface Notice {
  readonly caseId: string
  readonly kind: NoticeKind
  /** Somebody has to look; otherwise it is for the record only. */
  readonly forPeople: boolean
  readonly open: boolean
  /** A code: from REASONS, a gate's, or what an open case waits for. */
  readonly reason: string
  readonly alert: string
  readonly severity: string
  readonly namespace: string
  /** Where the Event goes: the top owner; undefined when the labels named nothing. */
  readonly object: ObjectRef | undefined
  readonly action: string | undefined
  readonly title: string
  /** Why it ended so. */
  readonly why: string
  /** What else is known, one sentence a line. */
  readonly lines: readonly string[]
  readonly whatToDo: string
}

const FOR_PEOPLE: ReadonlySet<NoticeKind> = new Set(['told', 'refused', 'unproven', 'undone', 'failed', 'asks'])

const SAYS: Readonly<Record<NoticeKind, string>> = {
  fixed: 'fixed',
  unproven: 'changed, without proof that it helped',
  undone: 'changed and taken back',
  refused: 'not repaired',
  told: 'needs a person',
  observed: 'would be repaired',
  cancelled: 'nothing to do any more',
  failed: 'could not be repaired',
  asks: 'asks for approval',
  waits: 'waits',
}

const TO_DO: Readonly<Record<NoticeKind, string>> = {
  fixed: 'nothing',
  unproven: 'see whether the workload needs something else',
  undone: 'find the cause by hand: this remedy makes it worse',
  refused: 'repair it by hand, or change what stands in the way',
  told: 'look at the workload: nothing was changed',
  observed: 'nothing; set the mode to approve or enforce to have it done',
  cancelled: 'nothing',
  failed: 'remove what made it fail; the alert is judged again when it repeats',
  asks: 'approve or refuse the plan',
  waits: 'nothing: it goes on by itself',
}

/** Where the reason says more than the outcome. */
const BY_REASON: Partial<Record<Reason, string>> = {
  STILL_FIRING: 'see why the alert still fires although the object is good: its expression may lag, or the cause lies elsewhere',
  EFFECT_UNKNOWN: 'compare the object with the plan: whether the change was made could not be told',
  UNDO_REFUSED: 'take the change back by hand, or remove what refused it and use `alerts-slm cases undo`',
  NO_TARGET: 'give the alert labels that name its object, or map them in the configuration',
  TARGET_AMBIGUOUS: 'give the alert labels that name one object',
  OTHER_NAMESPACE: 'see to it in that namespace',
  NO_RULE: 'write a rule for this alert: `alerts-slm rules explain` shows what is known about it',
  AMBIGUOUS_NO_MODEL: 'decide by hand, or write the rule that tells the cases apart',
  AMBIGUOUS_CONFLICT: 'decide which of the rules is right: `alerts-slm rules lint` names them',
  DIAGNOSTICS_KEPT: 'read the diagnostics that were kept with the case',
  HELD_TOO_LONG: 'see what the case waited for',
  CLUSTER_UNREACHABLE: 'check network and API server',
  CLUSTER_REFUSED: 'see what the API server or an admission policy objects to; `alerts-slm doctor` names missing rights',
  STORE_FAILED: 'check the data directory and its disk',
  INTERNAL: 'report it as a defect, with the case',
}

export const noticeOf = (file: Closed | Parked): Notice => (file.at === 'closed' ? closedNotice(file) : parkedNotice(file))

function closedNotice({ page, outcome, reason, because, answers }: Closed): Notice {
  // A gate's own sentence, without the remedy that stands beside it.
  const stop = stops(answers).find(({ code }) => code === reason)
  return notice(page, { kind: outcome, open: false, reason, why: stop?.why ?? because, toDo: stop?.remedy ?? byReason(reason) ?? TO_DO[outcome] })
}

function parkedNotice({ page, waitingFor, because, answers }: Parked): Notice {
  const kind = waitingFor === 'approval' ? 'asks' : 'waits'
  const stop = stops(answers).find(({ says }) => says === (kind === 'asks' ? 'ask' : 'hold'))
  return notice(page, { kind, open: true, reason: waitingFor, why: stop?.why ?? because, toDo: stop?.remedy ?? TO_DO[kind] })
}

type Stop = Extract<Answer, { readonly code: string }>
const stops = (answers: readonly Answer[] = []): readonly Stop[] => answers.filter((answer) => 'code' in answer)
const byReason = (reason: string): string | undefined => Object.entries(BY_REASON).find(([code]) => code === reason)?.[1]

interface Ending {
  readonly kind: NoticeKind
  readonly open: boolean
  readonly reason: string
  readonly why: string
  readonly toDo: string
}

function notice(page: Open, { kind, open, reason, why, toDo }: Ending): Notice {
  const [alert] = page.alerts
  const owner = 'target' in page ? page.target.owner : undefined
  const namespace = owner?.namespace ?? alert.labels['namespace'] ?? ''
  const where = owner ? describeRef(owner) : namespace ? `namespace ${namespace}` : 'an unknown object'
  return {
    caseId: page.id,
    kind,
    forPeople: FOR_PEOPLE.has(kind),
    open,
    reason,
    alert: alertName(alert),
    severity: severity(alert),
    namespace,
    object: owner,
    action: 'decision' in page ? page.decision.action : undefined,
    title: clean(`${alertName(alert)} on ${where}: ${SAYS[kind]}`),
    why: clean(why),
    lines: linesOf(page).map(clean),
    whatToDo: clean(toDo),
  }
}

function linesOf(page: Open): readonly string[] {
  const summary = page.alerts[0].annotations['summary'] ?? page.alerts[0].annotations['description']
  const runbook = page.alerts[0].annotations['runbook_url']
  const decision = 'decision' in page ? page.decision : undefined
  const by = decision?.by === 'rule' ? `rule ${decision.rule ?? ''}` : `a ${decision?.by}`
  return [
    ...(summary === undefined ? [] : [`Alert: ${summary}`]),
    ...(decision === undefined ? [] : [`Decided: ${decision.action} by ${by}, because ${decision.because}`]),
    ...('plan' in page ? [`Plan: ${page.plan.summary}`] : []),
    ...(decision === undefined || decision.evidence.length === 0 ? [] : [`Evidence: ${decision.evidence.join(', ')}`]),
    ...(page.alerts.length > 1 ? [`Alerts of this case: ${page.alerts.length}`] : []),
    ...(runbook === undefined ? [] : [`Runbook: ${runbook}`]),
    `Case: ${page.id} (\`alerts-slm cases show ${page.id}\`)`,
  ]
}

const LONGEST = 1_000
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g
/** Labels and annotations are other people's text: no control characters, no secrets, no novels. Redacted before it is cut, so that no half of a secret is left. */
function clean(text: string): string {
  const line = redact(text).replaceAll(CONTROL, ' ').trim()
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`
}

/** As plain text, for channels without a form of their own. */
export const asText = ({ title, why, lines, whatToDo }: Notice): string => [title, `Why: ${why}`, ...lines, `What to do: ${whatToDo}`].join('\n')
