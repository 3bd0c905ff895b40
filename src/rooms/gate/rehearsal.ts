// Gate 19, the only one that is not pure: the API server judges the very steps in a dry run.
import type { Planned } from '../../domain/case-file.ts'
import type { Step } from '../../domain/plan.ts'
import { isUnknown, type Unknown } from '../../domain/unknown.ts'
import { writes } from './seen.ts'
import { hold, LOOK_AGAIN_MS, PASS, refuse, type Verdict } from './verdict.ts'

export const REHEARSAL = 'rehearsal'

export type Rehearse = (steps: readonly Step[]) => Promise<{ readonly says: 'ok' } | { readonly says: 'refused'; readonly code: string; readonly why: string } | Unknown>

export async function rehearsal({ plan }: Pick<Planned, 'plan'>, rehearse: Rehearse, now: () => number): Promise<Verdict> {
  if (!writes(plan)) return PASS
  const answer = await rehearse(plan.steps)
  if (isUnknown(answer)) return hold('REHEARSAL_UNKNOWN', `the dry run got no answer: ${answer.unknown}`, 'make the API server answer dry runs', now() + LOOK_AGAIN_MS)
  if (answer.says === 'ok') return PASS
  return refuse('REHEARSAL_REFUSED', `in a dry run the API server says: ${answer.why} (${answer.code})`, 'what admission or validation objects to has to change')
}
