import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../../test/manual-ports.ts'
import { temporaryFolder } from '../../../test/temporary.ts'
import type { Alert } from '../../domain/alert.ts'
import { isFault } from '../../domain/fault.ts'
import { Database } from '../../libsql/database.ts'
import { makeIntake } from './intake.ts'
import { openHistory } from './record.ts'

const alert = (name: string, padding = ''): Alert => ({
  fingerprint: name,
  status: 'firing',
  labels: { alertname: name, padding },
  annotations: {},
  startsAt: 1,
  endsAt: undefined,
  generatorUrl: undefined,
})

function opened(options: { readonly capacity?: number; readonly maxBytes?: number } = {}) {
  const ports = manualPorts()
  const file = join(temporaryFolder(), 'history.db')
  const database = new Database(file, options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes })
  openHistory(database, ports)
  let commits = 0
  const intake = makeIntake(database, ports, { capacity: options.capacity ?? 1_000, onCommitted: () => commits++ })
  return { ports, file, database, intake, commits: () => commits }
}
const faultOf = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => error,
  )

describe('the intake', () => {
  it('is on the disk before accept resolves, also for another reader of the file', async () => {
    const { ports, file, intake } = opened()
    const accepted = intake.accept([alert('A')], { source: 'webhook' })
    await ports.advance(0)
    await accepted
    const reader = new Database(file)
    expect(reader.get('SELECT count(*) AS n FROM intake')?.['n']).toBe(1)
    reader.close()
  })

  it('commits all requests of one turn together', async () => {
    const { ports, intake, commits } = opened()
    const requests = ['A', 'B', 'C'].map((name) => intake.accept([alert(name)], { source: 'webhook' }))
    await ports.advance(0)
    await Promise.all(requests)
    expect(commits()).toBe(1)
    expect(intake.next(10).map((row) => row.alert.fingerprint)).toEqual(['A', 'B', 'C'])
  })

  it('takes none of a request that exceeds the limit of waiting rows, and all of its neighbours', async () => {
    const { ports, intake } = opened({ capacity: 3 })
    const answers = Promise.all([
      faultOf(intake.accept([alert('A'), alert('B')], { source: 'webhook' })),
      faultOf(intake.accept([alert('C'), alert('D')], { source: 'webhook' })),
      faultOf(intake.accept([alert('E')], { source: 'webhook' })),
    ])
    await ports.advance(0)
    const [first, second, third] = await answers
    expect([first, third]).toEqual(['accepted', 'accepted'])
    expect(isFault(second, 'STORE_FULL')).toBe(true)
    expect(intake.next(10).map((row) => row.alert.fingerprint)).toEqual(['A', 'B', 'E'])
  })

  it('answers STORE_FULL when the file may not grow, and takes alerts again when room was made', async () => {
    const { ports, database, intake } = opened({ maxBytes: 400_000 })
    const push = async (name: string) => {
      const answer = faultOf(intake.accept([alert(name, 'x'.repeat(60_000))], { source: 'webhook' }))
      await ports.advance(0)
      return answer
    }
    let stored = 0
    let answer: unknown = 'accepted'
    for (; answer === 'accepted' && stored < 50; stored++) answer = await push(`A${stored}`)
    expect(isFault(answer, 'STORE_FULL')).toBe(true)
    expect(intake.next(100)).toHaveLength(stored - 1)
    for (const row of intake.next(100)) intake.taken(row.id, undefined)
    database.run('DELETE FROM intake')
    expect(await push('again')).toBe('accepted')
  })

  it('answers STORE_UNAVAILABLE while another process holds the file, and loses nothing it had accepted', async () => {
    const { ports, file, database, intake } = opened()
    database.exec('PRAGMA busy_timeout = 10')
    const other = new Database(file)
    other.exec('BEGIN IMMEDIATE')
    const refused = faultOf(intake.accept([alert('A')], { source: 'webhook' }))
    await ports.advance(0)
    expect(isFault(await refused, 'STORE_UNAVAILABLE')).toBe(true)
    other.exec('ROLLBACK')
    other.close()
    const accepted = faultOf(intake.accept([alert('A')], { source: 'webhook' }))
    await ports.advance(0)
    expect(await accepted).toBe('accepted')
    expect(intake.waiting).toBe(1)
  })

  it('remembers what waits when the program starts again', async () => {
    const { ports, file, intake, database } = opened()
    const accepted = intake.accept([alert('A'), alert('B')], { source: 'webhook' })
    await ports.advance(0)
    await accepted
    intake.taken(intake.next(1)[0]?.id ?? 0, undefined)
    database.close()
    const again = new Database(file)
    openHistory(again, ports)
    const intakeAgain = makeIntake(again, ports, { capacity: 10, onCommitted: () => undefined })
    expect(intakeAgain.waiting).toBe(1)
    expect(intakeAgain.next(10).map((row) => row.alert.fingerprint)).toEqual(['B'])
  })
})
