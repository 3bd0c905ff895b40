// Asks at once for what will be asked for one after the other. The selector that the later questions need is known from the watch; what
// is answered is read anew all the same, and a selector that has changed meanwhile only costs the head start.
import { formatSelector, type LabelSelector } from '../domain/label-selector.ts'
import type { ObjectRef } from '../domain/target.ts'
import type { Held } from './held.ts'
import type { Reader } from './wire.ts'

/** `read` must remember its answers (readOnce), else everything is asked twice. Faults are met by whoever asks in earnest. */
export function readAhead(read: Reader, held: Held, { kind, name }: ObjectRef, lists: readonly ('Pod' | 'ReplicaSet')[]): void {
  if (kind !== 'Deployment' && kind !== 'StatefulSet' && kind !== 'DaemonSet') return
  const selector: LabelSelector | undefined = held.holds(kind) ? held.get(kind, name)?.spec?.selector : undefined
  if (!selector) return
  const labels = formatSelector(selector)
  for (const list of lists) read.list(list, { labels }).catch(() => {})
}
