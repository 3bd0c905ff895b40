// Room 10 of 10, the system of record: cases as append-only events, their present state, episodes, attempts and what people ordered.
import { monotonicFactory } from 'ulid'
import { type Alert, alertName } from '../../domain/alert.ts'
import { type Applied, type CaseId, type Closed, caseId, type Located, type Open, type Opened, type Parked, type Planned, withAlerts } from '../../domain/case-file.ts'
import type { AlertCounts, Attempts } from '../../domain/history.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { Clock, Random } from '../../domain/ports.ts'
import { ownerKey } from '../../domain/target.ts'
import type { Database, Value } from '../../libsql/database.ts'
import { migrate } from '../../libsql/migrations.ts'
import { type CaseEvent, type EventKind, readAlert, readAttempt, readCase, readEvent, readPage, type StoredCase } from './rows.ts'
import { SCHEMA } from './schema.ts'

/** The latest episode of a fingerprint, with what became of its case. */
export interface Episode {
  readonly fingerprint: string
  readonly startsAt: number
  readonly openedAt: number
  readonly lastSeenAt: number
  readonly resolvedAt: number | undefined
  readonly caseId: CaseId
  readonly caseOpen: boolean
  readonly outcome: Outcome | undefined
}

export interface Order {
  readonly id: string
  readonly caseId: CaseId
  readonly at: number
  readonly kind: 'approve' | 'reject' | 'undo'
  readonly by: string
  readonly planHash: string | undefined
}

export interface CaseFilter {
  readonly open?: boolean
  readonly outcome?: Outcome
  readonly alert?: string
  readonly limit?: number
}

const ownerOf = (page: Open): string | undefined => ('target' in page ? ownerKey(page.target.owner) : undefined)

export type History = ReturnType<typeof openHistory>

