// What was tried before on this workload, and how often its alerts come back.
import * as z from 'zod'
import { alertName } from '../domain/alert.ts'
import { parseDuration } from '../domain/duration.ts'
import type { Attempt } from '../domain/history.ts'
import type { Outcome } from '../domain/outcome.ts'
import { ownerKey } from '../domain/target.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { ofTarget } from './owned.ts'
import { secondsBetween } from './plain.ts'
import { count, seconds, text, WINDOW } from './shape.ts'

const INEFFECTIVE: readonly Outcome[] = ['unproven', 'undone', 'failed']

/** From the newest back to the last that fixed it; one that is still being verified says nothing yet. */
function ineffectiveInARow(newestFirst: readonly Attempt[]): number {
  const judged = newestFirst.filter((attempt) => attempt.outcome !== undefined)
  const end = judged.findIndex((attempt) => attempt.outcome !== undefined && !INEFFECTIVE.includes(attempt.outcome))
  return end < 0 ? judged.length : end
}

export const history: Fact = defineFact({
  name: 'history',
  group: 'history',
  summary: 'earlier attempts on the top owner, of one action or of all',
  schema: z.object({
    attempts: count('attempts in the window'),
    ineffectiveInARow: count('latest attempts that did not help, back to the last that did'),
    lastAttemptSecondsAgo: seconds('since the latest attempt').nullable(),
    lastOutcome: text('how the latest attempt ended: fixed, unproven, undone, failed; null without one or while it is verified').nullable(),
  }),
  params: z.strictObject({ action: z.string().min(1).describe('an action; without it all count').exactOptional(), window: WINDOW.default('24h') }),
  cost: 0,
  ofCluster: false,
  read: (from, { action, window }) =>
    ofTarget(from, ({ owner }) => {
      const since = from.now - (parseDuration(window) ?? 0)
      const found = from.attempts.forOwner(ownerKey(owner), since).filter((attempt) => action === undefined || attempt.action === action)
      const [latest] = found
      return {
        attempts: found.length,
        ineffectiveInARow: ineffectiveInARow(found),
        lastAttemptSecondsAgo: latest ? secondsBetween(latest.at, from.now) : null,
        lastOutcome: latest?.outcome ?? null,
      }
    }),
})

export const alertsInWindow: Fact = defineFact({
  name: 'alertsInWindow',
  group: 'history',
  summary: 'episodes of this alert name on the top owner that began in the window, the present one included',
  schema: count('episodes'),
  params: z.strictObject({ window: WINDOW.default('1h') }),
  cost: 0,
  ofCluster: false,
  read: (from, { window }) => ofTarget(from, ({ owner }) => from.counts.episodes(alertName(from.alerts[0]), ownerKey(owner), from.now - (parseDuration(window) ?? 0))),
})
