// What people ordered, taken up by the sidecar that runs: approvals and undos pass the same gates as everything else.
import { type CaseId, type Closed, close, type Parked } from '../domain/case-file.ts'
import { planHash } from '../domain/plan-hash.ts'
import type { History, Order } from '../rooms/record/record.ts'
import type { StoredCase } from '../rooms/record/rows.ts'
import type { Walks } from './walks.ts'

export interface OrdersOptions {
  readonly history: History
  readonly walks: Pick<Walks, 'has' | 'claim'>
  readonly undo: (file: StoredCase, by: string) => Promise<Closed | Parked>
  readonly finish: (id: CaseId, result: Closed | Parked) => void
  readonly takeUpAgain: (id: CaseId) => void
}

/** Takes what was ordered since. */
export const makeOrders =
  (options: OrdersOptions): (() => void) =>
  () => {
    for (const order of options.history.newOrders()) {
      const answer = take(order, options)
      if (answer !== undefined) options.history.orderDone(order.id, answer)
    }
  }

/** What the person is answered; undefined while that is not known yet. */
function take(order: Order, options: OrdersOptions): string | undefined {
  const { history, walks } = options
  const stored = history.case(order.caseId)
  if (!stored) return `there is no case ${order.caseId}`
  // It stays an order until the walk has come to rest.
  if (walks.has(stored.id)) return undefined
  return order.kind === 'undo' ? undo(order, stored, options) : decide(order, stored, options)
}

function decide(order: Order, stored: StoredCase, { finish, takeUpAgain }: OrdersOptions): string {
  const { id, page } = stored
  if (stored.closedAt !== undefined || stored.waitingFor !== 'approval') return 'this case does not wait for an approval'
  if (order.kind === 'reject') {
    finish(id, close(page, 'refused', 'REJECTED_BY_PERSON', `rejected by ${order.by}`))
    return 'rejected'
  }
  if (page.at !== 'planned' || planHash(page.plan) !== order.planHash) return 'the plan changed since: look at the case and approve what it says now'
  takeUpAgain(id)
  return 'approved: it passes the gates once more'
}

function undo(order: Order, stored: StoredCase, options: OrdersOptions): string | undefined {
  if (stored.outcome === 'undone') return 'this case is undone already'
  if (stored.page.at !== 'applied') return 'nothing was changed in this case'
  options.walks.claim(stored.id, undoing(order, stored, options))
  return undefined
}

async function undoing(order: Order, stored: StoredCase, options: OrdersOptions): Promise<void> {
  const { history } = options
  try {
    const result = await options.undo(stored, order.by)
    // Refused: the case goes on, or stays, as it was.
    const undone = result.at === 'closed' && result.outcome === 'undone'
    if (undone && stored.closedAt === undefined) options.finish(stored.id, result)
    else if (undone) history.undone(stored.id, result.reason, result.because)
    history.orderDone(order.id, result.because)
  } catch (error) {
    history.orderDone(order.id, `not undone: ${error instanceof Error ? error.message : String(error)}`)
  }
}
