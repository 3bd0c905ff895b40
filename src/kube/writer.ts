// Writer: sends one step of a permitted plan, each with its preconditions, and says when it is done. It never retries.
import { Fault, isFault } from '../domain/fault.ts'
import type { Step } from '../domain/plan.ts'
import { describeRef } from '../domain/target.ts'
import { makeDiscovery, pathOf } from './discovery.ts'
import type { Exec } from './exec.ts'
import { getOnly, isRecord } from './getter.ts'
import { addressOf, CASE_MARK, FIELD_MANAGER, type SentStep, STEP_MARK, stepRequest } from './step-request.ts'
import type { Transport } from './transport.ts'
import { ADDRESSES } from './wire.ts'

export interface Writer {
  /**
   * Resolves when the step's effect is there: applied now, or found to be so already.
   * CLUSTER_CONFLICT: the object changed, judge again. CLUSTER_ANSWER_UNKNOWN: look before anything else.
   * CLUSTER_THROTTLED on evict: a disruption budget forbids it now. `exec` must not be sent again after any fault.
   */
  send(step: Step, caseId: string, index: number): Promise<{ readonly done: true }>
}

const DONE = { done: true } as const

export function makeWriter(transport: Transport, options: { readonly fieldManager?: string; readonly exec?: Exec } = {}): Writer {
  const { fieldManager = FIELD_MANAGER, exec } = options
  const read = getOnly(transport)
  const discovery = makeDiscovery(read)

  async function sendStep(step: SentStep, caseId: string, index: number): Promise<void> {
    const marks = { [CASE_MARK]: caseId, [STEP_MARK]: String(index) }
    try {
      await transport.send(await stepRequest(step, { discovery, fieldManager, marks }))
    } catch (error) {
      if (await wasDone(step, caseId, error)) return
      throw error
    }
  }

  /** What is gone need not be removed; what exists by our own hand need not be created. */
  async function wasDone(step: SentStep, caseId: string, error: unknown): Promise<boolean> {
    if (step.kind === 'delete' || step.kind === 'evict') return isFault(error, 'CLUSTER_NOT_FOUND')
    if (step.kind !== 'create' || !isFault(error, 'CLUSTER_CONFLICT')) return false
    return isOurs(await read.get(pathOf(await addressOf(discovery, step.object), step.object.namespace, step.object.name)), caseId)
  }

  async function sendExec(step: Extract<Step, { kind: 'exec' }>): Promise<void> {
    if (!exec) throw new Fault('INTERNAL', 'this writer was given no way to run commands')
    const { object, container, argv } = step
    // exec has no preconditions of its own: a namesake that took the pod's place is seen here.
    if (uidIn(await read.get(pathOf(ADDRESSES.Pod, object.namespace, object.name))) !== object.uid)
      throw new Fault('CLUSTER_CONFLICT', `${describeRef(object)} is not the pod that the plan was made for`)
    const { exitCode } = await exec({ namespace: object.namespace, pod: object.name, container, argv })
    if (exitCode !== 0) throw new Fault('EXEC_FAILED', `${argv[0] ?? ''} in ${describeRef(object)} (${container}) ended with exit code ${exitCode}`)
  }

  return {
    async send(step, caseId, index) {
      if (step.kind === 'wait') throw new Fault('INTERNAL', 'a wait is not a request: the applier waits')
      await (step.kind === 'exec' ? sendExec(step) : sendStep(step, caseId, index))
      return DONE
    },
  }
}

const metadataOf = (object: unknown): Readonly<Record<string, unknown>> => (isRecord(object) && isRecord(object['metadata']) ? object['metadata'] : {})
const uidIn = (object: unknown): unknown => metadataOf(object)['uid']

function isOurs(existing: unknown, caseId: string): boolean {
  const { annotations, labels } = metadataOf(existing)
  return [annotations, labels].some((marks) => isRecord(marks) && marks[CASE_MARK] === caseId)
}
