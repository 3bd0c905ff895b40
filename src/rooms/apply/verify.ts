// Room 9 of 10, verification and undo: the object first, the alert second. A change that made things worse is taken back when the
// fields are still as it left them.

import type { Seen } from '../../actions/define-action.ts'
import { type Answer, type Applied, type Closed, close, type Parked, park } from '../../domain/case-file.ts'
import { formatDuration } from '../../domain/duration.ts'
import { isFault } from '../../domain/fault.ts'
import { compareHealth } from '../../domain/health.ts'
import type { Outcome, Reason } from '../../domain/outcome.ts'
import { describeRef } from '../../domain/target.ts'
import { isUnknown } from '../../domain/unknown.ts'
import type { Applier } from './apply.ts'
import { effectOf } from './landed.ts'
import { sendAll } from './send.ts'

/** Of all steps together: what recovery and an uncertain answer ask. */
export async function effectOfAll(read: Applier['read'], steps: Applied['plan']['steps']): Promise<'landed' | 'untouched' | 'changed'> {
  const effects = await Promise.all(steps.map((step) => effectOf(read, step)))
  const first = effects[0] ?? 'landed'
  return effects.every((effect) => effect === first) ? first : 'changed'
}

async function ended(applier: Applier, file: Applied, outcome: Outcome, reason: Reason, because: string, extra?: Parameters<typeof close>[4]): Promise<Closed> {
  await applier.ledger.complete(file.id, outcome)
  return close(file, outcome, reason, because, extra)
}

const lookAgain = (file: Applied, at: number, because: string): Parked => park({ ...file, checkAt: at }, 'verification', at, because)

export const verify =
  (applier: Applier) =>
  async (file: Applied): Promise<Parked | Closed> => {
    if (file.undoing) return undo(applier, file, file.undoing.reason, file.undoing.why)
    if (!file.certain) return settleUncertain(applier, file)
    const looked = withoutGap(file, applier.ports.clock.now())
    return file.watching === 'alert' ? alertStage(applier, looked) : objectStage(applier, looked)
  }

async function settleUncertain(applier: Applier, file: Applied): Promise<Parked | Closed> {
  if ((await effectOfAll(applier.read, file.plan.steps)) === 'landed') return objectStage(applier, { ...file, certain: true })
  return ended(applier, file, 'unproven', 'EFFECT_UNKNOWN', 'an answer of the API server was lost and the object does not show the whole change')
}

/** A time in which nobody looked (the program was away, the clock jumped) counts for nothing: neither as good nor as too long. */
const UNSEEN_MS = 60_000
function withoutGap(file: Applied, now: number): Applied {
  const gap = now - file.checkAt
  if (Math.abs(gap) <= UNSEEN_MS) return file
  const { appliedAt, goodSince, watching } = file
  return { ...file, appliedAt: appliedAt + gap, goodSince: watching === 'alert' && goodSince !== undefined ? goodSince + gap : undefined }
}

async function objectStage(applier: Applier, file: Applied): Promise<Parked | Closed> {
  const now = applier.ports.clock.now()
  const policy = applier.policy()
  const action = applier.action(file.plan.action)
  if (!action) return ended(applier, file, 'unproven', 'EFFECT_UNKNOWN', `no action named ${file.plan.action} in this program any more`)
  const seen = await action.verify(file.plan, { read: applier.read, caseId: file.id, now }, file.target)
  const next = now + policy.checkEveryMs
  const settleMs = settleMsOf(applier, file)
  if (seen.state === 'good') {
    const goodSince = file.goodSince ?? now
    if (now - goodSince >= settleMs) return alertStage(applier, { ...file, goodSince, watching: 'alert' })
    return lookAgain(
      { ...file, goodSince },
      Math.min(next, goodSince + settleMs),
      `good since ${formatDuration(now - goodSince)}, settles after ${formatDuration(settleMs)}: ${seen.why}`,
    )
  }
  if (seen.reverted) return ended(applier, file, 'unproven', 'REVERTED', `somebody else changed it since: ${seen.why}`)
  const late = now - file.appliedAt >= policy.verifyWithinMs + (file.goodSince === undefined ? 0 : settleMs)
  const worse = compareHealth(file.plan.before, seen.health) === 'worse'
  if (worse && (seen.state === 'bad' || late) && file.plan.undoWhen !== 'never') return undo(applier, file, 'MADE_WORSE', worseSentence(file, seen))
  if (!late) return lookAgain({ ...file, goodSince: undefined }, next, seen.why)
  if (file.plan.undoWhen === 'noBetter') return undo(applier, file, 'MADE_WORSE', `no better after ${formatDuration(policy.verifyWithinMs)}: ${seen.why}`)
  return ended(applier, file, 'unproven', 'NOT_BETTER', `not good within ${formatDuration(policy.verifyWithinMs)}, left in place: ${seen.why}`)
}

