// What a pod's status says of its health, as far as gates need it.
import type { Kinds } from '../../kube/wire.ts'

type Pod = Kinds['Pod']

export const ready = ({ metadata, status }: Pod): boolean =>
  metadata?.deletionTimestamp === undefined && (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')

/** A container that died this recently is not healthy yet, even when it is ready for the moment between two crashes. */
const RECENT_MS = 10 * 60_000

/** A pod that is itself the trouble: not ready, or one of its containers (the named one, if any) died a short while ago. */
export function failing(pod: Pod, container: string | undefined, now: number): boolean {
  if (!ready(pod)) return true
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  return statuses.some(({ name, lastState, restartCount }) => {
    const died = lastState?.terminated
    if (!died || restartCount === 0 || died.exitCode === 0 || (container !== undefined && name !== container)) return false
    const ago = now - Date.parse(died.finishedAt ?? '')
    return ago < RECENT_MS
  })
}
