// The walk of one case. Read this first: an alert passes through these rooms in this order and leaves a filed case.
//
//   opened ─ locate ─► located ─ decide ─► decided ─ plan ─► planned ─ gate ─► intend ─ apply ─► applied ─ verify ─► closed
//
// Every room gives its own page, an ending, or a parked file that is looked at again. Rooms never call each other.
import {
  type Answer,
  type Applied,
  type Closed,
  close,
  type Decided,
  type Located,
  type Next,
  type Open,
  type Opened,
  type Parked,
  type Planned,
  park,
} from './domain/case-file.ts'
import { Fault, type FaultCode } from './domain/fault.ts'
import type { Reason } from './domain/outcome.ts'
import type { Clock } from './domain/ports.ts'
import type { Permit } from './rooms/gate/permit.ts'

export interface Rooms {
  readonly locate: (file: Opened) => Promise<Next<Located>>
  /** One case at a time per top owner: joins the open case of this owner, queues behind one that acts, or takes the lane. */
  readonly enterLane: (file: Located) => Located | Parked | Closed
  readonly decide: (file: Located) => Promise<Next<Decided>>
  readonly plan: (file: Decided) => Promise<Next<Planned>>
  /** Alerts that joined since the decision: the file goes back to be decided with all of them. */
  readonly withJoined: (file: Planned) => Located | Planned
  readonly gate: (file: Planned) => Promise<{ readonly answers: readonly Answer[]; readonly permit?: Permit }>
  /** No permit: ends, waits, or asks people. */
  readonly stopped: (file: Planned, answers: readonly Answer[]) => Parked | Closed
  /** Commits the intent in the history and in the ledger, after one more look at what may have changed since the gates. */
  readonly intend: (file: Planned, permit: Permit) => Promise<Planned | Parked | Closed>
  /** Decided: the object changed under the plan, so it is planned anew. */
  readonly apply: (file: Planned, permit: Permit) => Promise<Applied | Decided | Parked | Closed>
  readonly verify: (file: Applied) => Promise<Parked | Closed>
}
export type RoomName = 'locate' | 'decide' | 'plan' | 'gate' | 'apply' | 'verify'

/** Sees each room entered and left; metrics and spans come from here and not from the rooms. */
export interface Observer {
  left(room: RoomName, file: Open, milliseconds: number): void
}

export interface Corridor {
  readonly rooms: Rooms
  readonly clock: Clock
  readonly observer: Observer
  /** How long a case may wait for an edge that does not answer before it ends as failed, ms. */
  readonly patienceMs: number
}

/** Longer than any honest walk: four times planned anew because the object kept changing. */
const TURNS = 24

const ENDINGS: Partial<Record<FaultCode, Reason>> = {
  CLUSTER_CONFLICT: 'CLUSTER_CONFLICT',
  CLUSTER_FORBIDDEN: 'CLUSTER_REFUSED',
  CLUSTER_INVALID: 'CLUSTER_REFUSED',
  CLUSTER_NOT_FOUND: 'TARGET_GONE',
  CLUSTER_UNREACHABLE: 'CLUSTER_UNREACHABLE',
  CLUSTER_TIMEOUT: 'CLUSTER_UNREACHABLE',
  CLUSTER_THROTTLED: 'CLUSTER_UNREACHABLE',
  CLUSTER_ERROR: 'CLUSTER_UNREACHABLE',
  CLUSTER_GONE: 'CLUSTER_UNREACHABLE',
  CLUSTER_ANSWER_UNKNOWN: 'CLUSTER_UNREACHABLE',
  STORE_FULL: 'STORE_FAILED',
  STORE_UNAVAILABLE: 'STORE_FAILED',
  LEDGER_UNUSABLE: 'STORE_FAILED',
  EXEC_FAILED: 'WRITE_FAILED',
}

/** One alert's walk, from whatever page it had reached. Returns when it is closed or has to wait. */
export async function walk(start: Open, corridor: Corridor): Promise<Closed | Parked> {
  const { rooms, clock, observer } = corridor
  let file: Open | Parked | Closed = start
  const timed = async <T>(room: RoomName, page: Open, work: Promise<T>): Promise<T> => {
    const began = clock.elapsed()
    try {
      return await work
    } finally {
      observer.left(room, page, clock.elapsed() - began)
    }
  }
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      switch (file.at) {
        case 'closed':
        case 'parked':
          return file
        case 'opened': {
          const located: Next<Located> = await timed('locate', file, rooms.locate(file))
          file = located.at === 'located' ? rooms.enterLane(located) : located
          break
        }
        case 'located':
          file = await timed('decide', file, rooms.decide(file))
          break
        case 'decided': {
          const planned: Next<Planned> = await timed('plan', file, rooms.plan(file))
          file = planned.at === 'planned' ? rooms.withJoined(planned) : planned
          break
        }
        case 'planned':
          file = await throughGates(file)
          break
        case 'applied':
          file = await timed('verify', file, rooms.verify(file))
          break
        default:
          file satisfies never
      }
    }
  } catch (error) {
    return file.at === 'closed' || file.at === 'parked' ? file : faulted(file, error, corridor)
  }
  return file.at === 'closed' || file.at === 'parked' ? file : close(file, 'failed', 'WALK_DID_NOT_END', `the object kept changing: ${TURNS} pages without an end`)

  async function throughGates(planned: Planned): Promise<Applied | Located | Decided | Parked | Closed> {
    const { answers, permit } = await timed('gate', planned, rooms.gate(planned))
    if (!permit) return rooms.stopped(planned, answers)
    // Who joined at the gates has not been considered, and from the intent on nobody can.
    const whole = rooms.withJoined(planned)
    if (whole.at === 'located') return whole
    const intended = await rooms.intend(planned, permit)
    return intended.at === 'planned' ? timed('apply', intended, rooms.apply(intended, permit)) : intended
  }
}

/** The one place that turns a fault into an ending: what may pass is waited for, everything else is filed. */
export function faulted(page: Open, error: unknown, corridor: Pick<Corridor, 'clock' | 'patienceMs'>): Closed | Parked {
  const now = corridor.clock.now()
  if (!(error instanceof Fault)) return close(page, 'failed', 'INTERNAL', error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  const because = `${error.message} (${error.code}; ${error.hint})`
  // Something was written: the case cannot end before somebody has looked at what became of it.
  const givesUpAt = page.openedAt + corridor.patienceMs
  if (error.retryable && (now < givesUpAt || page.at === 'applied')) {
    const waited = Math.max(0, now - page.openedAt)
    return park(page, page.at === 'applied' ? 'verification' : 'retry', now + Math.min(30_000, Math.max(1_000, error.retryAfterMs ?? waited)), because)
  }
  if (error.code === 'CLUSTER_NOT_FOUND') return close(page, 'cancelled', 'TARGET_GONE', because)
  return close(page, 'failed', ENDINGS[error.code] ?? 'INTERNAL', because)
}
