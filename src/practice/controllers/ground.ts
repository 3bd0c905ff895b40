// What every controller stands on: the store, time, chance, the pace, and a work queue per controller.
import type { Cancel, Ports } from '../../domain/ports.ts'
import type { Fates } from '../behaviour.ts'
import type { Pace } from '../pace.ts'
import { storedAs } from '../resources.ts'
import type { Change, Store } from '../store.ts'
import type { Recorder } from './events.ts'

export interface LogPlace {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** Of the container's last life. */
  readonly previous: boolean
}

export interface Ground extends Pick<Ports, 'clock' | 'timers' | 'random'> {
  readonly store: Store
  readonly pace: Pace
  readonly fates: Fates
  readonly record: Recorder
  /** When a pod became ready, by uid, on the clock that never goes back: conditions carry whole seconds only, which is long at this pace. */
  readonly readyAt: Map<string, number>
  readonly writeLog: (place: LogPlace, text: string) => void
}

export interface Key {
  readonly namespace: string
  readonly name: string
}

/** A controller names the objects that a change concerns, and brings one object a step nearer to what its spec says. */
export interface Controller {
  concerns(change: Change): readonly Key[]
  /** May ask to look at it again after some time. */
  sync(key: Key): { readonly againAfterMs: number } | undefined
}

export interface Running {
  readonly busy: () => boolean
  readonly stop: () => void
}

/** Level-triggered: changes only say where to look, and many changes of one turn make one look. */
export function run(controller: Controller, { store, timers }: Pick<Ground, 'store' | 'timers'>): Running {
  const due = new Map<string, Key>()
  const later = new Map<string, Cancel>()
  let stopped = false
  let asked = false

  const flush = (): void => {
    asked = false
    if (stopped) return
    const keys = [...due]
    due.clear()
    for (const [text, key] of keys) {
      later.get(text)?.()
      later.delete(text)
      const again = controller.sync(key)
      if (again)
        later.set(
          text,
          timers.after(again.againAfterMs, () => add(key)),
        )
    }
  }
  const add = (key: Key): void => {
    due.set(`${key.namespace}/${key.name}`, key)
    if (asked || stopped) return
    asked = true
    timers.soon(flush)
  }
  const unlisten = store.onChange((change) => controller.concerns(change).forEach(add))
  for (const { apiVersion, kind } of store.kinds())
    for (const object of store.peekAll(storedAs(apiVersion, kind))) controller.concerns({ type: 'ADDED', object, version: 0 }).forEach(add)

  return {
    busy: () => due.size > 0,
    stop() {
      stopped = true
      unlisten()
      for (const cancel of later.values()) cancel()
    },
  }
}
