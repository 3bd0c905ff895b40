// Access: which rights we lack here, asked of the API server itself (SelfSubjectAccessReview) and believed for a minute.
import * as z from 'zod'
import { Fault, isFault } from '../domain/fault.ts'
import type { Right } from '../domain/plan.ts'
import type { Clock } from '../domain/ports.ts'
import { type Unknown, unknown } from '../domain/unknown.ts'
import type { Transport } from './transport.ts'
import { ADDRESSES } from './wire.ts'

export interface MissingRight {
  readonly right: Right
  readonly verb: string
}

export interface Access {
  /** Every verb of every right that is not granted; Unknown when it could not be asked. */
  missing(rights: readonly Right[]): Promise<readonly MissingRight[] | Unknown>
}

const FRESH_MS = 60_000
const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const REVIEW = z.object({ status: z.object({ allowed: z.boolean(), evaluationError: z.string().optional() }) })

interface Verdict {
  readonly at: number
  readonly allowed: Promise<boolean>
}

export function makeAccess(transport: Transport, namespace: string, clock: Clock): Access {
  const verdicts = new Map<string, Verdict>()

  function allowed(right: Right, verb: string): Promise<boolean> {
    const key = `${right.apiGroup}/${right.resource} ${right.name ?? ''} ${verb}`
    const last = verdicts.get(key)
    if (last && clock.elapsed() - last.at < FRESH_MS) return last.allowed
    const asked = review(transport, attributes(right, verb, namespace))
    verdicts.set(key, { at: clock.elapsed(), allowed: asked })
    asked.catch(() => verdicts.delete(key))
    return asked
  }

  return {
    async missing(rights) {
      const asked = rights.flatMap((right) => right.verbs.map((verb) => ({ right, verb })))
      try {
        const answers = await Promise.all(asked.map(({ right, verb }) => allowed(right, verb)))
        return asked.filter((_, index) => answers[index] !== true)
      } catch (error) {
        if (isFault(error)) return unknown(`rights could not be asked for: ${error.message}`)
        throw error
      }
    },
  }
}

const clusterScoped = new Set(Object.values(ADDRESSES).flatMap(({ group, plural, namespaced }) => (namespaced ? [] : [`${group}/${plural}`])))

function attributes({ apiGroup, resource, name }: Right, verb: string, namespace: string) {
  const [plural = resource, subresource] = resource.split('/')
  const scope = clusterScoped.has(`${apiGroup}/${plural}`) ? {} : { namespace }
  return { ...scope, group: apiGroup, resource: plural, ...(subresource !== undefined && { subresource }), ...(name !== undefined && { name }), verb }
}

async function review(transport: Transport, resourceAttributes: Readonly<Record<string, string>>): Promise<boolean> {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } }
  const answer = REVIEW.safeParse((await transport.send({ method: 'POST', path: PATH, body })).body)
  if (!answer.success) throw new Fault('CLUSTER_ERROR', 'the API server answered a SelfSubjectAccessReview without a status')
  const { allowed, evaluationError } = answer.data.status
  // "Not allowed" while a role could not be resolved is no answer.
  if (!allowed && evaluationError)
    throw new Fault('CLUSTER_ERROR', `the API server could not judge ${resourceAttributes['verb']} ${resourceAttributes['resource']}: ${evaluationError}`)
  return allowed
}
