// A plan and the gates right behind it see one state of the cluster: each thing is read once, and always from the API server.
import type { Planned } from './domain/case-file.ts'
import type { Plan } from './domain/plan.ts'
import type { Clock } from './domain/ports.ts'
import type { Target } from './domain/target.ts'
import { readOnce } from './facts/read-once.ts'
import type { Held } from './kube/held.ts'
import type { Ledger } from './kube/ledger.ts'
import type { LedgerEntry } from './kube/ledger-entry.ts'
import { readAhead } from './kube/read-ahead.ts'
import type { Reader } from './kube/wire.ts'

/** What was read for the plan serves its gates as well, when they follow at once; older than this it is read anew. */
const FRESH_MS = 250

export interface OnePass {
  readonly read: Reader
  readonly entries: Promise<readonly LedgerEntry[]>
  readonly at: number
}
export interface Passes {
  /** For one plan; everything that it and its gates nearly always ask for is asked for at once. */
  begin(target: Target): OnePass
  /** The plan came of this reading. */
  made(plan: Plan, pass: OnePass): void
  forGates(file: Planned): OnePass
}

export function makePasses({ live, held, ledger, clock }: { readonly live: Reader; readonly held: Held; readonly ledger: Pick<Ledger, 'entries'>; readonly clock: Clock }): Passes {
  const byPlan = new WeakMap<Plan, OnePass>()
  const begin = (target: Target): OnePass => {
    const read = readOnce(live)
    readAhead(read, held, target)
    const entries = ledger.entries()
    // Whoever needs them meets the fault; a plan may end before anybody does.
    entries.catch(() => {})
    return { read, entries, at: clock.elapsed() }
  }
  return {
    begin,
    made: (plan, pass) => void byPlan.set(plan, pass),
    forGates({ plan, target }) {
      const pass = byPlan.get(plan)
      return pass && clock.elapsed() - pass.at < FRESH_MS ? pass : begin(target)
    },
  }
}
