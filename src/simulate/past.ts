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
    /** The top owner, as people write it: `Deployment/shop/web`, `Deployment web`, `web`, or an object reference. */
    target: z.union([z.string(), REF.transform((ref) => ownerKey({ ...ref, apiVersion: '', uid: '' }))]),
    action: z.string(),
    outcome: z.enum(['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed']).nullish(),
    rule: z.string().nullish(),
    direction: z.enum(['up', 'down']).nullish(),
  }),
)

/** Every word that is written must fit; what is left out fits everything. */
function isOwner(written: string, owner: string): boolean {
  const [kind = '', namespace, name] = owner.split('/')
  const words = written.split(/[\s/]+/)
  return words.at(-1) === name && words.slice(0, -1).every((word) => word === namespace || word.toLowerCase() === kind.toLowerCase())
}

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
        direction: entry.direction ?? undefined,
        outcome: entry.outcome ?? undefined,
      }),
    )
    .sort((a, b) => b.at - a.at)
  const since = (sinceMs: number, fits: (attempt: Attempt) => boolean) => all.filter((attempt) => attempt.at >= sinceMs && fits(attempt))
  return {
    attempts: {
      forOwner: (owner, sinceMs) => since(sinceMs, (attempt) => isOwner(attempt.owner, owner)),
      forRule: (rule, sinceMs) => since(sinceMs, (attempt) => attempt.rule === rule),
      inNamespace: (sinceMs) => since(sinceMs, () => true),
    },
    counts: { episodes: (alert, owner, sinceMs) => 1 + since(sinceMs, (attempt) => isOwner(attempt.owner, owner) && attempt.alert === alert).length },
  }
}
