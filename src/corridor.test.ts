// The one place that turns faults into endings.
import { describe, expect, it } from 'vitest'
import { NOW, plannedCase } from '../test/gate-case.ts'
import { faulted } from './corridor.ts'
import type { Applied } from './domain/case-file.ts'
import { FAULTS, Fault, type FaultCode } from './domain/fault.ts'
import { REASONS } from './domain/outcome.ts'

const corridor = (now = NOW) => ({ clock: { now: () => now, elapsed: () => 0 }, patienceMs: 900_000 })
const opened = { ...plannedCase(), openedAt: NOW }
const applied: Applied = { ...opened, at: 'applied', mode: 'enforce', appliedAt: NOW, certain: true, goodSince: undefined, watching: 'object', checkAt: NOW }
const CODES = Object.keys(FAULTS).filter((code): code is FaultCode => Object.hasOwn(FAULTS, code))

describe('a fault', () => {
  it.each(CODES)('%s: what may pass is waited for, everything else is filed with a reason of the list', (code) => {
    const fault = new Fault(code, 'why')
    const result = faulted(opened, fault, corridor())
    expect(result.at).toBe(fault.retryable ? 'parked' : 'closed')
    expect(result.because).toContain(code)
    const late = faulted(opened, fault, corridor(NOW + 900_001))
    if (late.at !== 'closed') throw new Error('it waits for ever')
    expect(REASONS).toContain(late.reason)
    // A code of the cluster or the store is no defect of this program.
    expect(late.reason === 'INTERNAL').toBe(!/^(?:CLUSTER|STORE|LEDGER|EXEC)_/.test(code))
  })

  it('after the write is waited for without end: somebody has to look at what became of it', () => {
    expect(faulted(applied, new Fault('CLUSTER_UNREACHABLE', 'away'), corridor(NOW + 10_000_000))).toMatchObject({ at: 'parked', waitingFor: 'verification' })
  })

  it('is tried again as late as the other side asked, within bounds', () => {
    const waits = (retryAfterMs: number) => {
      const result = faulted(opened, new Fault('CLUSTER_THROTTLED', 'slowly', { retryAfterMs }), corridor())
      return result.at === 'parked' ? result.until - NOW : undefined
    }
    expect([waits(10), waits(7_000), waits(600_000)]).toEqual([1_000, 7_000, 30_000])
  })

  it('that is none is a defect, and says which', () => {
    expect(faulted(opened, new TypeError('x is not a function'), corridor())).toMatchObject({
      at: 'closed',
      outcome: 'failed',
      reason: 'INTERNAL',
      because: 'TypeError: x is not a function',
    })
  })
})
