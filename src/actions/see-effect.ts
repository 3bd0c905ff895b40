// What verification sees of a change to a workload: is it still in place, and how do the pods fare under it?
import type { Plan } from '../domain/plan.ts'
import { describeRef } from '../domain/target.ts'
import type { Look, Seen } from './define-action.ts'
import { type Reading, readWorkload } from './health.ts'
import { changedSince } from './in-place.ts'
import { type Templated, templated } from './pod-template.ts'

/** A changed pod template: bad as soon as the rollout cannot go on, or a pod of the new template keeps failing. */
export const seeRollout = (plan: Plan, look: Look, inPlace: InPlace = changedSince): Promise<Seen> => see(plan, look, inPlace, (reading) => reading.stuck ?? reading.newestFails)

/** A changed count: the template is as it was, so any pod may be one of the new ones. */
export const seeScale = (plan: Plan, look: Look): Promise<Seen> => see(plan, look, changedSince, (reading) => reading.stuck ?? reading.atRestFails)

/** The sentence that says what is no longer as the plan left it; undefined when all is. */
type InPlace = (plan: Plan, document: Templated) => string | undefined

async function see(plan: Plan, look: Look, inPlace: InPlace, failed: (reading: Reading) => string | undefined): Promise<Seen> {
  const document = await templated(look.read, plan.object)
  const reading = await readWorkload(look.read, plan.object, look.now)
  const { health } = reading
  if (!document) return { state: 'bad', why: `${describeRef(plan.object)} does not exist any more`, health }
  const reverted = inPlace(plan, document)
  if (reverted !== undefined) return { state: 'bad', reverted: true, why: reverted, health }
  if (health.good) return { state: 'good', why: health.why, health }
  const failure = failed(reading)
  return failure === undefined ? { state: 'waiting', why: health.why, health } : { state: 'bad', why: failure, health }
}
