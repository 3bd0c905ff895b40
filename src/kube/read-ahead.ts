// Asks at once for what will be asked for one after the other. The selector that the later questions need is known from the watch; what
// is answered is read anew all the same, and a selector that has changed meanwhile only costs the head start.
import { formatSelector, type LabelSelector } from '../domain/label-selector.ts'
import type { ObjectRef, Target } from '../domain/target.ts'
import type { Held } from './held.ts'
import type { Reader } from './wire.ts'

/**
 * What a plan and its gates nearly always read: the chain up to the owner, its pods and revisions, disruption budgets. `read` must
 * remember its answers (readOnce), else everything is asked twice. Faults are met by whoever asks in earnest.
 */
export function readAhead(read: Reader, held: Held, { owner, chain }: Pick<Target, 'owner' | 'chain'>): void {
  const ahead = (asked: Promise<unknown>) => void asked.catch(() => {})
  const selector = selectorOf(held, owner)
  if (selector) {
    const labels = formatSelector(selector)
    ahead(read.list('Pod', { labels }))
    if (owner.kind === 'Deployment') ahead(read.list('ReplicaSet', { labels }))
  }
  for (const ref of chain) ahead(read.object(ref))
  ahead(read.list('PodDisruptionBudget'))
}

function selectorOf(held: Held, { kind, name }: ObjectRef): LabelSelector | undefined {
  if (kind !== 'Deployment' && kind !== 'StatefulSet' && kind !== 'DaemonSet') return undefined
  return held.holds(kind) ? held.get(kind, name)?.spec?.selector : undefined
}
