// From what was delivered to cases: each delivery is screened and belongs to a case, or to none, in one commit with its batch.
import type { Alert } from '../domain/alert.ts'
import { type CaseId, type Closed, close, type Opened } from '../domain/case-file.ts'
import type { Clock } from '../domain/ports.ts'
import type { Delivered, Intake } from '../rooms/record/intake.ts'
import type { Episode, History } from '../rooms/record/record.ts'
import type { Known, Screened } from '../rooms/screen/screen.ts'

export interface TakeUpOptions {
  readonly clock: Clock
  readonly history: History
  readonly intake: Intake
  readonly screen: (alert: Alert, known: Known | undefined, now: number) => Screened
  readonly screened: (alert: Alert, as: Screened['kind']) => void
  /** A new case is in the history and may walk. */
  readonly opened: (file: Opened) => void
  /** A case that was filed without a walk. */
  readonly filed: (closed: Closed) => void
  /** An alert of this open case has ended. */
  readonly resolved: (id: CaseId) => void
}

const BATCH = 500
type After = readonly (() => void)[]

/** Takes one batch, all of it or nothing; true: there may be more. What follows from it happens after the commit. */
export const makeTakeUp = (options: TakeUpOptions) => (): boolean => {
  const { history, intake } = options
  const rows = intake.next(BATCH)
  if (rows.length === 0) return false
  const after: (() => void)[] = []
  try {
    history.together(() => {
      for (const row of rows) after.push(...takeOne(row, options))
    })
  } catch (error) {
    intake.recount()
    throw error
  }
  for (const run of after) run()
  return rows.length === BATCH
}

const knownOf = ({ resolvedAt, outcome, ...episode }: Episode): Known => ({ ...episode, ...(resolvedAt !== undefined && { resolvedAt }), ...(outcome && { outcome }) })

function takeOne({ id, alert }: Delivered, options: TakeUpOptions): After {
  const { history, intake, clock } = options
  const known = history.episode(alert.fingerprint)
  const screened = options.screen(alert, known && knownOf(known), clock.now())
  const seen = () => options.screened(alert, screened.kind)
  switch (screened.kind) {
    case 'new':
    case 'reopen': {
      const file = open(id, alert, options)
      return [seen, () => options.opened(file)]
    }
    case 'own':
      // Told by us, come back by Alertmanager: counted, and no case.
      intake.taken(id, undefined)
      return [seen]
    case 'filtered':
      // Known already: counted, and not filed a second time.
      return known && known.resolvedAt === undefined ? [seen, ...repeat(id, alert, known, options)] : [seen, ...filter(id, alert, screened.why, options)]
    case 'repeat':
      return known ? [seen, ...repeat(id, alert, known, options)] : [seen]
    case 'resolved':
      history.resolve(alert.fingerprint, screened.resolvedAt)
      intake.taken(id, screened.caseId)
      return known?.caseOpen ? [seen, () => options.resolved(known.caseId)] : [seen]
    case 'stale':
    case 'unknown-resolved':
      intake.taken(id, known?.caseId)
      return [seen]
    default:
      return screened satisfies never
  }
}

function open(delivery: number, alert: Alert, { clock, history, intake }: TakeUpOptions): Opened {
  const file: Opened = { at: 'opened', id: history.newId(), openedAt: clock.now(), alerts: [alert] }
  history.open(file)
  intake.taken(delivery, file.id)
  return file
}
function filter(delivery: number, alert: Alert, why: string, options: TakeUpOptions): After {
  const closed = close(open(delivery, alert, options), 'cancelled', 'FILTERED', why)
  options.history.close(closed)
  options.history.told(closed.page.id)
  return [() => options.filed(closed)]
}
function repeat(delivery: number, alert: Alert, known: Episode, { history, intake }: TakeUpOptions): After {
  if (alert.status === 'firing') history.repeat(alert.fingerprint, alert)
  intake.taken(delivery, known.caseId)
  return []
}
