// What scaling means for any kind with replicas: how far, the patch there and back, and what the new pods would request.
import * as z from 'zod'
import { NO_BLAST, type Step } from '../domain/plan.ts'
import { describeRef, type ObjectRef } from '../domain/target.ts'
import type { Look, Proposal, Refusal } from './define-action.ts'
import { readHealth } from './health.ts'
import { podRequests, replicasOf, templated } from './pod-template.ts'

/** Never to nothing: that is an outage that somebody ordered. */
const FEWEST = 1

export const scaleParams = z
  .strictObject({
    replicas: z.int().min(FEWEST).max(10_000).exactOptional().describe('Replica count to set'),
    by: z.int().min(-1_000).max(1_000).exactOptional().describe('How many replicas more, or fewer when negative'),
    factor: z.number().min(0.1).max(10).exactOptional().describe('What to multiply the present count by; rounded away from it'),
    max: z.int().min(FEWEST).max(10_000).exactOptional().describe('Never more replicas than this'),
  })
  .refine(({ replicas, by, factor }) => [replicas, by, factor].filter((one) => one !== undefined).length === 1, 'give exactly one of replicas, by and factor')
type ScaleParams = z.output<typeof scaleParams>

/** The absolute count that is meant: a plan never says `one more`, which would be two more when it is sent twice. */
export function wantedReplicas(from: number, { replicas, by, factor, max }: ScaleParams): number {
  const scaled = factor === undefined ? from : factor >= 1 ? Math.ceil(from * factor) : Math.floor(from * factor)
  const wanted = Math.max(FEWEST, replicas ?? (by === undefined ? scaled : from + by))
  // A cap below the present count is no order to shrink.
  return max === undefined || wanted <= max ? wanted : Math.max(Math.min(from, wanted), max)
}

export async function planScale(object: ObjectRef, params: ScaleParams, { read, now }: Look): Promise<Proposal | Refusal> {
  const workload = await templated(read, object)
  if (!workload) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} does not exist any more` }
  const from = replicasOf(workload)
  if (from === 0) return { code: 'PLAN_REFUSED', refused: `${describeRef(object)} is scaled to nothing: somebody wanted it so` }
  const to = wantedReplicas(from, params)
  if (to === from) return { code: 'NOTHING_TO_CHANGE', refused: `${describeRef(object)} has ${from} replicas already` }
  const spec = workload.spec?.template.spec
  const more = Math.max(0, to - from)
  return {
    summary: `scale ${describeRef(object)} from ${from} to ${to} replicas`,
    object,
    steps: [scaleStep(object, from, to, `${to} replicas instead of ${from}`)],
    undo: [scaleStep(object, to, from, `back to the ${from} replicas before`)],
    blast: {
      ...NO_BLAST,
      podsLost: Math.max(0, from - to),
      replicas: { from, to },
      moreMemoryBytes: more * podRequests(spec, 'memory'),
      moreCpuCores: more * podRequests(spec, 'cpu'),
    },
    before: await readHealth(read, object, now),
  }
}

const scaleStep = (object: ObjectRef, from: number, to: number, why: string): Step => ({
  kind: 'patch',
  object,
  subresource: 'scale',
  ops: [
    { op: 'test', path: '/spec/replicas', value: from },
    { op: 'replace', path: '/spec/replicas', value: to },
  ],
  why,
})
