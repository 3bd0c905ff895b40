// One case at a time per top owner. A lane is gathering (its case is on the way to a plan: newcomers join it) or acting (from intent
// until the object has settled: newcomers wait behind it). A case that waits for people or a window holds no lane, but newcomers of its
// owner join it all the same. Memory only: at start it is read off the open cases.
import type { Alert } from '../domain/alert.ts'
import type { CaseId } from '../domain/case-file.ts'

interface Lane {
  readonly caseId: CaseId
  readonly acting: boolean
}

export type Entry = { readonly kind: 'taken' } | { readonly kind: 'join'; readonly host: CaseId } | { readonly kind: 'behind'; readonly host: CaseId }

export class Lanes {
  readonly #lanes = new Map<string, Lane>()
  /** The open case of an owner that holds no lane. */
  readonly #waiting = new Map<string, CaseId>()
  readonly #joined = new Map<CaseId, readonly Alert[]>()

  enter(owner: string, id: CaseId): Entry {
    const lane = this.#lanes.get(owner)
    const waiting = this.#waiting.get(owner)
    if (waiting !== undefined && waiting !== id) return { kind: 'join', host: waiting }
    if (!lane || lane.caseId === id) {
      this.#waiting.delete(owner)
      if (!lane) this.#lanes.set(owner, { caseId: id, acting: false })
      return { kind: 'taken' }
    }
    if (lane.acting) {
      this.#waiting.set(owner, id)
      return { kind: 'behind', host: lane.caseId }
    }
    return { kind: 'join', host: lane.caseId }
  }

  /** For a case that is walking: it takes these up before it acts. */
  gather(host: CaseId, alerts: readonly Alert[]): void {
    this.#joined.set(host, [...(this.#joined.get(host) ?? []), ...alerts])
  }
  /** What joined since it was last asked; the case is then decided with all of it. */
  takeJoined(id: CaseId): readonly Alert[] {
    const joined = this.#joined.get(id) ?? []
    this.#joined.delete(id)
    return joined
  }
  act(owner: string, id: CaseId): void {
    this.#lanes.set(owner, { caseId: id, acting: true })
  }
  acts(owner: string, id: CaseId): boolean {
    const lane = this.#lanes.get(owner)
    return lane?.caseId === id && lane.acting
  }
  get acting(): number {
    return [...this.#lanes.values()].filter((lane) => lane.acting).length
  }
  /** The case gives up its lane; `stays` when it is still open. Gives the case that may go on. */
  leave(owner: string, id: CaseId, stays: boolean): CaseId | undefined {
    const waiting = this.#waiting.get(owner)
    if (this.#lanes.get(owner)?.caseId === id) this.#lanes.delete(owner)
    if (stays) this.#waiting.set(owner, waiting ?? id)
    else if (waiting === id) this.#waiting.delete(owner)
    return waiting === id ? undefined : waiting
  }
}
