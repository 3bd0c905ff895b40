// Between intake and walk: takes up what was delivered, keeps lanes and slots, wakes what is due, and files every ending.

import { type Corridor, faulted, type Rooms, walk } from '../corridor.ts'
import type { Alert } from '../domain/alert.ts'
import { type Answer, type CaseId, type Closed, close, type Located, type Open, type Opened, type Parked, type Planned, park, withAlerts } from '../domain/case-file.ts'
import { isFault } from '../domain/fault.ts'
import { planHash } from '../domain/plan-hash.ts'
import type { Policy } from '../domain/policy.ts'
import { type Cancel, type Ports, pause } from '../domain/ports.ts'
import { describeRef, ownerKey } from '../domain/target.ts'
import type { Delivered, Intake } from '../rooms/record/intake.ts'
import type { Episode, History, Order } from '../rooms/record/record.ts'
import type { StoredCase } from '../rooms/record/rows.ts'
import type { Known, Screened } from '../rooms/screen/screen.ts'
import { Lanes } from './lanes.ts'

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

const BATCH = 500
const ORDERS_EVERY_MS = 1_000
const PRUNE_EVERY_MS = 600_000
/** More than a clock is set by in good order. */
const CLOCK_JUMP_MS = 5_000
const TROUBLE_MS = { first: 1_000, longest: 60_000 }

const opened = (page: Open): Opened => ({ at: 'opened', id: page.id, openedAt: page.openedAt, alerts: page.alerts })
const ownerOf = (page: Open): string | undefined => ('target' in page ? ownerKey(page.target.owner) : undefined)
const isActing = (page: Open): boolean => page.at === 'applied' && page.watching === 'object'

const knownOf = ({ resolvedAt, outcome, ...episode }: Episode): Known => ({ ...episode, ...(resolvedAt !== undefined && { resolvedAt }), ...(outcome && { outcome }) })

export type Dispatch = ReturnType<typeof makeDispatch>

