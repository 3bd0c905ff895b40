// Room 8 of 10, the only stage that holds a writer. Takes a planned case and its permit, gives an applied one; before the first
// write the intent stands in the history and in the cluster's ledger.
import type { Action } from '../../actions/define-action.ts'
import { alertName } from '../../domain/alert.ts'
import { type Answer, type Applied, type Closed, close, type Decided, type Parked, type Planned } from '../../domain/case-file.ts'
import { isFault } from '../../domain/fault.ts'
import { directionOf, type Step } from '../../domain/plan.ts'
import { planHash } from '../../domain/plan-hash.ts'
import type { Mode, Policy } from '../../domain/policy.ts'
import { ownerKey } from '../../domain/target.ts'
import type { Unknown } from '../../domain/unknown.ts'
import type { Ledger } from '../../kube/ledger.ts'
import type { Permit } from '../gate/permit.ts'
import { type Sending, sendAll } from './send.ts'

/** The part of the history that must be written before and after the cluster is. */
export interface IntentLog {
  intend(file: Planned, hash: string, direction: 'up' | 'down' | undefined): void
  withdraw(file: Planned, because: string): void
  applied(file: Applied): void
  /** Before an undo is sent: `undoing` stands on the page. */
  undo(file: Applied): void
}

export interface Applier extends Sending {
  readonly ledger: Ledger
  readonly log: IntentLog
  readonly action: (name: string) => Action | undefined
  readonly policy: () => Policy
  /** Kill switch, mode, budget, cooldown and slots once more, in the same synchronous turn as the intent; undefined: go on. */
  readonly recheck: (file: Planned) => Closed | Parked | undefined
  readonly gateUndo: (file: Applied) => Promise<{ readonly answers: readonly Answer[]; readonly permit?: Permit }>
  /** Whether an alert of this case's names fires for any object below its owner. */
  readonly fires: (file: Applied) => Promise<boolean | Unknown>
  readonly term: number
  readonly onWritten: (steps: readonly Step[], result: 'done' | 'conflict' | 'refused' | 'unknown') => void
}

/** Nothing to write: nothing to intend. Otherwise the history first, the ledger second, the cluster third. */
export const intend =
  (applier: Applier) =>
  async (file: Planned, _permit: Permit): Promise<Planned | Parked | Closed> => {
    const { plan } = file
    if (plan.steps.length === 0) return file
    const stopped = applier.recheck(file)
    if (stopped) return stopped
    const hash = planHash(plan)
    const direction = directionOf(plan.blast)
    applier.log.intend(file, hash, direction)
    try {
      await applier.ledger.enter({
        caseId: file.id,
        owner: ownerKey(file.target.owner),
        targetUid: plan.object.uid,
        alert: alertName(file.alerts[0]),
        ...(file.decision.rule !== undefined && { rule: file.decision.rule }),
        action: plan.action,
        ...(direction && { direction }),
        planHash: hash,
        term: applier.term,
        undo: plan.undo,
      })
    } catch (error) {
      applier.log.withdraw(file, `no ledger entry, no write: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
    return file
  }

const decided = ({ plan: _, ...page }: Planned): Decided => ({ ...page, at: 'decided' })
const appliedPage = (file: Planned, mode: Mode, now: number, certain: boolean): Applied => ({
  ...file,
  at: 'applied',
  mode,
  appliedAt: now,
  certain,
  goodSince: undefined,
  watching: 'object',
  checkAt: now,
})

export const apply =
  (applier: Applier) =>
  async (file: Planned, permit: Permit): Promise<Applied | Decided | Parked | Closed> => {
    const { plan } = file
    if (plan.steps.length === 0) return close(file, 'told', 'DIAGNOSTICS_KEPT', plan.summary)
    const steps = permit.spend(applier.ports.clock.now())
    if (steps.length === 0) return notWritten(applier, file, 'the permit had expired')
    const sent = await sendAll(applier, steps, file.id)
    if (sent.written === 0 && sent.fault !== undefined && sent.certain) {
      applier.onWritten(steps, isFault(sent.fault, 'CLUSTER_CONFLICT') ? 'conflict' : 'refused')
      await notWritten(applier, file, sent.fault instanceof Error ? sent.fault.message : 'not sent')
      // A conflict too: whoever changed the object may have done this very thing, and planned once more by the old decision "back to the
      // revision before" is the way back into the trouble. The corridor waits a moment and has everything judged afresh.
      throw sent.fault
    }
    applier.onWritten(steps, sent.fault === undefined ? 'done' : 'unknown')
    const applied = appliedPage(file, applier.policy().mode, applier.ports.clock.now(), sent.fault === undefined)
    applier.log.applied(applied)
    return applied
  }

/** Nothing reached the cluster: the attempt is taken back in both places, and the case is planned anew. */
async function notWritten(applier: Applier, file: Planned, because: string): Promise<Decided> {
  applier.log.withdraw(file, because)
  await applier.ledger.complete(file.id, 'cancelled')
  return decided(file)
}

/** An intent was committed and nobody knows what followed: look, then go on as applied, send again, or end as unproven. */
export const recover =
  (applier: Applier, effects: (file: Planned) => Promise<'landed' | 'untouched' | 'changed'>) =>
  async (file: Planned, intentAt: number): Promise<Applied | Planned | Closed> => {
    const effect = await effects(file)
    if (effect === 'landed') {
      const applied = appliedPage(file, applier.policy().mode, intentAt, true)
      applier.log.applied(applied)
      return applied
    }
    if (effect === 'untouched') {
      await applier.ledger.complete(file.id, 'cancelled')
      applier.log.withdraw(file, 'after a restart the object is as it was before the plan: nothing had been written')
      return file
    }
    await applier.ledger.complete(file.id, 'unproven')
    return close(file, 'unproven', 'EFFECT_UNKNOWN', 'the program ended between intent and write, and the object is now neither as planned nor as before')
  }
