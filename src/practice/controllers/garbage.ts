// Removes what belonged to an object that is gone: every dependent whose last owner it was.
import { storedAs } from '../resources.ts'
import type { Change, Store } from '../store.ts'
import { list, namespaceOf, stamp } from './cluster.ts'
import type { Ground } from './ground.ts'
import { stopPod } from './pods.ts'

/** Background propagation. An orphaning delete takes the references away first, and then nothing depends on it. */
export function collectGarbage({ store, clock }: Pick<Ground, 'store' | 'clock'>, { type, object }: Change): void {
  const uid = object.metadata.uid
  if (type !== 'DELETED' || uid === undefined) return
  for (const { apiVersion, kind } of store.kinds()) {
    for (const dependent of store.peekAll(storedAs(apiVersion, kind), namespaceOf(object))) {
      const owners = dependent.metadata.ownerReferences ?? []
      if (!owners.some((owner) => owner.uid === uid)) continue
      const left = owners.filter((owner) => owner.uid !== uid)
      if (left.length > 0) store.update({ ...dependent, metadata: { ...dependent.metadata, ownerReferences: left } })
      else if (kind === 'Pod') stopPods(store, uid, namespaceOf(object), stamp(clock.now()))
      else store.remove(storedAs(apiVersion, kind), namespaceOf(dependent), dependent.metadata.name)
    }
  }
}

const stopPods = (store: Store, uid: string, namespace: string, now: string): void => {
  for (const pod of list(store, 'Pod', namespace)) if (pod.metadata.ownerReferences?.some((owner) => owner.uid === uid)) stopPod(store, pod, now)
}
