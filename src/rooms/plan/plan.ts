// Room 5 of 10, a pipeline stage: find the action, let it read the cluster and say what it would do. Takes a decided case, gives a planned or closed one.
import { type Action, isRefusal } from '../../actions/define-action.ts'
import { close, type Decided, type Next, type Planned } from '../../domain/case-file.ts'
import type { Clock } from '../../domain/ports.ts'
import type { Reader } from '../../kube/wire.ts'

export interface Planning {
  /** The catalogue, by name. */
  readonly actions: (name: string) => Action | undefined
  /** Live, never from a watch's memory: a plan states what it judged, and the API server tests it. */
  readonly read: Reader
  readonly clock: Clock
  /** Names that may be used here; undefined allows all. */
  readonly allowed?: () => readonly string[] | undefined
}

const TELL = 'notify_only'

export const plan =
  ({ actions, read, clock, allowed }: Planning) =>
  async (file: Decided): Promise<Next<Planned>> => {
    const { action: name, parameters, because } = file.decision
    const action = actions(name)
    if (!action) return close(file, 'failed', 'ACTION_UNKNOWN', `no action is named ${name}`)
    const names = allowed?.()
    if (name !== TELL && names && !names.includes(name)) return close(file, 'refused', 'PLAN_REFUSED', `${name} is not among the actions that are allowed here`)
    const proposed = await action.propose(file.target, parameters, { read, caseId: file.id, now: clock.now() })
    if (isRefusal(proposed)) return close(file, 'refused', proposed.code, proposed.refused)
    if (name === TELL) return close(file, 'told', 'RULE_SAYS_TELL', 'message' in parameters ? proposed.summary : because)
    if (proposed.steps.length === 0 && proposed.artefacts.length === 0) return close(file, 'refused', 'NOTHING_TO_CHANGE', proposed.summary)
    return { ...file, at: 'planned', plan: proposed }
  }
