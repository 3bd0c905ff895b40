// How many of the workload's pods its PodDisruptionBudgets allow to lose now.
import * as z from 'zod'
import { isUnknown } from '../domain/unknown.ts'
import type { Kinds } from '../kube/wire.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { BUDGETS, OWN_PODS } from './needs.ts'
import { chosenPod, ofTarget, selects, workload } from './owned.ts'
import { tally } from './plain.ts'
import { count, text } from './shape.ts'

type Budget = Kinds['PodDisruptionBudget']

const written = (value: unknown): string | null => (typeof value === 'number' || typeof value === 'string' ? String(value) : null)
const tightest = (budgets: readonly Budget[]): Budget | undefined => [...budgets].sort((a, b) => tally(a.status?.disruptionsAllowed) - tally(b.status?.disruptionsAllowed))[0]

export const disruption: Fact = defineFact({
  name: 'disruption',
  group: 'disruption',
  summary: 'the tightest PodDisruptionBudget over the pods of the workload; null when there is none',
  schema: z
    .object({
      budgets: count('budgets that select the pods (with more than one every eviction fails)'),
      disruptionsAllowed: count('pods that may be evicted now'),
      currentHealthy: count('healthy pods it counts'),
      desiredHealthy: count('healthy pods it wants'),
      minAvailable: text('as written: a count or a percentage').nullable(),
      maxUnavailable: text('as written: a count or a percentage').nullable(),
    })
    .nullable(),
  cost: 2,
  needs: [...OWN_PODS, BUDGETS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const owner = await workload(from.read, target)
      if (isUnknown(owner)) return owner
      const pod = owner ? null : await chosenPod(from, target)
      if (isUnknown(pod)) return pod
      const labels = owner ? owner.spec?.template?.metadata?.labels : pod?.metadata?.labels
      if (!owner && !pod) return null
      const budgets = (await from.read.list('PodDisruptionBudget')).filter((budget) => selects(budget.spec?.selector, labels))
      const budget = tightest(budgets)
      if (!budget) return null
      return {
        budgets: budgets.length,
        disruptionsAllowed: tally(budget.status?.disruptionsAllowed),
        currentHealthy: tally(budget.status?.currentHealthy),
        desiredHealthy: tally(budget.status?.desiredHealthy),
        minAvailable: written(budget.spec?.minAvailable),
        maxUnavailable: written(budget.spec?.maxUnavailable),
      }
    }),
})