export function makeDispatch(options: DispatchOptions) {
  const { ports, history, intake, observer, limits } = options
  const lanes = new Lanes()
  const walking = new Map<CaseId, Promise<void>>()
  /** In the order in which they came. */
  const queue = new Map<CaseId, () => Promise<Closed | Parked>>()
  /** Cases that could not be filed, and how often in a row: they are taken up again, later each time. */
  const troubled = new Map<CaseId, number>()
  let running = false
  let drainSoon = false
  let cancelDue: Cancel | undefined
  let stopping = new AbortController()
  const cancels = new Set<Cancel>()

  // ── rooms that belong to the dispatcher ──────────────────────────────────────────────────────────────────────────────
  const enterLane = (file: Located): Located | Parked | Closed => {
    history.located(file)
    const owner = ownerKey(file.target.owner)
    const entry = lanes.enter(owner, file.id)
    switch (entry.kind) {
      case 'taken':
        return file
      case 'join': {
        history.join(file, entry.host)
        // One that walks finds the newcomers on its way; one that waits is judged afresh with them at once.
        if (walking.has(entry.host)) lanes.gather(entry.host, file.alerts)
        else enqueueStored(entry.host)
        return close(file, 'cancelled', 'JOINED_CASE', `case ${entry.host} of ${describeRef(file.target.owner)} is open and took this alert`)
      }
      case 'behind': {
        const now = ports.clock.now()
        const until = (history.case(file.id)?.heldSince ?? now) + limits.laneWaitMs
        if (now >= until) return close(file, 'told', 'HELD_TOO_LONG', `case ${entry.host} has been repairing ${describeRef(file.target.owner)} for longer than this alert may wait`)
        return park(file, 'lane', until, `case ${entry.host} is repairing ${describeRef(file.target.owner)}`)
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
  const stopped = (file: Planned, answers: readonly Answer[]): Parked | Closed => {
    const now = ports.clock.now()
    const says = <K extends Answer['says']>(kind: K) => answers.filter((answer): answer is Extract<Answer, { says: 'refuse' | 'hold' | 'ask' }> => answer.says === kind)
    const refusals = says('refuse')
    const resolved = refusals.find((answer) => answer.code === 'ALERT_RESOLVED')
    if (resolved) return close(file, 'cancelled', 'RESOLVED_BEFORE_ACTION', resolved.why, { answers })
    const refused = refusals.find((answer) => answer.code !== 'OBSERVE_MODE')
    if (refused) return close(file, 'refused', refused.code, `${refused.why}. ${refused.remedy}`, { answers })
    const observed = refusals[0]
    if (observed) return close(file, 'observed', 'OBSERVE_MODE', `would have acted: ${file.plan.summary}`, { answers })
    const heldUntil = (history.case(file.id)?.heldSince ?? now) + options.policy().holdMs
    const holds = says('hold')
    const asks = says('ask')
    const first = holds[0] ?? asks[0]
    if (!first) return close(file, 'failed', 'INTERNAL', 'no gate stopped the plan and no permit was given', { answers })
    if (now >= heldUntil) return close(file, 'refused', 'HELD_TOO_LONG', `held too long: ${first.why}. ${first.remedy}`, { answers })
    if (holds.length === 0) return park(file, 'approval', heldUntil, `${first.why}. ${first.remedy}`, answers)
    const until = Math.min(heldUntil, Math.max(now + 1_000, ...holds.map((answer) => answer.until ?? now + 5_000)))
    return park(file, waitingFor(first.code), until, first.why, answers)
  }
  /** In the same turn as the intent: from here until the object has settled the case holds its lane and one of the slots. */
  const takeSlot = (file: Planned): Parked | Closed | undefined => {
    // A walk that comes back after its lease ran out: the case is filed, and nothing may be done in its name any more.
    if (history.case(file.id)?.closedAt !== undefined) return close(file, 'failed', 'WALK_DID_NOT_END', 'the walk did not return in time')
    if (lanes.acting < options.policy().concurrentActions) {
      lanes.act(ownerKey(file.target.owner), file.id)
      return undefined
    }
    const now = ports.clock.now()
    const until = (history.case(file.id)?.heldSince ?? now) + limits.laneWaitMs
    if (now >= until) return close(file, 'told', 'HELD_TOO_LONG', `${lanes.acting} repairs have been under way for longer than this alert may wait`)
    slotWaiters.add(file.id)
    return park(file, 'lane', until, `${lanes.acting} repairs are under way, as many as may be at once`)
  }
  const slotWaiters = new Set<CaseId>()
  const rooms: Rooms = { ...options.rooms, enterLane, withJoined, stopped }
  const corridor: Corridor = { rooms, clock: ports.clock, observer, patienceMs: limits.patienceMs }

  // ── walking ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  const enqueue = (id: CaseId, start: () => Promise<Closed | Parked>) => {
    if (walking.has(id) || queue.has(id)) return
    queue.set(id, start)
    pump()
  }
  const pump = () => {
    for (const [id, start] of queue) {
      if (!running || walking.size >= limits.walks) return
      queue.delete(id)
      const walked = leased(id, start)
        .then((result) => finish(id, result))
        .then(
          () => void troubled.delete(id),
          (error: unknown) => onTrouble(id, error),
        )
        .finally(() => {
          walking.delete(id)
          pump()
          armDue()
        })
      walking.set(id, walked)
    }
  }
  /** A defect, or a store that cannot be written: the case stands as it was last kept, and is taken up from there. */
  const onTrouble = (id: CaseId, error: unknown) => {
    if (stopping.signal.aborted) return
    observer.trouble(error, id)
    const times = (troubled.get(id) ?? 0) + 1
    troubled.set(id, times)
    later(Math.min(TROUBLE_MS.longest, TROUBLE_MS.first * 2 ** (times - 1)), () => enqueueStored(id))
  }
  const later = (milliseconds: number, run: () => void) => {
    const cancel = ports.timers.after(milliseconds, () => {
      cancels.delete(cancel)
      if (running) run()
    })
    cancels.add(cancel)
  }
  /** A walk that never returns must not keep its lane for ever. */
  const leased = (id: CaseId, start: () => Promise<Closed | Parked>): Promise<Closed | Parked> =>
    new Promise((resolve, reject) => {
      const expire = () => {
        const stored = history.case(id)
        // Between intent and the end of the write every request has its own deadline, and only the walk itself knows how far it came.
        if (stored?.state === 'intended') cancel = ports.timers.after(limits.leaseMs, expire)
        else if (stored) resolve(expired(stored.page))
      }
      let cancel = ports.timers.after(limits.leaseMs, expire)
      start()
        .then(resolve, reject)
        .finally(() => cancel())
    })
  const expired = (page: Open): Closed | Parked =>
    page.at === 'applied'
      ? park(page, 'verification', ports.clock.now(), 'the check did not return in time')
      : close(page, 'failed', 'WALK_DID_NOT_END', 'the walk did not return in time')

  const finish = (id: CaseId, result: Closed | Parked) => {
    const { page } = result
    const owner = ownerOf(page)
    // Alerts that joined while the case was on its way to an early end have not been considered yet.
    const joined = page.at === 'applied' ? [] : lanes.takeJoined(id)
    if (joined.length > 0) {
      const again: Opened = { ...opened(page), alerts: withAlerts(page.alerts, joined) }
      history.keep(again)
      // From the store: whoever joins until its turn comes is on the page there.
      return freed(id)
    }
    const asked = history.case(id)?.waitingFor === 'approval'
    // What joined is no case of its own: its alerts and its deliveries belong to the host, whose events tell of it.
    if (result.at === 'closed' && result.reason === 'JOINED_CASE') return history.dissolve(id)
    if (result.at === 'closed') {
      history.close(result)
      observer.closed(result, ports.clock.now() - page.openedAt)
    } else {
      history.park(result)
      observer.parked(result)
    }
    const holdsLane = result.at === 'parked' && isActing(page)
    // Only a case that held a slot gives one back; whoever finds it taken again waits anew.
    if (owner !== undefined && !holdsLane && lanes.acts(owner, id)) {
      for (const waiting of slotWaiters) freed(waiting)
      slotWaiters.clear()
    }
    if (owner !== undefined && !holdsLane) freed(lanes.leave(owner, id, result.at === 'parked' && page.at !== 'applied'))
    if (result.at === 'closed' || (result.waitingFor === 'approval' && !asked)) tellOf(result)
    // It ended while the case was walking, after the gate that would have seen it.
    if (result.at === 'parked' && page.at !== 'applied' && allResolved(page)) freed(id)
  }
  const freed = (id: CaseId | undefined) => {
    if (id !== undefined) ports.timers.soon(() => enqueueStored(id))
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
  const telling = new Set<Promise<void>>()

  /** Takes a stored case up again, at the page that its state asks for. */
  const enqueueStored = (id: CaseId) => {
    if (walking.has(id) || queue.has(id)) return
    const stored = history.case(id)
    if (stored && stored.closedAt === undefined) enqueue(id, () => resume(id))
  }
  const resume = async (id: CaseId): Promise<Closed | Parked> => {
    const stored = history.case(id)
    if (!stored) throw new Error(`case ${id} is not in the history`)
    const { page } = stored
    if (stored.state === 'intended' && page.at === 'planned') return recovered(stored, page)
    if (page.at === 'applied') return walk(page, corridor)
    if (allResolved(page)) return close(page, 'cancelled', 'RESOLVED_BEFORE_ACTION', 'every alert of this case resolved before anything was done')
    if (stored.waitingFor === 'approval' && page.at === 'planned') {
      const approved = history.approval(id, planHash(page.plan)) !== undefined
      if (!approved && ports.clock.now() >= (stored.dueAt ?? 0)) return close(page, 'refused', 'HELD_TOO_LONG', `nobody approved in time: ${page.plan.summary}`)
      const { plan: _, ...decided } = page
      if (approved) {
        const entered = enterLane({ ...decided, at: 'located' })
        return entered.at === 'located' ? walk({ ...decided, at: 'decided' }, corridor) : entered
      }
    }
    return walk(opened(page), corridor)
  }
  const recovered = async (stored: StoredCase, page: Planned): Promise<Closed | Parked> => {
    try {
      const next = await options.recover(page, stored.intentAt ?? page.openedAt)
      return next.at === 'closed' ? next : walk(next, corridor)
    } catch (error) {
      // Not known yet: the intent stands, and it is looked at again.
      if (!isFault(error) || !error.retryable) return faulted(page, error, corridor)
      observer.trouble(error, page.id)
      await pause(ports.timers, 2_000, stopping.signal)
      return resume(page.id)
    }
  }
  const allResolved = (page: Open): boolean => !history.firesIn(page.id) && page.alerts.every((alert) => !history.isFiring(alert.fingerprint))

  // ── intake ───────────────────────────────────────────────────────────────────────────────────────────────────────────
  const takeUp = () => {
    drainSoon = false
    if (!running) return
    let after: (() => void)[] = []
    const rows = intake.next(BATCH)
    if (rows.length === 0) return
    try {
      history.together(() => {
        for (const row of rows) after.push(...takeOne(row))
      })
    } catch (error) {
      after = []
      intake.recount()
      observer.trouble(error, undefined)
      later(TROUBLE_MS.first, wake)
      return
    }
    for (const run of after) run()
    if (rows.length === BATCH) wake()
  }
  const takeOne = ({ id, alert }: Delivered): (() => void)[] => {
    const known = history.episode(alert.fingerprint)
    const screened = options.screen(alert, known && knownOf(known), ports.clock.now())
    const after: (() => void)[] = [() => observer.screened(alert, screened.kind)]
    switch (screened.kind) {
      case 'new':
      case 'reopen': {
        const file = openCase(id, alert)
        after.push(() => enqueue(file.id, () => walk(file, corridor)))
        return after
      }
      case 'own':
        // Told by us, come back by Alertmanager: counted, and no case.
        intake.taken(id, undefined)
        return after
      case 'filtered': {
        // Known already: counted, and not filed a second time.
        if (known && known.resolvedAt === undefined) return after.concat(repeated(id, alert, known))
        const file = openCase(id, alert)
        const out = close(file, 'cancelled', 'FILTERED', screened.why)
        history.close(out)
        history.told(file.id)
        after.push(() => observer.closed(out, 0))
        return after
      }
      case 'repeat':
        return known ? after.concat(repeated(id, alert, known)) : after
      case 'resolved':
        history.resolve(alert.fingerprint, screened.resolvedAt)
        intake.taken(id, screened.caseId)
        if (known?.caseOpen) after.push(() => onResolved(known.caseId))
        return after
      case 'stale':
      case 'unknown-resolved':
        intake.taken(id, known?.caseId)
        return after
      default:
        return screened satisfies never
    }
  }
  const openCase = (delivery: number, alert: Alert): Opened => {
    const file: Opened = { at: 'opened', id: history.newId(), openedAt: ports.clock.now(), alerts: [alert] }
    history.open(file)
    intake.taken(delivery, file.id)
    return file
  }
  const repeated = (delivery: number, alert: Alert, known: Episode): (() => void)[] => {
    if (alert.status === 'firing') history.repeat(alert.fingerprint, alert)
    intake.taken(delivery, known.caseId)
    return []
  }
  /** Before the intent it may cancel the case; after it, it is evidence: the check is made at once. */
  const onResolved = (id: CaseId) => {
    const stored = history.case(id)
    if (stored && !walking.has(id) && (stored.state === 'applied' || allResolved(stored.page))) enqueueStored(id)
  }
  const wake = () => {
    if (drainSoon || !running) return
    drainSoon = true
    ports.timers.soon(takeUp)
  }

  // ── due rows and orders ──────────────────────────────────────────────────────────────────────────────────────────────
  const armDue = () => {
    cancelDue?.()
    if (!running) return
    const now = ports.clock.now()
    for (const id of history.due(now, BATCH)) if (!troubled.has(id)) enqueueStored(id)
    // What is due already walks by now, and comes here again when it has.
    const at = history.nextDue(now)
    if (at !== undefined) cancelDue = ports.timers.after(Math.min(Math.max(5, at - now), 60_000), armDue)
  }
  const every = (milliseconds: number, run: () => void) => {
    const turn = () => {
      try {
        run()
      } catch (error) {
        observer.trouble(error, undefined)
      }
      later(milliseconds, turn)
    }
    later(milliseconds, turn)
  }
  /** Due times are wall times: when the clock went back, what is held and checked would wait for it to catch up. */
  const minded = { wall: ports.clock.now(), elapsed: ports.clock.elapsed() }
  const mindClock = () => {
    const [wall, elapsed] = [ports.clock.now(), ports.clock.elapsed()]
    const jumped = wall - minded.wall - (elapsed - minded.elapsed)
    Object.assign(minded, { wall, elapsed })
    if (Math.abs(jumped) < CLOCK_JUMP_MS) return
    for (const { id } of history.openCases()) enqueueStored(id)
  }
  const takeOrders = () => {
    mindClock()
    for (const order of history.newOrders()) takeOrder(order)
  }
  const takeOrder = (order: Order) => {
    const stored = history.case(order.caseId)
    if (!stored) return history.orderDone(order.id, `there is no case ${order.caseId}`)
    // It stays an order until the walk has come to rest.
    if (walking.has(stored.id) || queue.has(stored.id)) return
    if (order.kind === 'undo') {
      if (stored.page.at !== 'applied' || stored.outcome === 'undone')
        return history.orderDone(order.id, stored.outcome === 'undone' ? 'this case is undone already' : 'nothing was changed in this case')
      walking.set(
        stored.id,
        undoing(order, stored).finally(() => {
          walking.delete(stored.id)
          armDue()
        }),
      )
      return
    }
    if (stored.closedAt !== undefined || stored.waitingFor !== 'approval') return history.orderDone(order.id, 'this case does not wait for an approval')
    if (order.kind === 'reject') {
      finish(stored.id, close(stored.page, 'refused', 'REJECTED_BY_PERSON', `rejected by ${order.by}`))
      return history.orderDone(order.id, 'rejected')
    }
    if (stored.page.at !== 'planned' || planHash(stored.page.plan) !== order.planHash)
      return history.orderDone(order.id, 'the plan changed since: look at the case and approve what it says now')
    history.orderDone(order.id, 'approved: it passes the gates once more')
    enqueueStored(stored.id)
  }
  const undoing = async (order: Order, stored: StoredCase): Promise<void> => {
    try {
      const result = await options.undo(stored, order.by)
      // Refused: the case goes on, or stays, as it was.
      const undone = result.at === 'closed' && result.outcome === 'undone'
      if (undone && stored.closedAt === undefined) finish(stored.id, result)
      else if (undone) history.undone(stored.id, result.reason, result.because)
      history.orderDone(order.id, result.because)
    } catch (error) {
      history.orderDone(order.id, `not undone: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  return {
    /** Something was committed to the intake. */
    wake,
    get walking() {
      return walking.size + queue.size
    },
    takeSlot,
    stopped,
    /** Resolves when nobody is being told anything any more. */
    async told(): Promise<void> {
      await Promise.allSettled([...telling])
    },
    /** Takes up every case that was open when the program ended, then what was delivered and not judged. */
    start() {
      running = true
      stopping = new AbortController()
      for (const stored of history.openCases()) {
        const owner = stored.owner
        if (owner !== undefined && (stored.state === 'intended' || isActing(stored.page))) lanes.act(owner, stored.id)
        else if (owner !== undefined && stored.state === 'parked') lanes.leave(owner, stored.id, true)
        if (stored.state === 'walking' || stored.state === 'intended') enqueueStored(stored.id)
      }
      for (const stored of history.untold(ports.clock.now() - 3_600_000)) {
        const { page, outcome, reason, because } = stored
        if (outcome) tellOf(close(page, outcome, reason ?? 'INTERNAL', because ?? ''))
      }
      armDue()
      wake()
      every(ORDERS_EVERY_MS, takeOrders)
      every(PRUNE_EVERY_MS, () => {
        history.prune(ports.clock.now() - limits.retentionMs)
        intake.forget(ports.clock.now() - limits.deliveriesMs)
      })
    },
    /** Takes nothing new; resolves when every walk under way has ended or parked. What is left is taken up at the next start. */
    async stop() {
      running = false
      stopping.abort(new Error('stopping'))
      cancelDue?.()
      for (const cancel of cancels) cancel()
      cancels.clear()
      queue.clear()
      await Promise.allSettled([...walking.values()])
    },
  }
}

/** What a gate's hold waits for, as the open case shows it. */
function waitingFor(code: string): Parked['waitingFor'] {
  if (code.startsWith('COOLDOWN')) return 'cooldown'
  if (code.startsWith('BUDGET')) return 'budget'
  if (code.startsWith('MAINTENANCE') || code.startsWith('ALERT_SUPPRESSED')) return 'window'
  if (code.startsWith('POLICY') || code.startsWith('KILL')) return 'policy'
  return 'retry'
}
