// One list of attempts out of two memories: our own history, and the ledger that outlives its loss.
import type { Attempt } from '../../domain/history.ts'
import type { LedgerEntry } from '../../kube/ledger-entry.ts'

const attemptOf = (entry: LedgerEntry): Attempt => ({
  at: entry.at,
  caseId: entry.caseId,
  alert: entry.alert,
  owner: entry.owner,
  rule: entry.rule,
  action: entry.action,
  direction: entry.direction,
  outcome: entry.outcome,
})

/** By case: what history knows, with the outcome from the ledger where history has none, and what only the ledger still knows. Newest first. */
export function mergeAttempts(local: readonly Attempt[], entries: readonly LedgerEntry[], fits: (attempt: Attempt) => boolean): readonly Attempt[] {
  const inLedger = new Map(entries.map((entry) => [entry.caseId, attemptOf(entry)]))
  const known = new Set(local.map(({ caseId }) => caseId))
  const completed = local.map((attempt) => ({ ...attempt, outcome: attempt.outcome ?? inLedger.get(attempt.caseId)?.outcome }))
  // A cancelled entry was taken back before anything was written: it is no attempt.
  const only = [...inLedger.values()].filter((attempt) => attempt.outcome !== 'cancelled' && !known.has(attempt.caseId) && fits(attempt))
  return [...completed, ...only].toSorted((a, b) => b.at - a.at)
}
