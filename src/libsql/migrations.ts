// Numbered steps that bring a file to the present schema; PRAGMA user_version says how far it is.
import { Fault } from '../domain/fault.ts'
import type { Database } from './database.ts'

/** Runs what is missing, each step in a transaction of its own. A file from a newer program is refused, not guessed at. */
export function migrate(database: Database, steps: readonly string[]): void {
  const at = Number(database.get('PRAGMA user_version')?.['user_version'] ?? 0)
  if (at > steps.length) throw new Fault('STORE_UNAVAILABLE', `the history file has schema ${at}, this program knows up to ${steps.length}: start the newer program`)
  for (const [index, sql] of steps.entries()) {
    if (index < at) continue
    database.transaction(() => {
      database.exec(sql)
      database.exec(`PRAGMA user_version = ${index + 1}`)
    })
  }
}
