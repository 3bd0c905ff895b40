// Earlier attempts out of `history.json`: what a folder knows of the past.
import * as z from 'zod'
import type { AlertCounts, Attempt, Attempts } from '../domain/history.ts'
import { ownerKey } from '../domain/target.ts'

const REF = z.object({ kind: z.string(), namespace: z.string(), name: z.string() })
const AT = z.union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))])
export const PAST = z.array(
  z.object({
    at: AT,
    alert: z.string(),
    /** `Deployment/shop/web`, also with a blank, or an object reference: the top owner. */
    target: z.union([z.string().transform((text) => text.replace(' ', '/')), REF.transform((ref) => ownerKey({ ...ref, apiVersion: '', uid: '' }))]),
    action: z.string(),
    outcome: z.enum(['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed']).nullish(),
    rule: z.string().nullish(),
  }),
)

export interface Past {
  readonly attempts: Attempts
  readonly counts: AlertCounts
}

export function pastOf(entries: z.output<typeof PAST>): Past {
  const all = entries
    .map(
      (entry, at): Attempt => ({
        at: entry.at,
        caseId: `history-${at}`,
        alert: entry.alert,
        owner: entry.target,
        rule: entry.rule ?? undefined,
        action: entry.action,
        direction: undefined,
        outcome: entry.outcome ?? undefined,
      }),
    )
    .sort((a, b) => b.at - a.at)
  const since = (sinceMs: number, fits: (attempt: Attempt) => boolean) => all.filter((attempt) => attempt.at >= sinceMs && fits(attempt))
  return {
    attempts: {
      forOwner: (owner, sinceMs) => since(sinceMs, (attempt) => attempt.owner === owner),
      forRule: (rule, sinceMs) => since(sinceMs, (attempt) => attempt.rule === rule),
      inNamespace: (sinceMs) => since(sinceMs, () => true),
    },
    counts: { episodes: (alert, owner, sinceMs) => 1 + since(sinceMs, (attempt) => attempt.owner === owner && attempt.alert === alert).length },
  }
}
