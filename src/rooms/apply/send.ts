// Sends the steps of a permit, one after the other. The one place that retries writes: patches carry their tests and deletions
// their uid, so sending again after a lost answer cannot do anything twice.
import type { CaseId } from '../../domain/case-file.ts'
import { Fault, isFault } from '../../domain/fault.ts'
import type { Step } from '../../domain/plan.ts'
import { type Ports, pause } from '../../domain/ports.ts'
import type { Reader } from '../../kube/wire.ts'
import type { Writer } from '../../kube/writer.ts'
import { effectOf } from './landed.ts'

export interface Sending {
  readonly writer: Writer
  /** Live, never from a watch's memory. */
  readonly read: Reader
  readonly ports: Pick<Ports, 'clock' | 'timers' | 'random'>
  readonly tries: number
}

/** `written`: how many steps are known to have taken effect; `fault` why the rest was not sent; `certain`: whether that is known of the step at fault. */
export interface Sent {
  readonly written: number
  readonly certain: boolean
  readonly fault: unknown
}

const backoff = (sending: Sending, attempt: number, fault: Fault): number => fault.retryAfterMs ?? 200 * 2 ** attempt * (0.5 + sending.ports.random.next())

async function waitFor(sending: Sending, step: Step & { readonly kind: 'wait' }): Promise<void> {
  const until = sending.ports.clock.now() + step.seconds * 1_000
  for (;;) {
    const object = await sending.read.object(step.object)
    const gone = object?.metadata?.uid !== step.object.uid
    if (step.until === 'gone' ? gone : !gone) return
    if (sending.ports.clock.now() >= until) throw new Fault('CLUSTER_TIMEOUT', `${step.object.kind} ${step.object.name} was not ${step.until} within ${step.seconds} s`)
    await pause(sending.ports.timers, 500)
  }
}

/** Done, or a Fault. CLUSTER_ANSWER_UNKNOWN only when even looking did not tell. */
async function sendOne(sending: Sending, step: Step, caseId: CaseId, index: number): Promise<void> {
  if (step.kind === 'wait') return waitFor(sending, step)
  let lost = false
  for (let attempt = 0; ; attempt++) {
    try {
      await sending.writer.send(step, caseId, index)
      return
    } catch (error) {
      if (!isFault(error)) throw error
      // An API server that failed may have failed after the write.
      lost ||= isFault(error, 'CLUSTER_ANSWER_UNKNOWN', 'CLUSTER_ERROR')
      // A conflict after a lost answer is most likely our own change.
      const effect = lost ? await seen(sending, step) : 'untouched'
      if (effect === 'landed') return
      const again = isFault(error, 'CLUSTER_ANSWER_UNKNOWN', 'CLUSTER_UNREACHABLE', 'CLUSTER_THROTTLED', 'CLUSTER_ERROR') && step.kind !== 'exec'
      if (!again || attempt + 1 >= sending.tries) throw given(error, effect)
      await pause(sending.ports.timers, backoff(sending, attempt, error))
    }
  }
}

/** Answered, and the object is as it was: nothing was written. Otherwise whoever asks has to look again. */
const given = (error: Fault, effect: Awaited<ReturnType<typeof seen>>): Fault =>
  error.code === 'CLUSTER_ANSWER_UNKNOWN' || effect === 'untouched'
    ? error
    : new Fault('CLUSTER_ANSWER_UNKNOWN', `it is not known whether this was written, for an answer was lost, then: ${error.message}`, { cause: error })

async function seen(sending: Sending, step: Step): Promise<'landed' | 'untouched' | 'changed' | 'unreadable'> {
  try {
    return await effectOf(sending.read, step)
  } catch (error) {
    if (isFault(error)) return 'unreadable'
    throw error
  }
}

/** All steps in order; stops at the first that fails. */
export async function sendAll(sending: Sending, steps: readonly Step[], caseId: CaseId): Promise<Sent> {
  for (const [index, step] of steps.entries()) {
    try {
      await sendOne(sending, step, caseId, index)
    } catch (fault) {
      // A command that ran and failed has done something, and nobody can see what.
      return { written: index, certain: !isFault(fault, 'CLUSTER_ANSWER_UNKNOWN', 'EXEC_FAILED'), fault }
    }
  }
  return { written: steps.length, certain: true, fault: undefined }
}
