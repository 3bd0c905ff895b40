// One group of alerts: waits, flushes, remembers what it told, and decides whether there is anything to tell (Alertmanager's dispatch and dedup).
import type { Labels } from '../../domain/alert.ts'
import type { Cancel, Timers } from '../../domain/ports.ts'
import type { NotifyReason } from './delivery.ts'
import { isResolved, type Kept } from './kept-alerts.ts'

interface Told {
  readonly firing: ReadonlySet<string>
  readonly resolved: ReadonlySet<string>
  readonly at: number
}
const within = (some: ReadonlySet<string>, all: ReadonlySet<string>): boolean => [...some].every((one) => all.has(one))

/** Why there is something to tell; undefined when there is not. */
function notifyReason(
  told: Told | undefined,
  now: { readonly firing: ReadonlySet<string>; readonly resolved: ReadonlySet<string>; readonly at: number },
  sendResolved: boolean,
  repeatMs: number,
): NotifyReason | undefined {
  if (!told) return now.firing.size > 0 ? 'first notification' : undefined
  if (!within(now.firing, told.firing)) return 'new alerts added'
  if (now.firing.size === 0) return told.firing.size > 0 && sendResolved ? 'all alerts resolved' : undefined
  if (sendResolved && !within(now.resolved, told.resolved)) return 'some alerts resolved'
  return told.at <= now.at - repeatMs ? 'repeat interval elapsed' : undefined
}

export interface GroupSettings {
  readonly timers: Timers
  readonly now: () => number
  readonly waitMs: number
  readonly intervalMs: number
  readonly repeatMs: number
  readonly sendResolved: boolean
  readonly isMuted: (alert: Kept) => boolean
  readonly send: (labels: Labels, alerts: readonly Kept[], reason: NotifyReason) => Promise<boolean>
  readonly onEmpty: () => void
}

export class Group {
  readonly labels: Labels
  readonly #settings: GroupSettings
  readonly #alerts = new Map<string, Kept>()
  #told: Told | undefined
  #cancel: Cancel = () => {}
  #sending = false
  #began = false
  #stopped = false

  constructor(labels: Labels, settings: GroupSettings) {
    this.labels = labels
    this.#settings = settings
  }

  add(alert: Kept): void {
    this.#alerts.set(alert.fingerprint, alert)
    if (this.#began) return
    this.#began = true
    // An alert that has fired for longer than the wait (a restart) is told at once.
    const { waitMs, now } = this.#settings
    this.#flushAfter(alert.startsAt + waitMs < now() ? 0 : waitMs)
  }
  /** Nothing is being sent, and nothing is known that has not been told. */
  get quiet(): boolean {
    const { sendResolved } = this.#settings
    const picture = this.#picture()
    return !this.#sending && notifyReason(this.#told, picture, sendResolved, Number.POSITIVE_INFINITY) === undefined
  }
  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #flushAfter(milliseconds: number): void {
    this.#cancel = this.#settings.timers.after(milliseconds, () => void this.#flush())
  }
  #picture() {
    const at = this.#settings.now()
    const alerts = [...this.#alerts.values()].filter((alert) => !this.#settings.isMuted(alert))
    const keys = (ended: boolean): ReadonlySet<string> => new Set(alerts.filter((alert) => isResolved(alert, at) === ended).map((alert) => alert.fingerprint))
    return { at, alerts, firing: keys(false), resolved: keys(true) }
  }
  async #flush(): Promise<void> {
    const { intervalMs, repeatMs, sendResolved, send, now } = this.#settings
    const { at, alerts, firing, resolved } = this.#picture()
    const reason = notifyReason(this.#told, { firing, resolved, at }, sendResolved, repeatMs)
    const told = sendResolved ? alerts : alerts.filter((alert) => firing.has(alert.fingerprint))
    this.#sending = reason !== undefined
    const done = reason === undefined || (await send(this.labels, told, reason))
    this.#sending = false
    if (this.#stopped) return
    if (done && reason !== undefined) this.#told = { firing, resolved, at }
    if (done) this.#forgetResolved(at)
    if (this.#alerts.size === 0) this.#settings.onEmpty()
    else this.#flushAfter(Math.max(0, at + intervalMs - now()))
  }
  /** What ended before the flush and was told (or was never told at all) is over; what changed meanwhile stays. */
  #forgetResolved(at: number): void {
    for (const [key, alert] of this.#alerts) if (isResolved(alert, at)) this.#alerts.delete(key)
  }
}
