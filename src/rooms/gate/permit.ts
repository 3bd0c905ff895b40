// The only proof that the gates were passed. The class is not exported, so nobody else can make one and no cast is needed to;
// it is not data, so it cannot be stored, and after a restart a case passes the gates again.
import type { Answer, CaseId, Planned } from '../../domain/case-file.ts'
import type { Step } from '../../domain/plan.ts'

const VALID_MS = 5_000

class Issued {
  readonly #steps: readonly Step[]
  readonly caseId: CaseId
  readonly expiresAt: number
  #spent = false
  constructor(caseId: CaseId, steps: readonly Step[], expiresAt: number) {
    this.caseId = caseId
    this.#steps = steps
    this.expiresAt = expiresAt
  }
  /** The steps, once. A second call, or a call after expiry, gets nothing to write. */
  spend(now: number): readonly Step[] {
    if (this.#spent || now > this.expiresAt) return []
    this.#spent = true
    return this.#steps
  }
}
export type Permit = Issued

/** A permit only when every answer is a pass. `steps` are the plan's, or its undo's. */
export function permit(file: Planned, steps: readonly Step[], answers: readonly Answer[], now: number): Permit | undefined {
  return answers.length > 0 && answers.every((answer) => answer.says === 'pass') ? new Issued(file.id, steps, now + VALID_MS) : undefined
}
