// Facts of the object that the alert is about and of the one that a repair would change.
import * as z from 'zod'
import type { Unknown } from '../domain/unknown.ts'
import { unknown } from '../domain/unknown.ts'
import type { AnyObject } from '../kube/wire.ts'
import { defineFact, type Fact, type FactSources } from './define-fact.ts'
import { ANY_TARGET } from './needs.ts'
import { ofTarget } from './owned.ts'
import { lookup } from './plain.ts'
import { text } from './shape.ts'

export const target: Fact = defineFact({
  name: 'target',
  group: 'target',
  summary: 'what the labels name, and its top owner',
  schema: z.object({
    kind: text('kind of the object that the labels name'),
    name: text('its name'),
    ownerKind: text('kind of its top owner; the same object when nobody owns it'),
    ownerName: text('name of its top owner'),
    container: text('the container that the labels name').nullable(),
  }),
  cost: 0,
  ofCluster: false,
  read: (from) =>
    ofTarget(from, ({ object, owner, container }) => ({ kind: object.kind, name: object.name, ownerKind: owner.kind, ownerName: owner.name, container: container ?? null })),
})

const OF = z.strictObject({
  name: z.string().min(1).describe('full key, such as app.kubernetes.io/name'),
  of: z.enum(['owner', 'object']).default('owner').describe('whose: the top owner, or the object that the labels name'),
})

async function metadata(from: FactSources, of: 'owner' | 'object'): Promise<NonNullable<AnyObject['metadata']> | Unknown> {
  return ofTarget(from, async (named) => {
    const found = await from.read.object(named[of])
    return found ? (found.metadata ?? {}) : unknown(`${named[of].kind} ${named[of].name} is gone`)
  })
}

export const targetLabel: Fact = defineFact({
  name: 'targetLabel',
  group: 'target',
  summary: 'one label of the target object; null when it has none of that name',
  schema: z.string().nullable().describe('value of the label'),
  params: OF,
  cost: 1,
  needs: ANY_TARGET,
  read: async (from, { name, of }) => {
    const found = await metadata(from, of)
    return 'unknown' in found ? found : (lookup(found.labels, name) ?? null)
  },
})

export const targetAnnotation: Fact = defineFact({
  name: 'targetAnnotation',
  group: 'target',
  summary: 'one annotation of the target object; null when it has none of that name',
  schema: z.string().nullable().describe('value of the annotation'),
  params: OF,
  cost: 1,
  needs: ANY_TARGET,
  read: async (from, { name, of }) => {
    const found = await metadata(from, of)
    return 'unknown' in found ? found : (lookup(found.annotations, name) ?? null)
  },
})
