// Gate 12: how many changes a workload, a rule and the namespace may see within the window.
import { formatDuration } from '../../domain/duration.ts'
import type { Attempt } from '../../domain/history.ts'
import type { GateCode } from './codes.ts'
import { byPast } from './past.ts'
import { type Gate, hold, PASS, refuse, type Stop } from './verdict.ts'

interface Purse {
  readonly code: GateCode
  readonly whose: string
  readonly attempts: readonly Attempt[]
  readonly limit: number
}

export const budget: Gate = {
  name: 'budget',
  judge: (file, seen, now) =>
    byPast(file, seen, now, ({ owner, rule, namespace }) => {
      const { perTarget, perRule, perNamespace, windowMs } = seen.policy.budget
      const { target, decision } = file
      const purses: readonly Purse[] = [
        { code: 'BUDGET_TARGET', whose: `${target.owner.kind} ${target.owner.name}`, attempts: owner, limit: perTarget },
        ...(decision.rule === undefined ? [] : [{ code: 'BUDGET_RULE', whose: `rule ${decision.rule}`, attempts: rule, limit: perRule } as const]),
        { code: 'BUDGET_NAMESPACE', whose: `namespace ${seen.namespace}`, attempts: namespace, limit: perNamespace },
      ]
      return purses.map((purse) => spent(purse, file.id, now, windowMs)).find((stop) => stop !== undefined) ?? PASS
    }),
}

function spent({ code, whose, attempts, limit }: Purse, own: string, now: number, windowMs: number): Stop | undefined {
  const within = attempts.filter(({ at, caseId }) => caseId !== own && at > now - windowMs).toSorted((a, b) => b.at - a.at)
  if (within.length < limit) return undefined
  // Room for one more comes when the limit-th newest leaves the window.
  const frees = within[limit - 1]
  const why = `${whose} has seen ${within.length} changes within ${formatDuration(windowMs)}, and ${limit} are allowed`
  return frees ? hold(code, why, 'wait, or raise actions.budget', frees.at + windowMs) : refuse(code, why, 'raise actions.budget')
}
