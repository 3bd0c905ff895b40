// Which cases walk now: a bounded number at once, each under a lease. One that could not be filed is taken up again, later each time.
import type { CaseId, Closed, Parked } from '../domain/case-file.ts'
import type { Alarms } from './alarms.ts'

type Walk = () => Promise<Closed | Parked>

export interface WalksOptions {
  readonly alarms: Alarms
  readonly atOnce: number
  readonly leaseMs: number
  /** How a walk ends whose lease ran out; undefined extends the lease. */
  readonly expired: (id: CaseId) => Closed | Parked | undefined
  /** Files what came of a walk. */
  readonly finish: (id: CaseId, result: Closed | Parked) => void
  /** A defect, or a store that cannot be written: the case stands as it was last kept. */
  readonly trouble: (error: unknown, id: CaseId) => void
  readonly takeUpAgain: (id: CaseId) => void
  /** After each walk. */
  readonly rested: () => void
}

const TROUBLE_MS = { first: 1_000, longest: 60_000 }

export type Walks = ReturnType<typeof makeWalks>

export function makeWalks({ alarms, atOnce, leaseMs, expired, finish, trouble, takeUpAgain, rested }: WalksOptions) {
  const walking = new Map<CaseId, Promise<void>>()
  /** In the order in which they came. */
  const queue = new Map<CaseId, Walk>()
  /** How often in a row a case could not be filed. */
  const troubled = new Map<CaseId, number>()
  let running = false

  const pump = () => {
    for (const [id, start] of queue) {
      if (!running || walking.size >= atOnce) return
      queue.delete(id)
      claim(
        id,
        leased(id, start)
          .then((result) => finish(id, result))
          .then(
            () => void troubled.delete(id),
            (error: unknown) => onTrouble(id, error),
          ),
      )
    }
  }
  const claim = (id: CaseId, work: Promise<void>) => {
    const done = work.finally(() => {
      walking.delete(id)
      if (!running) return
      pump()
      rested()
    })
    walking.set(id, done)
  }
  const onTrouble = (id: CaseId, error: unknown) => {
    if (!running) return
    trouble(error, id)
    const times = (troubled.get(id) ?? 0) + 1
    troubled.set(id, times)
    alarms.after(Math.min(TROUBLE_MS.longest, TROUBLE_MS.first * 2 ** (times - 1)), () => takeUpAgain(id))
  }
  /** A walk that never returns must not keep its lane for ever. */
  const leased = (id: CaseId, start: Walk): Promise<Closed | Parked> =>
    new Promise((resolve, reject) => {
      const expire = () => {
        const end = expired(id)
        if (end) resolve(end)
        else cancel = alarms.after(leaseMs, expire)
      }
      let cancel = alarms.after(leaseMs, expire)
      start()
        .then(resolve, reject)
        .finally(() => cancel())
    })

  return {
    enqueue(id: CaseId, start: Walk): void {
      if (walking.has(id) || queue.has(id)) return
      queue.set(id, start)
      pump()
    },
    /** Its walk has begun: what it was given to walk with is fixed. */
    began: (id: CaseId): boolean => walking.has(id),
    /** It walks, or is about to. */
    has: (id: CaseId): boolean => walking.has(id) || queue.has(id),
    isTroubled: (id: CaseId): boolean => troubled.has(id),
    /** Other work on a case, during which it must not walk. */
    claim,
    get size() {
      return walking.size + queue.size
    },
    start(): void {
      running = true
      pump()
    },
    /** Begins nothing more; resolves when every walk under way has ended. */
    async stop(): Promise<void> {
      running = false
      queue.clear()
      await Promise.allSettled([...walking.values()])
    },
  }
}
