// The dispatcher by itself, over a real history, with rooms that misbehave.
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ALERT, NOW, POLICY, plannedCase, WEB, WEB_1 } from '../../test/gate-case.ts'
import { type ManualPorts, manualPorts } from '../../test/manual-ports.ts'
import { temporaryFolder } from '../../test/temporary.ts'
import type { Alert } from '../domain/alert.ts'
import { type Closed, close, type Open, type Parked } from '../domain/case-file.ts'
import { Fault } from '../domain/fault.ts'
import { Database } from '../libsql/database.ts'
import { permit } from '../rooms/gate/permit.ts'
import { makeIntake } from '../rooms/record/intake.ts'
import { openHistory } from '../rooms/record/record.ts'
import { type Dispatch, type DispatchOptions, makeDispatch } from './dispatch.ts'

interface Bench {
  readonly ports: ManualPorts
  readonly dispatch: Dispatch
  readonly history: ReturnType<typeof openHistory>
  readonly troubles: readonly unknown[]
  readonly told: readonly (Closed | Parked)[]
  push(...alerts: readonly Alert[]): Promise<void>
}
const LIMITS = { walks: 32, patienceMs: 900_000, laneWaitMs: 900_000, leaseMs: 300_000, retentionMs: 86_400_000, deliveriesMs: 86_400_000 }

function bench(rooms: Partial<DispatchOptions['rooms']>, more: Partial<DispatchOptions> = {}): Bench {
  const ports = manualPorts()
  const database = new Database(join(temporaryFolder(), 'history.db'))
  const history = openHistory(database, ports)
  const troubles: unknown[] = []
  const told: (Closed | Parked)[] = []
  const intake = makeIntake(database, ports, { capacity: 100, onCommitted: () => dispatch.wake() })
  const unused = async (page: Open): Promise<Closed> => close(page, 'told', 'NO_RULE', 'this room is not part of the test')
  const dispatch: Dispatch = makeDispatch({
    ports,
    history,
    intake,
    screen: () => ({ kind: 'new' }),
    rooms: { locate: unused, decide: unused, plan: unused, gate: async () => ({ answers: [] }), intend: async (file) => file, apply: unused, verify: unused, ...rooms },
    recover: async (file) => file,
    undo: async ({ page }) => close(page, 'undone', 'UNDONE_BY_PERSON', 'undone'),
    policy: () => POLICY,
    observer: { left: () => {}, closed: () => {}, parked: () => {}, screened: () => {}, trouble: (error) => troubles.push(error) },
    tell: async (result) => told.push(result) > 0,
    limits: LIMITS,
    ...more,
  })
  dispatch.start()
  // Not waited for: some walks of these tests never return.
  onTestFinished(() => {
    void dispatch.stop()
    database.close()
  })
  return {
    ports,
    dispatch,
    history,
    troubles,
    told,
    async push(...alerts) {
      await intake.accept(alerts.length > 0 ? alerts : [ALERT], { source: 'test' })
      await ports.settle()
    },
  }
}
const located = (page: Open) => ({ ...page, at: 'located' as const, target: { object: WEB_1, owner: WEB, chain: [WEB_1, WEB], container: undefined } })
const never = <T>(): Promise<T> => new Promise(() => {})

