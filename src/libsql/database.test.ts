import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isFault } from '../domain/fault.ts'
import { Database } from './database.ts'
import { migrate } from './migrations.ts'

let folder: string
let database: Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alerts-slm-'))
  database = new Database(join(folder, 'history.db'), { maxBytes: 400_000 })
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

describe('the libsql wrapper', () => {
  it('binds booleans and undefined, which would abort the process unwrapped', () => {
    database.exec('CREATE TABLE t (a, b, c INTEGER)')
    database.run('INSERT INTO t VALUES (?, ?, ?)', true, undefined, 7)
    expect(database.get('SELECT a, b, c FROM t')).toMatchObject({ a: 1, b: null, c: 7 })
  })

  it('takes nothing as the only value, which the binding would read as the list of values', () => {
    database.exec('CREATE TABLE t (a)')
    expect(database.run('INSERT INTO t VALUES (?)', undefined)).toBe(1)
    expect(database.all('SELECT a, ? AS b FROM t', null)).toMatchObject([{ a: null, b: null }])
    expect(database.all('SELECT a FROM t')).toHaveLength(1)
  })

  it('undoes only the failing part of a nested transaction', () => {
    database.exec('CREATE TABLE t (a UNIQUE)')
    database.transaction(() => {
      database.run('INSERT INTO t VALUES (?)', 'first')
      expect(() =>
        database.transaction(() => {
          database.run('INSERT INTO t VALUES (?)', 'second')
          database.run('INSERT INTO t VALUES (?)', 'first')
        }),
      ).toThrow()
      database.run('INSERT INTO t VALUES (?)', 'third')
    })
    expect(database.all('SELECT a FROM t ORDER BY a').map((row) => row['a'])).toEqual(['first', 'third'])
  })

  it('says STORE_FULL at its size limit and works again after rows were removed', () => {
    database.exec('CREATE TABLE t (a TEXT)')
    const fill = () => {
      for (let i = 0; i < 1_000; i++) database.run('INSERT INTO t VALUES (?)', 'x'.repeat(2_000))
    }
    let caught: unknown
    try {
      fill()
    } catch (error) {
      caught = error
    }
    expect(isFault(caught, 'STORE_FULL')).toBe(true)
    database.run('DELETE FROM t')
    expect(database.run('INSERT INTO t VALUES (?)', 'again')).toBe(1)
  })

  it('says STORE_UNAVAILABLE for a folder that does not exist', () => {
    expect(() => new Database(join(folder, 'no', 'such', 'place.db'))).toThrow(/cannot open/)
  })

  it('refuses a file that a newer program wrote', () => {
    migrate(database, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)'])
    migrate(database, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)'])
    expect(() => migrate(database, ['CREATE TABLE a (x)'])).toThrow(/newer program/)
  })
})
