// Between intake and walk: takes up what was delivered, keeps lanes and slots, wakes what is due, and files every ending.
import { type Corridor, faulted, type Rooms, walk } from '../corridor.ts'
import type { Alert } from '../domain/alert.ts'
import { type CaseId, type Closed, close, type Located, type Open, type Opened, type Parked, type Planned, park, withAlerts } from '../domain/case-file.ts'
import { isFault } from '../domain/fault.ts'
import { planHash } from '../domain/plan-hash.ts'
import type { Policy } from '../domain/policy.ts'
import { type Cancel, type Ports, pause } from '../domain/ports.ts'
import { describeRef, ownerKey } from '../domain/target.ts'
import type { Intake } from '../rooms/record/intake.ts'
import type { History } from '../rooms/record/record.ts'
import type { StoredCase } from '../rooms/record/rows.ts'
import type { Known, Screened } from '../rooms/screen/screen.ts'
import { makeAlarms } from './alarms.ts'
import { Lanes } from './lanes.ts'
import { makeOrders } from './orders.ts'
import { stopped } from './stopped.ts'
import { makeTakeUp } from './take-up.ts'
import { makeWalks } from './walks.ts'

/** The rooms that need nothing of the dispatcher. */
export type WalkRooms = Omit<Rooms, 'enterLane' | 'withJoined' | 'stopped'>

export interface DispatchOptions {
  readonly ports: Ports
  readonly history: History
  readonly intake: Intake
  readonly screen: (alert: Alert, known: Known | undefined, now: number) => Screened
  readonly rooms: WalkRooms
  readonly recover: (file: Planned, intentAt: number) => Promise<Planned | Open | Closed>
  /** Carries out a person's undo of a case that was applied; the sentence says what came of it. */
  readonly undo: (file: StoredCase, by: string) => Promise<Closed | Parked>
  readonly policy: () => Policy
  readonly observer: Corridor['observer'] & {
    closed(closed: Closed, milliseconds: number): void
    parked(parked: Parked): void
    screened(alert: Alert, as: Screened['kind']): void
    /** A defect or a store that cannot be written: people must see it, the walk goes on with the next case. */
    trouble(error: unknown, of: CaseId | undefined): void
  }
  /** Called for every closed or newly parked case; true when people were told or need not be, false: again at the next start. */
  readonly tell: (result: Closed | Parked) => Promise<boolean>
  readonly limits: {
    readonly walks: number
    readonly patienceMs: number
    readonly laneWaitMs: number
    readonly leaseMs: number
    readonly retentionMs: number
    readonly deliveriesMs: number
  }
}

const DUE_AT_ONCE = 500
const ORDERS_EVERY_MS = 1_000
const PRUNE_EVERY_MS = 600_000
const TRY_AGAIN_MS = 1_000
const UNTOLD_MS = 3_600_000
/** More than a clock is set by in good order. */
const CLOCK_JUMP_MS = 5_000

const opened = (page: Open): Opened => ({ at: 'opened', id: page.id, openedAt: page.openedAt, alerts: page.alerts })
const ownerOf = (page: Open): string | undefined => ('target' in page ? ownerKey(page.target.owner) : undefined)
const isActing = (page: Open): boolean => page.at === 'applied' && page.watching === 'object'
const samePlan = (a: Open | undefined, b: Open): boolean => a?.at === 'planned' && b.at === 'planned' && planHash(a.plan) === planHash(b.plan)

export type Dispatch = ReturnType<typeof makeDispatch>

