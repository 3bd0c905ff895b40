// Binds PersistentVolumeClaims, and lets them grow when more is requested.
import { parseQuantity } from '../../domain/quantity.ts'
import { get, namespaceOf, setStatus } from './cluster.ts'
import type { Controller, Ground } from './ground.ts'

export const volumeClaimController = ({ store }: Ground): Controller => ({
  concerns: ({ object }) => (object.kind === 'PersistentVolumeClaim' ? [{ namespace: namespaceOf(object), name: object.metadata.name }] : []),
  sync({ namespace, name }) {
    const claim = get(store, 'PersistentVolumeClaim', namespace, name)
    const wanted = claim?.spec?.resources?.requests?.['storage']
    if (!claim || wanted === undefined) return undefined
    const has = claim.status?.capacity?.['storage']
    const capacity = (parseQuantity(has) ?? 0) >= (parseQuantity(wanted) ?? 0) ? has : wanted
    setStatus(store, claim, {
      accessModes: claim.spec?.accessModes ?? ['ReadWriteOnce'],
      ...claim.status,
      phase: 'Bound',
      capacity: { ...claim.status?.capacity, storage: capacity },
    })
    return undefined
  },
})