/** A rule may ask for a longer look than the policy does. */
const settleMsOf = (applier: Applier, file: Applied): number => file.decision.settleMs ?? applier.policy().settleMs

const worseSentence = (file: Applied, seen: Seen): string => {
  const { before } = file.plan
  return `${describeRef(file.target.owner)} is worse than before: ${seen.health.available} of ${seen.health.desired} available and ${seen.health.failing} failing, was ${before.available} of ${before.desired} and ${before.failing} (${seen.why})`
}

/** The object has settled: lane and slot are free. What is left is that the alert ends. */
async function alertStage(applier: Applier, file: Applied): Promise<Parked | Closed> {
  const now = applier.ports.clock.now()
  const policy = applier.policy()
  const fires = await applier.fires(file)
  const owner = describeRef(file.target.owner)
  if (fires === false) return ended(applier, file, 'fixed', 'VERIFIED', `${owner} has been good for ${formatDuration(now - (file.goodSince ?? now))} and the alert has ended`)
  const waited = now - (file.goodSince ?? file.appliedAt) - settleMsOf(applier, file)
  const why = isUnknown(fires) ? `whether the alert still fires is unknown: ${fires.unknown}` : 'the alert still fires'
  if (waited >= policy.reconsiderMs) return ended(applier, file, 'unproven', 'STILL_FIRING', `${owner} is good, but ${why}`)
  return lookAgain(file, now + policy.checkEveryMs, `${owner} has settled; ${why}`)
}

const stopOf = (answers: readonly Answer[]): string => answers.flatMap((answer) => ('why' in answer ? [answer.why] : []))[0] ?? 'its permit had expired'

const UNDO_AGAIN_MS = 1_000

/** Undo passes the gates that still apply. What is already as it was before counts as undone: a crash may lie between. */
export async function undo(applier: Applier, file: Applied, reason: 'MADE_WORSE' | 'UNDONE_BY_PERSON', why: string): Promise<Parked | Closed> {
  // What a person asked for in vain changes nothing of how the case ended.
  const refused = (because: string, extra?: Parameters<typeof close>[4]): Closed | Promise<Closed> =>
    reason === 'UNDONE_BY_PERSON' ? close(file, 'unproven', 'UNDO_REFUSED', because, extra) : ended(applier, file, 'unproven', 'UNDO_REFUSED', because, extra)
  const done = (): Promise<Closed> => ended(applier, file, 'undone', reason, `${why}. Undone: ${file.plan.object.kind} ${file.plan.object.name} is as it was before`)
  const steps = file.plan.undo
  if ('impossible' in steps) return refused(`${why}. It cannot be undone: ${steps.impossible}`)
  const effect = await effectOfAll(applier.read, steps)
  if (effect !== 'landed') {
    const { answers, permit } = await applier.gateUndo(file)
    const allowed = permit?.spend(applier.ports.clock.now())
    if (!allowed || allowed.length === 0)
      return refused(`${why}. The undo did not pass the gates: ${effect === 'changed' ? 'the object was changed since; ' : ''}${stopOf(answers)}`, { answers })
    // Without this, a next life that finds the object as it was before would take it for somebody else's work.
    const undoing: Applied = { ...file, undoing: { reason, why } }
    applier.log.undo(undoing)
    const sent = await sendAll(applier, allowed, file.id)
    // An undo of a former life may have been on its way and have come first.
    if (isFault(sent.fault, 'CLUSTER_CONFLICT') && (await effectOfAll(applier.read, steps)) === 'landed') return done()
    if (isFault(sent.fault, 'CLUSTER_CONFLICT', 'CLUSTER_FORBIDDEN', 'CLUSTER_INVALID', 'CLUSTER_NOT_FOUND')) return refused(`${why}. The undo was refused: ${sent.fault.message}`)
    if (isFault(sent.fault) && sent.fault.retryable && reason === 'MADE_WORSE')
      return lookAgain(undoing, applier.ports.clock.now() + UNDO_AGAIN_MS, `${why}. ${sent.fault.message}`)
    if (sent.fault !== undefined) throw sent.fault
    applier.onWritten(allowed, 'done')
  }
  return done()
}
