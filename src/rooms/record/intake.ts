// The door's side of the history: alerts are committed before anybody is told 2xx. All requests that arrive in one turn share one
// commit, hence one sync of the disk; each request is a savepoint of its own, so a row that cannot be stored fails only its request.
import type { Alert } from '../../domain/alert.ts'
import type { CaseId } from '../../domain/case-file.ts'
import { Fault } from '../../domain/fault.ts'
import type { Ports } from '../../domain/ports.ts'
import type { Database } from '../../libsql/database.ts'
import { readAlert } from './rows.ts'

export interface Delivered {
  readonly id: number
  readonly receivedAt: number
  readonly source: string
  readonly alert: Alert
}

interface Waiting {
  readonly alerts: readonly Alert[]
  readonly source: string
  readonly resolve: () => void
  readonly reject: (fault: unknown) => void
}

export interface Intake {
  /** Resolves once the alerts are on the disk. Rejects with STORE_FULL or STORE_UNAVAILABLE, and then none of them is kept. */
  accept(alerts: readonly Alert[], from: { readonly source: string }): Promise<void>
  /** Delivered and not yet screened, oldest first. */
  next(limit: number): readonly Delivered[]
  taken(id: number, by: CaseId | undefined): void
  readonly waiting: number
  /** Counts what waits anew, after a take-up was rolled back. */
  recount(): void
  /** Forgets deliveries that were taken before this time, a bounded number at a time; says how many. */
  forget(before: number): number
}

/** `capacity`: rows that may wait to be screened; beyond it the door answers 503 and Alertmanager sends again. */
export function makeIntake(database: Database, ports: Pick<Ports, 'clock' | 'timers'>, options: { readonly capacity: number; readonly onCommitted: () => void }): Intake {
  let waiting: Waiting[] = []
  let queued = Number(database.get('SELECT count(*) AS n FROM intake WHERE taken = 0')?.['n'] ?? 0)

  const store = (request: Waiting, at: number): void => {
    if (queued + request.alerts.length > options.capacity)
      throw new Fault('STORE_FULL', `${queued} alerts wait to be judged, the limit is ${options.capacity}`, { retryAfterMs: 5_000 })
    database.transaction(() => {
      for (const alert of request.alerts)
        database.run('INSERT INTO intake (received_at, source, fingerprint, alert) VALUES (?, ?, ?, ?)', at, request.source, alert.fingerprint, JSON.stringify(alert))
    })
    queued += request.alerts.length
  }

  const flush = () => {
    const requests = waiting
    waiting = []
    const before = queued
    const settles = together(requests) ?? requests.flatMap((request) => together([request]) ?? [])
    for (const settle of settles) settle()
    if (queued > before) options.onCommitted()
  }
  /** One commit for all; undefined when the store gave up the whole of it, and then each is tried by itself. */
  const together = (requests: readonly Waiting[]): (() => void)[] | undefined => {
    const before = queued
    try {
      return database.transaction(() => requests.map((request) => attempt(request)))
    } catch (error) {
      queued = before
      return requests.length === 1 ? requests.map((request) => () => request.reject(error)) : undefined
    }
  }
  const attempt = (request: Waiting): (() => void) => {
    try {
      store(request, ports.clock.now())
      return request.resolve
    } catch (error) {
      return () => request.reject(error)
    }
  }

  return {
    accept: (alerts, { source }) =>
      new Promise((resolve, reject) => {
        if (alerts.length === 0) return resolve()
        waiting.push({ alerts, source, resolve, reject })
        if (waiting.length === 1) ports.timers.soon(flush)
      }),
    next: (limit) =>
      database.all('SELECT id, received_at, source, alert FROM intake WHERE taken = 0 ORDER BY id LIMIT ?', limit).map((row) => ({
        id: Number(row['id']),
        receivedAt: Number(row['received_at']),
        source: String(row['source']),
        alert: readAlert(row['alert']),
      })),
    taken(id, by) {
      queued -= database.run('UPDATE intake SET taken = 1, case_id = ? WHERE id = ? AND taken = 0', by, id)
    },
    get waiting() {
      return queued
    },
    recount() {
      queued = Number(database.get('SELECT count(*) AS n FROM intake WHERE taken = 0')?.['n'] ?? 0)
    },
    forget: (before) => database.run('DELETE FROM intake WHERE id IN (SELECT id FROM intake WHERE taken = 1 AND received_at < ? LIMIT 2000)', before),
  }
}