export function makeDispatch(options: DispatchOptions) {
  const { ports, history, intake, observer, limits } = options
  const { clock, timers } = ports
  const lanes = new Lanes()
  const slotWaiters = new Set<CaseId>()
  const telling = new Set<Promise<void>>()
  const alarms = makeAlarms(timers, (error) => observer.trouble(error, undefined))
  let running = false
  let drainSoon = false
  let cancelDue: Cancel = () => {}
  let stopping = new AbortController()

  // ── rooms that belong to the dispatcher ──────────────────────────────────────────────────────────────────────────────
  const heldSince = (id: CaseId): number => history.case(id)?.heldSince ?? clock.now()
  const enterLane = (file: Located): Located | Parked | Closed => {
    history.located(file)
    const owner = ownerKey(file.target.owner)
    const where = describeRef(file.target.owner)
    const entry = lanes.enter(owner, file.id)
    switch (entry.kind) {
      case 'taken':
        return file
      case 'join':
        history.join(file, entry.host)
        // One that walks finds the newcomers on its way; one that waits is judged afresh with them at once.
        if (walks.began(entry.host)) lanes.gather(entry.host, file.alerts)
        else takeUpAgain(entry.host)
        return close(file, 'cancelled', 'JOINED_CASE', `case ${entry.host} of ${where} is open and took this alert`)
      case 'behind': {
        const until = heldSince(file.id) + limits.laneWaitMs
        if (clock.now() >= until) return close(file, 'told', 'HELD_TOO_LONG', `case ${entry.host} has been repairing ${where} for longer than this alert may wait`)
        return park(file, 'lane', until, `case ${entry.host} is repairing ${where}`)
      }
      default:
        return entry satisfies never
    }
  }
  const withJoined = (file: Planned): Located | Planned => {
    const joined = lanes.takeJoined(file.id)
    if (joined.length === 0) return file
    const { decision: _, explanation: __, plan: ___, ...page } = file
    const located: Located = { ...page, at: 'located', alerts: withAlerts(file.alerts, joined) }
    history.keep(located)
    return located
  }
  const stoppedHere: Rooms['stopped'] = (file, answers) => stopped(file, answers, { now: clock.now(), heldUntil: heldSince(file.id) + options.policy().holdMs })
  /** In the same turn as the intent: from here until the object has settled the case holds its lane and one of the slots. */
  const takeSlot = (file: Planned): Parked | Closed | undefined => {
    // A walk that comes back after its lease ran out: the case is filed, and nothing may be done in its name any more.
    if (history.case(file.id)?.closedAt !== undefined) return close(file, 'failed', 'WALK_DID_NOT_END', 'the walk did not return in time')
    if (lanes.acting < options.policy().concurrentActions) {
      lanes.act(ownerKey(file.target.owner), file.id)
      return undefined
    }
    const until = heldSince(file.id) + limits.laneWaitMs
    if (clock.now() >= until) return close(file, 'told', 'HELD_TOO_LONG', `${lanes.acting} repairs have been under way for longer than this alert may wait`)
    slotWaiters.add(file.id)
    return park(file, 'lane', until, `${lanes.acting} repairs are under way, as many as may be at once`)
  }
  const corridor: Corridor = { rooms: { ...options.rooms, enterLane, withJoined, stopped: stoppedHere }, clock, observer, patienceMs: limits.patienceMs }

  // ── walking ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  const allResolved = (page: Open): boolean => !history.firesIn(page.id) && page.alerts.every((alert) => !history.isFiring(alert.fingerprint))
  /** Takes a stored case up again, at the page that its state asks for. */
  const takeUpAgain = (id: CaseId) => {
    if (!running || walks.has(id)) return
    const stored = history.case(id)
    if (stored && stored.closedAt === undefined) walks.enqueue(id, () => resume(id))
  }
  const soon = (id: CaseId | undefined) => {
    if (id !== undefined) timers.soon(() => takeUpAgain(id))
  }
  const resume = async (id: CaseId): Promise<Closed | Parked> => {
    const stored = history.case(id)
    if (!stored) throw new Error(`case ${id} is not in the history`)
    const { page } = stored
    if (stored.state === 'intended' && page.at === 'planned') return recovered(stored, page)
    if (page.at === 'applied') return walk(page, corridor)
    if (allResolved(page)) return close(page, 'cancelled', 'RESOLVED_BEFORE_ACTION', 'every alert of this case resolved before anything was done')
    if (stored.waitingFor === 'approval' && page.at === 'planned') {
      if (history.approval(id, planHash(page.plan))) return approved(page)
      if (clock.now() >= (stored.dueAt ?? 0)) return close(page, 'refused', 'HELD_TOO_LONG', `nobody approved in time: ${page.plan.summary}`)
    }
    return walk(opened(page), corridor)
  }
  /** The decision stands; the plan is made anew. */
  const approved = ({ plan: _, ...page }: Planned): Promise<Closed | Parked> => {
    const entered = enterLane({ ...page, at: 'located' })
    return entered.at === 'located' ? walk({ ...page, at: 'decided' }, corridor) : Promise.resolve(entered)
  }
  const recovered = async (stored: StoredCase, page: Planned): Promise<Closed | Parked> => {
    try {
      const next = await options.recover(page, stored.intentAt ?? page.openedAt)
      return next.at === 'closed' ? next : walk(next, corridor)
    } catch (error) {
      // Not known yet: the intent stands, and it is looked at again.
      if (!isFault(error) || !error.retryable) return faulted(page, error, corridor)
      observer.trouble(error, page.id)
      await pause(timers, 2_000, stopping.signal)
      return resume(page.id)
    }
  }
  const expired = (id: CaseId): Closed | Parked | undefined => {
    const stored = history.case(id)
    // Between intent and the end of the write every request has its own deadline, and only the walk itself knows how far it came.
    if (!stored || stored.state === 'intended') return undefined
    const { page } = stored
    return page.at === 'applied'
      ? park(page, 'verification', clock.now(), 'the check did not return in time')
      : close(page, 'failed', 'WALK_DID_NOT_END', 'the walk did not return in time')
  }

  // ── filing ───────────────────────────────────────────────────────────────────────────────────────────────────────────
  const finish = (id: CaseId, result: Closed | Parked) => {
    const { page } = result
    // Alerts that joined while the case was on its way to an early end have not been considered yet.
    const joined = page.at === 'applied' ? [] : lanes.takeJoined(id)
    if (joined.length > 0) {
      history.keep({ ...opened(page), alerts: withAlerts(page.alerts, joined) })
      // From the store: whoever joins until its turn comes is on the page there.
      return soon(id)
    }
    // What joined is no case of its own: its alerts and its deliveries belong to the host, whose events tell of it.
    if (result.at === 'closed' && result.reason === 'JOINED_CASE') return history.dissolve(id)
    const before = history.case(id)
    if (result.at === 'closed') {
      history.close(result)
      observer.closed(result, clock.now() - page.openedAt)
    } else {
      history.park(result)
      observer.parked(result)
    }
    // A case that was looked for again and not found has no target on its page any more; its lane is known by the one before.
    for (const owner of new Set([ownerOf(page), before?.owner])) if (owner !== undefined) leaveLane(owner, id, result)
    const asked = before?.waitingFor === 'approval' && samePlan(before.page, page)
    if (result.at === 'closed' || (result.waitingFor === 'approval' && !asked)) tellOf(result)
    // It ended while the case was walking, after the gate that would have seen it.
    if (result.at === 'parked' && page.at !== 'applied' && allResolved(page)) soon(id)
  }
  const leaveLane = (owner: string, id: CaseId, result: Closed | Parked) => {
    const { page } = result
    const stays = result.at === 'parked' && owner === ownerOf(page)
    if (stays && isActing(page)) return
    // Only a case that held a slot gives one back; whoever finds it taken again waits anew.
    if (lanes.acts(owner, id)) {
      for (const waiting of slotWaiters) soon(waiting)
      slotWaiters.clear()
    }
    soon(lanes.leave(owner, id, stays && page.at !== 'applied'))
  }
  const tellOf = (result: Closed | Parked) => {
    const told = options
      .tell(result)
      .then((done) => {
        if (done) history.told(result.page.id)
      })
      .catch((error: unknown) => observer.trouble(error, result.page.id))
      .finally(() => telling.delete(told))
    telling.add(told)
  }

  // ── loops ────────────────────────────────────────────────────────────────────────────────────────────────────────────
  const armDue = () => {
    cancelDue()
    if (!running) return
    const now = clock.now()
    for (const id of history.due(now, DUE_AT_ONCE)) if (!walks.isTroubled(id)) takeUpAgain(id)
    // What is due already walks by now, and comes here again when it has.
    const at = history.nextDue(now)
    if (at !== undefined) cancelDue = alarms.after(Math.min(Math.max(5, at - now), 60_000), armDue)
  }
  const walks = makeWalks({
    alarms,
    atOnce: limits.walks,
    leaseMs: limits.leaseMs,
    expired,
    finish,
    trouble: (error, id) => observer.trouble(error, id),
    takeUpAgain,
    rested: armDue,
  })
  const takeUp = makeTakeUp({
    clock,
    history,
    intake,
    screen: options.screen,
    screened: (alert, as) => observer.screened(alert, as),
    opened: (file) => walks.enqueue(file.id, () => walk(file, corridor)),
    filed: (closed) => observer.closed(closed, 0),
    resolved(id) {
      // Before the intent it may cancel the case; after it, it is evidence: the check is made at once.
      const stored = walks.has(id) ? undefined : history.case(id)
      if (stored && (stored.state === 'applied' || allResolved(stored.page))) takeUpAgain(id)
    },
  })
  const wake = () => {
    if (drainSoon || !running) return
    drainSoon = true
    timers.soon(drain)
  }
  const drain = () => {
    drainSoon = false
    if (!running) return
    try {
      if (takeUp()) wake()
    } catch (error) {
      observer.trouble(error, undefined)
      alarms.after(TRY_AGAIN_MS, wake)
    }
  }
  const takeOrders = makeOrders({ history, walks, undo: options.undo, finish, takeUpAgain })
  /** Due times are wall times: when the clock went back, what is held and checked would wait for it to catch up. */
  const minded = { wall: clock.now(), elapsed: clock.elapsed() }
  const mindClock = () => {
    const [wall, elapsed] = [clock.now(), clock.elapsed()]
    const jumped = wall - minded.wall - (elapsed - minded.elapsed)
    Object.assign(minded, { wall, elapsed })
    if (Math.abs(jumped) >= CLOCK_JUMP_MS) for (const { id } of history.openCases()) takeUpAgain(id)
  }
  /** Lanes as they were when the program ended. Who waits for one finds out anew: what it waited for may be over. */
  const reopen = ({ id, owner, state, page, waitingFor }: StoredCase) => {
    if (owner !== undefined && (state === 'intended' || isActing(page))) lanes.act(owner, id)
    else if (owner !== undefined && state === 'parked') lanes.leave(owner, id, true)
    if (state === 'walking' || state === 'intended' || waitingFor === 'lane') soon(id)
  }

  return {
    /** Something was committed to the intake. */
    wake,
    get walking() {
      return walks.size
    },
    takeSlot,
    stopped: stoppedHere,
    /** Resolves when nobody is being told anything any more. */
    async told(): Promise<void> {
      await Promise.allSettled([...telling])
    },
    /** Takes up every case that was open when the program ended, then what was delivered and not judged. */
    start() {
      running = true
      stopping = new AbortController()
      walks.start()
      for (const stored of history.openCases()) reopen(stored)
      for (const { page, outcome, reason, because } of history.untold(clock.now() - UNTOLD_MS)) if (outcome) tellOf(close(page, outcome, reason ?? 'INTERNAL', because ?? ''))
      armDue()
      wake()
      alarms.every(ORDERS_EVERY_MS, mindClock)
      alarms.every(ORDERS_EVERY_MS, takeOrders)
      alarms.every(PRUNE_EVERY_MS, () => {
        history.prune(clock.now() - limits.retentionMs)
        intake.forget(clock.now() - limits.deliveriesMs)
      })
    },
    /** Takes nothing new; resolves when every walk under way has ended or parked. What is left is taken up at the next start. */
    async stop() {
      running = false
      stopping.abort(new Error('stopping'))
      alarms.cancelAll()
      await walks.stop()
    },
  }
}
