// The history file beside which a command runs, if there is one: on a desk there is none, and that is not the same as an empty one.
import { existsSync } from 'node:fs'
import { Fault } from '../domain/fault.ts'
import type { AlertCounts, Attempts } from '../domain/history.ts'
import type { Ports } from '../domain/ports.ts'
import type { LedgerEntry } from '../kube/ledger-entry.ts'
import { mergeAttempts } from '../rooms/gate/attempts.ts'

export interface Past {
  readonly attempts: Attempts
  readonly counts: AlertCounts
}

/** Reads what is there, and makes no file where there is none; then `ledger` is all there is. It may throw its Fault. */
export async function withPast<T>(path: string, ports: Ports, ledger: () => readonly LedgerEntry[], work: (past: Past) => Promise<T>): Promise<T> {
  if (!existsSync(path)) return work({ attempts: ledgerOnly(ledger), counts: { episodes: () => missing(path) } })
  const { Database } = await import('../libsql/database.ts')
  const { openHistory } = await import('../rooms/record/record.ts')
  const database = new Database(path)
  try {
    return await work(openHistory(database, ports))
  } finally {
    database.close()
  }
}

/** Becomes an unknown fact with this sentence. */
function missing(path: string): never {
  throw new Fault('STORE_UNAVAILABLE', `there is no history file ${path} here; name it in store.path`)
}

/** The ledger in the cluster remembers the latest attempts, whoever asks. */
function ledgerOnly(ledger: () => readonly LedgerEntry[]): Attempts {
  const all = (sinceMs: number) => mergeAttempts([], ledger(), ({ at }) => at >= sinceMs)
  return {
    forOwner: (owner, sinceMs) => all(sinceMs).filter((attempt) => attempt.owner === owner),
    forRule: (rule, sinceMs) => all(sinceMs).filter((attempt) => attempt.rule === rule),
    inNamespace: all,
  }
}
