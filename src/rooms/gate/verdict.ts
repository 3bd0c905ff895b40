// What a gate may say. A gate never throws and never waits: it judges what `look.ts` saw.
import type { Planned } from '../../domain/case-file.ts'
import type { GateCode } from './codes.ts'
import type { Seen } from './seen.ts'

export interface Stop {
  readonly says: 'refuse' | 'hold' | 'ask'
  readonly code: GateCode
  readonly why: string
  readonly remedy: string
  readonly until?: number
}
export type Verdict = { readonly says: 'pass' } | Stop

/** One gate. `name` is the name of its file; `now` is wall time, ms. */
export interface Gate {
  readonly name: string
  readonly judge: (file: Planned, seen: Seen, now: number) => Verdict
}

/** When a hold names no better time: soon enough for a transient failure, late enough not to hammer. */
export const LOOK_AGAIN_MS = 30_000

export const PASS: Verdict = { says: 'pass' }
export const refuse = (code: GateCode, why: string, remedy: string): Stop => ({ says: 'refuse', code, why, remedy })
export const hold = (code: GateCode, why: string, remedy: string, until: number): Stop => ({ says: 'hold', code, why, remedy, until })
export const ask = (code: GateCode, why: string, remedy: string): Stop => ({ says: 'ask', code, why, remedy })
