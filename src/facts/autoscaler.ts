// Facts of the HorizontalPodAutoscaler that sets the workload's replicas: whoever scales by hand would fight it.
import * as z from 'zod'
import type { Target } from '../domain/target.ts'
import { unknown } from '../domain/unknown.ts'
import type { Kinds, Reader } from '../kube/wire.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { AUTOSCALERS } from './needs.ts'
import { ofTarget, workloadRef } from './owned.ts'
import { each, num, str, tally } from './plain.ts'
import { count, text, yes } from './shape.ts'

type Hpa = Kinds['HorizontalPodAutoscaler']

const AUTOSCALER = z
  .object({
    name: text('name'),
    minReplicas: count('fewest replicas'),
    maxReplicas: count('most replicas'),
    currentReplicas: count('replicas it last saw'),
    desiredReplicas: count('replicas it wants'),
    atMax: yes('it wants as many as it may'),
    scalingActive: yes('it can compute a wish: its metrics work'),
    scalingActiveReason: text('reason of ScalingActive').nullable(),
    ableToScale: yes('it can read and set the scale'),
    scalingLimited: yes('its wish is cut by min or max'),
    scalingLimitedReason: text('TooManyReplicas, TooFewReplicas, …').nullable(),
    byKeda: yes('KEDA keeps this autoscaler'),
  })
  .nullable()

async function find(read: Reader, target: Target): Promise<Hpa | null | undefined> {
  if (target.object.kind === 'HorizontalPodAutoscaler') return read.get('HorizontalPodAutoscaler', target.object.name)
  const scaled = [target.owner, workloadRef(target)].filter((ref) => ref !== undefined)
  const all = await read.list('HorizontalPodAutoscaler')
  return all.find((hpa) => scaled.some((ref) => hpa.spec?.scaleTargetRef?.kind === ref.kind && hpa.spec.scaleTargetRef.name === ref.name)) ?? null
}

function describe(hpa: Hpa): NonNullable<z.output<typeof AUTOSCALER>> {
  const condition = (type: string) => each(hpa.status?.conditions).find((c) => c.type === type)
  const maxReplicas = tally(hpa.spec?.maxReplicas)
  const limited = condition('ScalingLimited')
  return {
    name: str(hpa.metadata?.name) ?? '',
    minReplicas: tally(num(hpa.spec?.minReplicas) ?? 1),
    maxReplicas,
    currentReplicas: tally(hpa.status?.currentReplicas),
    desiredReplicas: tally(hpa.status?.desiredReplicas),
    atMax: maxReplicas > 0 && tally(hpa.status?.desiredReplicas) >= maxReplicas,
    scalingActive: condition('ScalingActive')?.status === 'True',
    scalingActiveReason: str(condition('ScalingActive')?.reason) ?? null,
    ableToScale: condition('AbleToScale')?.status === 'True',
    scalingLimited: limited?.status === 'True',
    scalingLimitedReason: str(limited?.reason) ?? null,
    byKeda: each(hpa.metadata?.ownerReferences).some((ref) => ref.kind === 'ScaledObject'),
  }
}

export const autoscaler: Fact = defineFact({
  name: 'autoscaler',
  group: 'autoscaler',
  summary: 'the HorizontalPodAutoscaler of the workload, or the one that the alert names; null when there is none',
  schema: AUTOSCALER,
  cost: 2,
  needs: [AUTOSCALERS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const hpa = await find(from.read, target)
      if (hpa === undefined) return unknown(`HorizontalPodAutoscaler ${target.object.name} is gone`)
      return hpa && describe(hpa)
    }),
})
