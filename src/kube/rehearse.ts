// Rehearsal: every step as the writer would send it, with dryRun=All and in no other way; admission and validation answer, nothing is kept.
import { type Fault, isFault } from '../domain/fault.ts'
import type { Step } from '../domain/plan.ts'
import { type Unknown, unknown } from '../domain/unknown.ts'
import { makeDiscovery } from './discovery.ts'
import { getOnly, isRecord } from './getter.ts'
import { FIELD_MANAGER, isSent, type SentStep, type StepRequest, stepRequest } from './step-request.ts'
import type { Transport } from './transport.ts'

export type RehearsalCode = 'REHEARSAL_FORBIDDEN' | 'REHEARSAL_INVALID' | 'REHEARSAL_CONFLICT' | 'REHEARSAL_DISRUPTION'
export type Rehearsed = { readonly says: 'ok' } | { readonly says: 'refused'; readonly code: RehearsalCode; readonly why: string } | Unknown
export type Rehearse = (steps: readonly Step[]) => Promise<Rehearsed>

const OK = { says: 'ok' } as const

/** `wait` and `exec` cannot be rehearsed and are passed over. The first step that is refused ends the rehearsal. */
export function makeRehearsal(transport: Transport): Rehearse {
  const send = dryRunOnly(transport)
  const discovery = makeDiscovery(getOnly(transport))

  const rehearseStep = async (step: SentStep): Promise<Rehearsed> => {
    try {
      await send(await stepRequest(step, { discovery, fieldManager: FIELD_MANAGER }))
      return OK
    } catch (error) {
      if (!isFault(error) || error.code === 'INTERNAL') throw error
      return refusal(step, error)
    }
  }

  return async (steps) => {
    for (const step of steps.filter(isSent)) {
      const said = await rehearseStep(step)
      if (!('says' in said) || said.says !== 'ok') return said
    }
    return OK
  }
}

/**
 * The only way in which this file sends a write. The query alone is not enough: where a DELETE or an Eviction carries
 * options in its body, the API server reads them there and ignores the query.
 */
const dryRunOnly = (transport: Transport) => (request: StepRequest) => transport.send({ ...request, query: { ...request.query, dryRun: 'All' }, body: dryBody(request.body) })

const DRY = { dryRun: ['All'] } as const
function dryBody(body: unknown): unknown {
  if (!isRecord(body)) return body
  if (body['kind'] === 'DeleteOptions') return { ...body, ...DRY }
  if (body['kind'] === 'Eviction') return { ...body, deleteOptions: { ...(isRecord(body['deleteOptions']) && body['deleteOptions']), ...DRY } }
  return body
}

/** A webhook with side effects may refuse every dry run: that says nothing of the plan. */
const NOT_REHEARSABLE = /does not support dry run/i

function refusal(step: SentStep, fault: Fault): Rehearsed {
  const refused = (code: RehearsalCode): Rehearsed => ({ says: 'refused', code, why: fault.message })
  if (NOT_REHEARSABLE.test(fault.message)) return unknown(fault.message)
  switch (fault.code) {
    case 'CLUSTER_FORBIDDEN':
      return refused('REHEARSAL_FORBIDDEN')
    case 'CLUSTER_INVALID':
      return refused('REHEARSAL_INVALID')
    case 'CLUSTER_CONFLICT':
      return refused('REHEARSAL_CONFLICT')
    case 'CLUSTER_NOT_FOUND':
      return step.kind === 'delete' || step.kind === 'evict' ? OK : refused('REHEARSAL_CONFLICT')
    case 'CLUSTER_THROTTLED':
      return step.kind === 'evict' ? refused('REHEARSAL_DISRUPTION') : unknown(fault.message)
    default:
      return unknown(fault.message)
  }
}
