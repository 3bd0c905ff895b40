// Facts of the namespace's ResourceQuotas: what is used up, what is nearly so, and what is left of one resource.
import * as z from 'zod'
import { parseQuantity } from '../domain/quantity.ts'
import { isUnknown, type Unknown, unknown } from '../domain/unknown.ts'
import type { Reader } from '../kube/wire.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { QUOTAS } from './needs.ts'
import { each, isRecord, lookup } from './plain.ts'
import { count, share, words } from './shape.ts'

interface Line {
  readonly resource: string
  readonly hard: number
  readonly used: number
}

const NEARLY = 0.9

/** One line for each resource of each quota; a quantity that cannot be read makes all of it unknown. */
async function lines(read: Reader): Promise<readonly Line[] | Unknown> {
  const found: Line[] = []
  for (const quota of await read.list('ResourceQuota')) {
    const hard = quota.status?.hard ?? quota.spec?.hard
    for (const resource of isRecord(hard) ? Object.keys(hard) : []) {
      const [allowed, used] = [parseQuantity(lookup(hard, resource)), parseQuantity(lookup(quota.status?.used, resource) ?? '0')]
      if (allowed === undefined || used === undefined) return unknown(`quota ${quota.metadata?.name ?? ''} says ${resource} in a way that cannot be read`)
      found.push({ resource, hard: allowed, used })
    }
  }
  return found
}

const freeShare = ({ hard, used }: Line): number => (hard > 0 ? Math.max(0, (hard - used) / hard) : 0)
const names = (of: readonly Line[]): string[] => [...new Set(of.map((line) => line.resource))].sort()

export const quota: Fact = defineFact({
  name: 'quota',
  group: 'quota',
  summary: 'how far the quotas of the namespace are used; null when there is none',
  schema: z
    .object({
      quotas: count('quotas of the namespace'),
      exhausted: words('resources of which nothing is left, such as requests.memory or pods'),
      nearly: words('resources of which less than a tenth is left, the exhausted ones included'),
      exceeded: words('resources of which more is used than allowed'),
      lowestFreeShare: share('what is left of the scarcest resource'),
    })
    .nullable(),
  cost: 1,
  needs: [QUOTAS],
  read: async (from) => {
    const found = await lines(from.read)
    if (isUnknown(found)) return found
    if (found.length === 0) return null
    return {
      quotas: each(await from.read.list('ResourceQuota')).length,
      exhausted: names(found.filter((line) => line.used >= line.hard)),
      nearly: names(found.filter((line) => freeShare(line) < 1 - NEARLY)),
      exceeded: names(found.filter((line) => line.used > line.hard)),
      lowestFreeShare: Math.min(...found.map(freeShare)),
    }
  },
})

export const quotaOf: Fact = defineFact({
  name: 'quotaOf',
  group: 'quota',
  summary: 'one resource of the quotas, such as limits.memory, where it is scarcest; null when no quota names it',
  schema: z
    .object({
      hard: z.number().nonnegative().describe('allowed, in its base unit (bytes, cores, count)'),
      used: z.number().nonnegative().describe('used, in its base unit'),
      free: z.number().nonnegative().describe('left, in its base unit'),
      freeShare: share('left of what is allowed'),
    })
    .nullable(),
  params: z.strictObject({ resource: z.string().min(1).describe('as in spec.hard, such as requests.cpu or pods') }),
  cost: 1,
  needs: [QUOTAS],
  read: async (from, { resource }) => {
    const found = await lines(from.read)
    if (isUnknown(found)) return found
    const [scarcest] = found.filter((line) => line.resource === resource).sort((a, b) => freeShare(a) - freeShare(b))
    if (!scarcest) return null
    return { hard: Math.max(0, scarcest.hard), used: Math.max(0, scarcest.used), free: Math.max(0, scarcest.hard - scarcest.used), freeShare: freeShare(scarcest) }
  },
})
