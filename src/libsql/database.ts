// The binding wrapper around libsql: the only file that touches it. Wrong bindings abort the whole process (facts I1), so values go
// through one converter, always as an array; statements are prepared once and kept, because preparing per call grows without end.
import Libsql from 'libsql'
import { Fault } from '../domain/fault.ts'

export type Value = string | number | boolean | null | undefined
export type Column = string | number | null
export type Row = Readonly<Record<string, Column>>

export interface DatabaseOptions {
  /** Largest size of the main file, bytes; the store is full (STORE_FULL) beyond it. */
  readonly maxBytes?: number
  /** FULL: a commit is on the disk when it returns. NORMAL loses the last commits with the machine, not with the process. */
  readonly synchronous?: 'FULL' | 'NORMAL'
  /** How long another process may hold the file before the store counts as locked, ms. */
  readonly busyMs?: number
}

const PAGE_BYTES = 4096
const bindable = (value: Value): Column => (value === undefined ? null : typeof value === 'boolean' ? Number(value) : value)

const codeOf = (error: unknown): string => (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '')

/** libsql's own errors as faults of the store; anything else passes, as it is a defect of the caller. */
function translate(error: unknown, sql: string): unknown {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'SQLITE_FULL' || /disk is full/i.test(message)) return new Fault('STORE_FULL', 'the history store has reached its size limit or its disk is full', { cause: error })
  if (code.startsWith('SQLITE_CONSTRAINT')) return error
  if (code.startsWith('SQLITE_') && code !== 'SQLITE_ERROR') return new Fault('STORE_UNAVAILABLE', `the history store answered ${code}: ${message}`, { cause: error })
  return new Error(`${message} in: ${sql.slice(0, 200)}`, { cause: error })
}

const isRow = (row: unknown): row is Row => typeof row === 'object' && row !== null

/** Synchronous: a call that returned is done. Everything that must be one turn (reserve and commit an intent) relies on that. */
export class Database {
  readonly #db: Libsql.Database
  readonly #statements = new Map<string, Libsql.Statement<[Column[]]>>()
  #depth = 0
  #lost: unknown
  readonly #synchronous: 'FULL' | 'NORMAL'

  constructor(path: string, options: DatabaseOptions = {}) {
    this.#synchronous = options.synchronous ?? 'FULL'
    try {
      this.#db = new Libsql(path, { timeout: options.busyMs ?? 2_000 })
      this.#db.exec('PRAGMA journal_mode = WAL')
      this.#db.exec(`PRAGMA synchronous = ${this.#synchronous}`)
      this.#db.exec('PRAGMA cache_size = -2000')
      if (options.maxBytes !== undefined) this.#db.exec(`PRAGMA max_page_count = ${Math.max(64, Math.floor(options.maxBytes / PAGE_BYTES))}`)
    } catch (error) {
      throw new Fault('STORE_UNAVAILABLE', `cannot open ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  exec(sql: string): void {
    this.#guard(sql, () => this.#db.exec(sql))
  }
  run(sql: string, ...values: readonly Value[]): number {
    return this.#guard(sql, () => this.#statement(sql).run(values.map(bindable)).changes)
  }
  get(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.all(sql, ...values)[0]
  }
  all(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#guard(sql, () => this.#statement(sql).all(values.map(bindable)).filter(isRow))
  }

  /**
   * All of it or nothing. Inside another transaction it is a savepoint: a failing part undoes only itself.
   * libsql's own `transaction()` cannot nest, so the statements are ours.
   */
  transaction<T>(work: () => T): T {
    return this.#within(work)
  }
  /**
   * The same without waiting for the disk: the next durable commit carries it along. What a loss of power may take back here is found
   * again by looking at what was committed before it; the end of the process takes back nothing.
   */
  relaxed<T>(work: () => T): T {
    if (this.#depth > 0 || this.#synchronous !== 'FULL') return this.#within(work)
    this.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.#within(work)
    } finally {
      this.exec('PRAGMA synchronous = FULL')
    }
  }
  #within<T>(work: () => T): T {
    const [begin, commit, rollback] =
      this.#depth === 0
        ? ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK']
        : [`SAVEPOINT s${this.#depth}`, `RELEASE s${this.#depth}`, `ROLLBACK TO s${this.#depth}; RELEASE s${this.#depth}`]
    this.exec(begin)
    this.#depth++
    try {
      const result = work()
      // A full disk may have rolled back everything by itself, also what came before the failing part: that is a failure of the whole.
      if (!this.#db.inTransaction) throw this.#lost ?? new Fault('STORE_UNAVAILABLE', 'the store gave up a transaction')
      this.exec(commit)
      return result
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec(rollback)
      else this.#lost = error
      throw error
    } finally {
      this.#depth--
      if (this.#depth === 0) this.#lost = undefined
    }
  }

  get sizeBytes(): number {
    return Number(this.get('PRAGMA page_count')?.['page_count'] ?? 0) * PAGE_BYTES
  }
  /** Moves the log into the main file and closes. */
  close(): void {
    if (!this.#db.open) return
    this.#statements.clear()
    this.#db.close()
  }

  #statement(sql: string): Libsql.Statement<[Column[]]> {
    const known = this.#statements.get(sql)
    if (known) return known
    const prepared = this.#db.prepare<[Column[]]>(sql)
    this.#statements.set(sql, prepared)
    return prepared
  }
  #guard<T>(sql: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw translate(error, sql)
    }
  }
}
