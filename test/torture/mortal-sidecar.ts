// The sidecar as a process of its own over one history file: started, killed without warning, started again.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Database } from '../../src/libsql/database.ts'
import { type Ends, type Started, start } from '../child-processes.ts'
import { temporaryFolder } from '../temporary.ts'
import { PROGRAM, type TornCluster } from './torn-cluster.ts'

export interface MortalSidecar {
  readonly store: string
  /** Resolves when it takes alerts. */
  readonly start: () => Promise<void>
  /** From its next life on it also asks Alertmanager what fires. */
  readonly pulls: () => void
  /** kill -9. From then on nobody listens. */
  readonly kill: () => Promise<void>
  /** Stops its clock without ending it, as a machine that hangs. */
  readonly freeze: () => void
  /** Only while it runs: whoever opens a file that nobody else has open would repair it in the sidecar's place. */
  readonly history: () => readonly CaseRow[]
  readonly intake: () => readonly { readonly fingerprint: string; readonly taken: boolean; readonly case: string | undefined }[]
  /** What it wrote in all its lives. */
  readonly output: () => string
}
export interface CaseRow {
  readonly id: string
  readonly alert: string
  readonly owner: string
  readonly open: boolean
  readonly outcome: string | undefined
  readonly reason: string | undefined
  readonly because: string | undefined
}

export function mortalSidecar(cluster: TornCluster, ends: Ends): MortalSidecar {
  const folder = temporaryFolder(ends)
  const [store, config] = [join(folder, 'history.db'), join(folder, 'alerts-slm.yaml')]
  writeFileSync(config, cluster.configuration(store))
  const lives: Started[] = []
  const query = (sql: string) => {
    const database = new Database(store)
    try {
      return database.all(sql)
    } finally {
      database.close()
    }
  }
  return {
    store,
    async start() {
      const life = start(process.execPath, [PROGRAM, 'sidecar', '--config', config], { ends })
      lives.push(life)
      const [, url] = await life.says(/"webhook":"([^"]+)".*ready to take alerts/)
      cluster.webhook = url
    },
    pulls: () => writeFileSync(config, cluster.configuration(store, true)),
    async kill() {
      cluster.webhook = undefined
      await lives.at(-1)?.end('SIGKILL')
    },
    freeze: () => void process.kill(lives.at(-1)?.pid ?? 0, 'SIGSTOP'),
    history: () =>
      query('SELECT id, alert_name, owner, closed_at, outcome, reason, because FROM cases ORDER BY id').map((row) => ({
        id: String(row['id']),
        alert: String(row['alert_name']),
        owner: text(row['owner']) ?? '',
        open: row['closed_at'] === null,
        outcome: text(row['outcome']),
        reason: text(row['reason']),
        because: text(row['because']),
      })),
    intake: () =>
      query('SELECT fingerprint, taken, case_id FROM intake ORDER BY id').map((row) => ({
        fingerprint: String(row['fingerprint']),
        taken: row['taken'] === 1,
        case: text(row['case_id']),
      })),
    output: () => lives.map((life, i) => `--- life ${i + 1}\n${life.output()}`).join('\n'),
  }
}
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
