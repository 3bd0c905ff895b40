// Timers of one dispatcher: all of them end when it stops.
import type { Cancel, Timers } from '../domain/ports.ts'

export interface Alarms {
  after(milliseconds: number, run: () => void): Cancel
  /** Again and again; what it throws is told, and it goes on. */
  every(milliseconds: number, run: () => void): void
  cancelAll(): void
}

export function makeAlarms(timers: Timers, onError: (error: unknown) => void): Alarms {
  const pending = new Set<Cancel>()
  const after = (milliseconds: number, run: () => void): Cancel => {
    const cancelTimer = timers.after(milliseconds, () => {
      pending.delete(cancel)
      run()
    })
    const cancel = () => {
      pending.delete(cancel)
      cancelTimer()
    }
    pending.add(cancel)
    return cancel
  }
  const every = (milliseconds: number, run: () => void): void => {
    after(milliseconds, () => {
      every(milliseconds, run)
      try {
        run()
      } catch (error) {
        onError(error)
      }
    })
  }
  return {
    after,
    every,
    cancelAll() {
      for (const cancel of [...pending]) cancel()
    },
  }
}