export function openHistory(database: Database, ports: { readonly clock: Clock; readonly random: Random }) {
  migrate(database, SCHEMA)
  const ulid = monotonicFactory(() => ports.random.next())
  const id = () => ulid(ports.clock.now())
  const event = (of: CaseId, kind: EventKind, body: unknown) =>
    database.run('INSERT INTO events (id, case_id, at, kind, body) VALUES (?, ?, ?, ?, ?)', id(), of, ports.clock.now(), kind, JSON.stringify(body ?? {}))

  /** The columns that a page tells. */
  const pageColumns = (page: Open): readonly Value[] => [
    JSON.stringify(page),
    ownerOf(page),
    'plan' in page ? page.plan.action : 'decision' in page ? page.decision.action : undefined,
    'decision' in page ? page.decision.rule : undefined,
    'decision' in page ? page.decision.by : undefined,
  ]
  const SET_PAGE = 'page = ?, owner = coalesce(?, owner), action = coalesce(?, action), rule = coalesce(?, rule), decided_by = coalesce(?, decided_by)'

  /** Where our clock is behind Prometheus's, an alert begins in our future: its repeats must not look like news. */
  const lastSight = (alert: Alert): number => Math.max(ports.clock.now(), alert.startsAt)
  const pageOf = (of: CaseId): Open | undefined => {
    const row = database.get('SELECT page FROM cases WHERE id = ?', of)
    return row && readPage(row['page'])
  }
  const attemptsWhere = (where: string, ...values: readonly Value[]) =>
    database
      .all(
        `SELECT id, alert_name, owner, rule, action, direction, outcome, intent_at FROM cases WHERE intent_at IS NOT NULL AND ${where} ORDER BY intent_at DESC LIMIT 200`,
        ...values,
      )
      .map(readAttempt)
  const attempts: Attempts = {
    forOwner: (owner, since) => attemptsWhere('owner = ? AND intent_at >= ?', owner, since),
    forRule: (rule, since) => attemptsWhere('rule = ? AND intent_at >= ?', rule, since),
    inNamespace: (since) => attemptsWhere('intent_at >= ?', since),
  }
  const counts: AlertCounts = {
    episodes: (alert, owner, since) => Number(database.get('SELECT count(*) AS n FROM beginnings WHERE alert_name = ? AND owner = ? AND at >= ?', alert, owner, since)?.['n'] ?? 0),
  }

  /** Intents of this life, so that whoever looked can tell whether another case has acted since. */
  let intents = 0
  return {
    attempts,
    counts,
    get intents(): number {
      return intents
    },
    newId: (): CaseId => caseId(id()),
    /** What is taken up, found, parked or closed waits for no disk: intake and intents do. */
    together: <T>(work: () => T): T => database.relaxed(work),

    episode(fingerprint: string): Episode | undefined {
      const row = database.get(
        'SELECT e.fingerprint, e.starts_at, e.opened_at, e.last_seen_at, e.resolved_at, e.case_id, c.closed_at, c.outcome, c.id FROM episodes e LEFT JOIN cases c ON c.id = e.case_id WHERE e.fingerprint = ?',
        fingerprint,
      )
      if (!row) return undefined
      const outcome = typeof row['outcome'] === 'string' ? readOutcome(row['outcome']) : undefined
      return {
        fingerprint,
        startsAt: Number(row['starts_at']),
        openedAt: Number(row['opened_at']),
        lastSeenAt: Number(row['last_seen_at']),
        resolvedAt: typeof row['resolved_at'] === 'number' ? row['resolved_at'] : undefined,
        caseId: caseId(String(row['case_id'])),
        caseOpen: row['id'] !== null && row['closed_at'] === null,
        outcome,
      }
    },
    /** A new episode, and the case that takes it. */
    open(file: Opened): void {
      const [first] = file.alerts
      database.run("INSERT INTO cases (id, opened_at, state, page, alert_name) VALUES (?, ?, 'walking', ?, ?)", file.id, file.openedAt, JSON.stringify(file), alertName(first))
      event(file.id, 'opened', { alert: first })
      for (const alert of file.alerts)
        database.run(
          `INSERT INTO episodes (fingerprint, alert_name, starts_at, opened_at, last_seen_at, case_id, alert) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (fingerprint) DO UPDATE SET starts_at = excluded.starts_at, opened_at = excluded.opened_at, last_seen_at = excluded.last_seen_at,
             resolved_at = NULL, deliveries = 1, case_id = excluded.case_id, alert = excluded.alert, owner = NULL`,
          alert.fingerprint,
          alertName(alert),
          alert.startsAt,
          ports.clock.now(),
          lastSight(alert),
          file.id,
          JSON.stringify(alert),
        )
    },
    repeat(fingerprint: string, alert: Alert): void {
      database.run(
        'UPDATE episodes SET last_seen_at = max(last_seen_at, ?), deliveries = deliveries + 1, starts_at = min(starts_at, ?) WHERE fingerprint = ?',
        lastSight(alert),
        alert.startsAt,
        fingerprint,
      )
    },
    resolve(fingerprint: string, at: number): void {
      database.run('UPDATE episodes SET resolved_at = ?, last_seen_at = ? WHERE fingerprint = ?', at, ports.clock.now(), fingerprint)
    },
    /** The owner became known: from now on the episode counts for it. */
    located(file: Located): void {
      const owner = ownerKey(file.target.owner)
      database.relaxed(() => {
        for (const alert of file.alerts) {
          if (database.run('UPDATE episodes SET owner = ? WHERE fingerprint = ? AND owner IS NULL', owner, alert.fingerprint) > 0)
            database.run('INSERT INTO beginnings (alert_name, owner, at) VALUES (?, ?, ?)', alertName(alert), owner, ports.clock.now())
        }
      })
    },
    /** `newcomer` found an open case of its target: its alerts belong to that one now, on its page too, so that a restart keeps them. */
    join(newcomer: Open, host: CaseId): void {
      database.relaxed(() => {
        const page = pageOf(host)
        if (page) database.run('UPDATE cases SET page = ? WHERE id = ?', JSON.stringify({ ...page, alerts: withAlerts(page.alerts, newcomer.alerts) }), host)
        for (const alert of newcomer.alerts) database.run('UPDATE episodes SET case_id = ? WHERE fingerprint = ? AND case_id = ?', host, alert.fingerprint, newcomer.id)
        database.run('UPDATE intake SET case_id = ? WHERE case_id = ?', host, newcomer.id)
        event(host, 'joined', { from: newcomer.id, alerts: newcomer.alerts })
      })
    },
    /** A case that joined another one was none; its events stay. */
    dissolve(newcomer: CaseId): void {
      database.relaxed(() => {
        database.run('DELETE FROM cases WHERE id = ?', newcomer)
      })
    },
    /** A page of an open case that must survive (alerts that joined it). */
    keep(page: Open): void {
      database.relaxed(() => {
        database.run(`UPDATE cases SET ${SET_PAGE} WHERE id = ?`, ...pageColumns(page), page.id)
      })
    },

    park(parked: Parked): void {
      const state = parked.page.at === 'applied' ? 'applied' : 'parked'
      database.relaxed(() => {
        database.run(
          `UPDATE cases SET ${SET_PAGE}, state = ?, waiting_for = ?, due_at = ?, because = ?, held_since = coalesce(held_since, ?) WHERE id = ? AND closed_at IS NULL`,
          ...pageColumns(parked.page),
          state,
          parked.waitingFor,
          parked.until,
          parked.because,
          state === 'parked' ? ports.clock.now() : undefined,
          parked.page.id,
        )
        // A check that only looks again is no event of the case: a ten minute wait would write hundreds.
        if (state === 'parked') event(parked.page.id, 'parked', { waitingFor: parked.waitingFor, until: parked.until, because: parked.because, answers: parked.answers })
      })
    },
    /** The intent: whoever restarts from here looks at the cluster before anything else. */
    intend(file: Planned, planHash: string, direction: 'up' | 'down' | undefined): void {
      intents++
      database.transaction(() => {
        database.run(
          `UPDATE cases SET ${SET_PAGE}, state = 'intended', waiting_for = NULL, due_at = NULL, held_since = NULL, intent_at = ?, plan_hash = ?, direction = ? WHERE id = ?`,
          ...pageColumns(file),
          ports.clock.now(),
          planHash,
          direction,
          file.id,
        )
        event(file.id, 'intended', { plan: file.plan, planHash })
      })
    },
    /** Nothing was written: the attempt does not count. */
    withdraw(file: Planned, because: string): void {
      database.relaxed(() => {
        database.run("UPDATE cases SET state = 'walking', intent_at = NULL, plan_hash = NULL, direction = NULL WHERE id = ?", file.id)
        event(file.id, 'withdrawn', { because })
      })
    },
    applied(file: Applied): void {
      database.relaxed(() => {
        database.run(
          `UPDATE cases SET ${SET_PAGE}, state = 'applied', waiting_for = 'verification', due_at = ?, held_since = NULL WHERE id = ?`,
          ...pageColumns(file),
          file.checkAt,
          file.id,
        )
        event(file.id, 'applied', { certain: file.certain, at: file.appliedAt })
      })
    },
    /** The intent of an undo: whoever restarts from here goes on undoing. */
    undo(file: Applied): void {
      database.transaction(() => {
        database.run(`UPDATE cases SET ${SET_PAGE} WHERE id = ?`, ...pageColumns(file), file.id)
        event(file.id, 'intended', { undo: file.plan.undo, ...file.undoing })
      })
    },
    close(closed: Closed): void {
      const { page, outcome, reason, because, answers, explanation } = closed
      database.relaxed(() => {
        database.run(
          `UPDATE cases SET ${SET_PAGE}, state = 'closed', waiting_for = NULL, due_at = NULL, closed_at = ?, outcome = ?, reason = ?, because = ? WHERE id = ?`,
          ...pageColumns(page),
          ports.clock.now(),
          outcome,
          reason,
          because,
          page.id,
        )
        event(page.id, 'closed', { outcome, reason, because, answers, explanation })
      })
    },
    /** A closed case that a person had undone: its outcome changes by a later event. */
    undone(of: CaseId, reason: string, because: string): void {
      database.relaxed(() => {
        database.run("UPDATE cases SET outcome = 'undone', reason = ?, because = ? WHERE id = ?", reason, because, of)
        event(of, 'undone', { reason, because })
      })
    },
    told(of: CaseId): void {
      database.relaxed(() => {
        database.run('UPDATE cases SET told_at = ? WHERE id = ?', ports.clock.now(), of)
      })
    },
    untold: (since: number): readonly StoredCase[] =>
      database.all('SELECT * FROM cases WHERE closed_at >= ? AND told_at IS NULL ORDER BY closed_at LIMIT 100', since).map(readCase),

    case(of: string): StoredCase | undefined {
      const row = database.get('SELECT * FROM cases WHERE id = ?', of)
      return row && readCase(row)
    },
    /** How often the alerts of a case were delivered, repeats and duplicates of peers included. */
    deliveriesOf: (of: CaseId): number => Number(database.get('SELECT count(*) AS n FROM intake WHERE case_id = ?', of)?.['n'] ?? 0),
    openCount: (): number => Number(database.get('SELECT count(*) AS n FROM cases WHERE closed_at IS NULL')?.['n'] ?? 0),
    openCases: (): readonly StoredCase[] => database.all('SELECT * FROM cases WHERE closed_at IS NULL ORDER BY id').map(readCase),
    cases(filter: CaseFilter = {}): readonly StoredCase[] {
      return database
        .all(
          `SELECT * FROM cases WHERE (? IS NULL OR (closed_at IS NULL) = ?) AND (? IS NULL OR outcome = ?) AND (? IS NULL OR alert_name = ?) ORDER BY id DESC LIMIT ?`,
          filter.open,
          filter.open,
          filter.outcome,
          filter.outcome,
          filter.alert,
          filter.alert,
          filter.limit ?? 50,
        )
        .map(readCase)
    },
    due: (now: number, limit: number): readonly CaseId[] =>
      database.all('SELECT id FROM cases WHERE closed_at IS NULL AND due_at <= ? ORDER BY due_at LIMIT ?', now, limit).map((row) => caseId(String(row['id']))),
    /** The first time after this one at which a case is due. */
    nextDue(after: number): number | undefined {
      const at = database.get('SELECT min(due_at) AS at FROM cases WHERE closed_at IS NULL AND due_at > ?', after)?.['at']
      return typeof at === 'number' ? at : undefined
    },
    events: (of: string): readonly CaseEvent[] => database.all('SELECT * FROM events WHERE case_id = ? ORDER BY id', of).map(readEvent),

    /** Alerts of an open episode: what fires as far as deliveries tell. */
    firing: (name?: string): readonly Alert[] =>
      database.all('SELECT alert FROM episodes WHERE resolved_at IS NULL AND (? IS NULL OR alert_name = ?)', name, name).map((row) => readAlert(row['alert'])),
    /** Whether any alert of that name fires for that owner, as far as deliveries tell. */
    firesFor: (name: string, owner: string): boolean =>
      database.get('SELECT 1 AS yes FROM episodes WHERE resolved_at IS NULL AND alert_name = ? AND owner = ?', name, owner) !== undefined,
    isFiring: (fingerprint: string): boolean => database.get('SELECT 1 AS yes FROM episodes WHERE fingerprint = ? AND resolved_at IS NULL', fingerprint) !== undefined,
    /** Whether an alert of this case fires, also one that its page had no room for. */
    firesIn: (of: CaseId): boolean => database.get('SELECT 1 AS yes FROM episodes WHERE case_id = ? AND resolved_at IS NULL', of) !== undefined,
    openEpisodes: (): readonly { readonly alert: Alert; readonly lastSeenAt: number }[] =>
      database
        .all('SELECT alert, last_seen_at FROM episodes WHERE resolved_at IS NULL')
        .map((row) => ({ alert: readAlert(row['alert']), lastSeenAt: Number(row['last_seen_at']) })),

    order(order: Omit<Order, 'id' | 'at'>): string {
      const orderId = id()
      database.transaction(() => {
        database.run(
          'INSERT INTO orders (id, case_id, at, kind, by, plan_hash) VALUES (?, ?, ?, ?, ?, ?)',
          orderId,
          order.caseId,
          ports.clock.now(),
          order.kind,
          order.by,
          order.planHash,
        )
        event(order.caseId, 'ordered', { kind: order.kind, by: order.by })
      })
      return orderId
    },
    newOrders: (): readonly Order[] =>
      database.all('SELECT * FROM orders WHERE done_at IS NULL ORDER BY id').map((row) => ({
        id: String(row['id']),
        caseId: caseId(String(row['case_id'])),
        at: Number(row['at']),
        kind: row['kind'] === 'approve' ? 'approve' : row['kind'] === 'reject' ? 'reject' : 'undo',
        by: String(row['by']),
        planHash: typeof row['plan_hash'] === 'string' ? row['plan_hash'] : undefined,
      })),
    orderDone(orderId: string, answer: string): void {
      database.run('UPDATE orders SET done_at = ?, answer = ? WHERE id = ?', ports.clock.now(), answer, orderId)
    },
    orderAnswer(orderId: string): string | undefined {
      const answer = database.get('SELECT answer FROM orders WHERE id = ? AND done_at IS NOT NULL', orderId)?.['answer']
      return typeof answer === 'string' ? answer : undefined
    },
    /** The latest approval of this very plan. */
    approval(of: CaseId, planHash: string): { readonly by: string; readonly at: number } | undefined {
      const row = database.get("SELECT by, at FROM orders WHERE case_id = ? AND kind = 'approve' AND plan_hash = ? ORDER BY id DESC LIMIT 1", of, planHash)
      return row && { by: String(row['by']), at: Number(row['at']) }
    },

    /** Removes what is older than the retention, a bounded number at a time; open cases and firing episodes stay. */
    prune(before: number): void {
      database.relaxed(() => {
        database.run('DELETE FROM events WHERE case_id IN (SELECT id FROM cases WHERE closed_at < ? LIMIT 500)', before)
        database.run('DELETE FROM cases WHERE id IN (SELECT id FROM cases WHERE closed_at < ? LIMIT 500) AND NOT EXISTS (SELECT 1 FROM events WHERE case_id = cases.id)', before)
        database.run('DELETE FROM episodes WHERE resolved_at < ?', before)
        database.run('DELETE FROM beginnings WHERE at < ?', before)
        database.run('DELETE FROM orders WHERE done_at < ?', before)
      })
    },
  }
}

const OUTCOMES: readonly Outcome[] = ['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed']
const readOutcome = (text: string): Outcome | undefined => OUTCOMES.find((outcome) => outcome === text)