describe('a walk that does not return', () => {
  it('loses its lane when its lease runs out, and the case is filed and told', async () => {
    const on = bench({ locate: never })
    await on.push()
    await on.ports.advance(LIMITS.leaseMs - 1)
    expect(on.history.openCases()).toHaveLength(1)
    await on.ports.advance(2)
    expect(on.history.cases()).toMatchObject([{ outcome: 'failed', reason: 'WALK_DID_NOT_END' }])
    expect(on.told).toHaveLength(1)
  })

  it('may do nothing any more when it comes back all the same', async () => {
    let comeBack = () => {}
    const on = bench({
      locate: (page) =>
        new Promise((resolve) => {
          comeBack = () => resolve(located(page))
        }),
    })
    await on.push()
    await on.ports.advance(LIMITS.leaseMs + 1)
    const [filed] = on.history.cases()
    expect(filed).toMatchObject({ outcome: 'failed' })
    comeBack()
    await on.ports.settle()
    expect(on.dispatch.takeSlot({ ...plannedCase(), id: filed?.id ?? plannedCase().id })).toMatchObject({ at: 'closed', reason: 'WALK_DID_NOT_END' })
    expect(on.history.cases()).toHaveLength(1)
  })

  it('is not taken for over between intent and write: only the walk knows how far it came', async () => {
    const on = bench({
      locate: async (page) => located(page),
      decide: async (page) => ({ ...plannedCase(), ...page, at: 'decided' }),
      plan: async (page) => ({ ...plannedCase(), ...page, at: 'planned' }),
      gate: async (page) => {
        const answers = [{ gate: 'all', says: 'pass' }] as const
        const given = permit(page, page.plan.steps, answers, NOW)
        return { answers, ...(given && { permit: given }) }
      },
      intend: async (page) => {
        on.history.intend(page, 'hash', undefined)
        return page
      },
      apply: never,
    })
    await on.push()
    await on.ports.advance(3 * LIMITS.leaseMs)
    expect(on.history.cases()).toMatchObject([{ state: 'intended', closedAt: undefined }])
  })
})

describe('walks', () => {
  it('are so many at once, and the rest in the order in which they came', async () => {
    const begun: string[] = []
    const ends: (() => void)[] = []
    const locate = (page: Open) =>
      new Promise<Closed>((resolve) => {
        begun.push(page.alerts[0].fingerprint)
        ends.push(() => resolve(close(page, 'told', 'NO_RULE', 'b')))
      })
    const on = bench({ locate }, { limits: { ...LIMITS, walks: 2 } })
    await on.push(...['1', '2', '3', '4'].map((fingerprint) => ({ ...ALERT, fingerprint })))
    expect(begun).toEqual(['1', '2'])
    ends[1]?.()
    await on.ports.settle()
    expect(begun).toEqual(['1', '2', '3'])
    expect(on.dispatch.walking).toBe(3)
  })

  it('are not crossed by an order: it is taken when the walk has come to rest', async () => {
    let end = () => {}
    const on = bench({
      locate: (page) =>
        new Promise((resolve) => {
          end = () => resolve(close(page, 'told', 'NO_RULE', 'b'))
        }),
    })
    await on.push()
    const [walking] = on.history.openCases()
    const order = on.history.order({ caseId: walking?.id ?? plannedCase().id, kind: 'undo', by: 'ann', planHash: undefined })
    await on.ports.advance(3_000)
    expect(on.history.orderAnswer(order)).toBeUndefined()
    end()
    await on.ports.advance(2_000)
    expect(on.history.orderAnswer(order)).toBe('nothing was changed in this case')
  })
})

describe('a case that cannot be filed', () => {
  it('is taken up again later and later, and ends when it can be', async () => {
    let walks = 0
    const on = bench({
      locate: async (page) => {
        walks++
        // A page that cannot be written down, as a defect would make one.
        return { ...close(page, 'told', 'NO_RULE', 'b'), ...(walks < 6 && { because: Object.create(null) }) }
      },
    })
    await on.push()
    await on.ports.advance(900)
    expect([walks, on.troubles.length]).toEqual([1, 1])
    await on.ports.advance(1_000)
    expect(walks).toBe(2)
    await on.ports.advance(60_000)
    expect(walks).toBe(6)
    expect(on.history.cases()).toMatchObject([{ outcome: 'told' }])
    expect(on.told).toHaveLength(1)
  })

  it('does not keep others from being walked', async () => {
    const on = bench({
      locate: async (page) => {
        throw page.alerts[0].labels['alertname'] === ALERT.labels['alertname'] ? new Fault('CLUSTER_UNREACHABLE', 'away') : new Error('no such')
      },
    })
    await on.push()
    expect(on.history.openCases()).toMatchObject([{ waitingFor: 'retry' }])
    await on.ports.advance(LIMITS.patienceMs + 60_000)
    expect(on.history.cases()).toMatchObject([{ outcome: 'failed', reason: 'CLUSTER_UNREACHABLE' }])
  })
})
