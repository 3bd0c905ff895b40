// Posts the alerts of open cases again before they would end by themselves.
import type { Alertmanager } from '../../alertmanager/client.ts'
import type { Cancel, Timers } from '../../domain/ports.ts'
import type { Renewals } from './own-alert.ts'

export interface RenewOptions {
  readonly post: Alertmanager['post']
  readonly renewals: Pick<Renewals, 'due' | 'posted'>
  readonly timers: Timers
  readonly everyMs: number
  readonly onFailed: (error: unknown) => void
}

/** Until it is cancelled. A failed renewal is made up by the next one: the alert outlasts two. */
export function keepRenewing({ post, renewals, timers, everyMs, onFailed }: RenewOptions): Cancel {
  let stopped = false
  const once = async () => {
    const due = renewals.due()
    if (due.length === 0) return
    await post(due)
    renewals.posted(due)
  }
  const next = (): Cancel =>
    timers.after(everyMs, () => {
      if (!stopped) once().catch(onFailed).finally(schedule)
    })
  let cancel = next()
  function schedule(): void {
    if (!stopped) cancel = next()
  }
  return () => {
    stopped = true
    cancel()
  }
}
