// Facts of the claim that the alert names. How full it is only Prometheus knows: that is unknown here, never zero.
import * as z from 'zod'
import { parseQuantity } from '../domain/quantity.ts'
import { unknown } from '../domain/unknown.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { CLAIMS } from './needs.ts'
import { ofTarget } from './owned.ts'
import { each, str } from './plain.ts'
import { bytes, knowable, share, text, words, yes } from './shape.ts'

const amount = (quantity: string | undefined) => (quantity === undefined ? null : (parseQuantity(quantity) ?? unknown('the size of the claim cannot be read')))

export const volume: Fact = defineFact({
  name: 'volume',
  group: 'volume',
  summary: 'the PersistentVolumeClaim that the alert names; null when it names something else',
  schema: z
    .object({
      phase: text('Pending, Bound or Lost'),
      capacityBytes: knowable(bytes('size that it has')).nullable(),
      requestedBytes: knowable(bytes('size that is asked for')).nullable(),
      growing: yes('more is asked for than it has: an expansion is on its way'),
      conditions: words('conditions that are True: Resizing, FileSystemResizePending, ControllerResizeError, NodeResizeError, …'),
      storageClass: text('storage class').nullable(),
      usedShare: knowable(share('filled part')),
    })
    .nullable(),
  cost: 1,
  needs: [CLAIMS],
  read: (from) =>
    ofTarget(from, async (target) => {
      if (target.object.kind !== 'PersistentVolumeClaim') return null
      const claim = await from.read.get('PersistentVolumeClaim', target.object.name)
      if (!claim) return unknown(`PersistentVolumeClaim ${target.object.name} is gone`)
      const [capacity, requested] = [amount(claim.status?.capacity?.['storage']), amount(claim.spec?.resources?.requests?.['storage'])]
      return {
        phase: str(claim.status?.phase) ?? 'Pending',
        capacityBytes: capacity,
        requestedBytes: requested,
        growing: typeof capacity === 'number' && typeof requested === 'number' && requested > capacity,
        conditions: each(claim.status?.conditions)
          .filter((condition) => condition.status === 'True')
          .map((condition) => String(condition.type)),
        storageClass: str(claim.spec?.storageClassName) ?? null,
        usedShare: unknown('how full a volume is, the API server does not tell'),
      }
    }),
})
