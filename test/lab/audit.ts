// The API server's audit log as the oracle of what was written: each write of an account must be a step of a case that says so.
// Nothing here is shared with the writer that it judges.
import * as z from 'zod'
import type { Audited } from './lab-cluster.ts'

export interface Write {
  readonly user: string
  /** `patch deployments/web`, `create pods/web-1/eviction`. */
  readonly what: string
  readonly at: number
  readonly status: number
  /** Sent with dryRun: asked, and nothing changed. */
  readonly rehearsal: boolean
  readonly body: unknown
}

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection']
const whatOf = (verb: string, resource: string, name: string | undefined, subresource: string | undefined): string =>
  `${verb} ${[resource, name, subresource].filter((part) => part !== undefined && part !== '').join('/')}`

export const writesIn = (audited: readonly Audited[]): readonly Write[] =>
  audited
    .filter(({ verb }) => WRITES.includes(verb))
    .map(({ user, verb, objectRef, requestURI, requestReceivedTimestamp, responseStatus, requestObject }) => ({
      user: user.username,
      what: whatOf(verb, objectRef?.resource ?? '', objectRef?.name, objectRef?.subresource),
      at: Date.parse(requestReceivedTimestamp),
      status: responseStatus?.code ?? 0,
      rehearsal: new URL(requestURI, 'http://api').searchParams.has('dryRun'),
      body: requestObject,
    }))

const OBJECT = z.looseObject({ kind: z.string(), name: z.string(), uid: z.string().optional() })
const STEP = z.looseObject({
  kind: z.enum(['patch', 'delete', 'evict', 'create', 'exec', 'wait']),
  object: OBJECT,
  subresource: z.string().optional(),
  ops: z.array(z.unknown()).optional(),
})
const INTENDED = z.looseObject({ plan: z.looseObject({ steps: z.array(STEP), undo: z.union([z.array(STEP), z.looseObject({ impossible: z.string() })]) }) })
type Step = z.output<typeof STEP>

/** What a case of the history recorded, as the sidecar's own store shows it. */
export interface Recorded {
  readonly outcome: string | undefined
  readonly events: readonly { readonly kind: string; readonly body: unknown }[]
}

const plural = (kind: string): string => {
  const lower = kind.toLowerCase()
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : lower.endsWith('s') ? `${lower}es` : `${lower}s`
}
/** The request that the step stands for, and what its body must be. */
interface Said {
  readonly what: string
  readonly body?: unknown
}
function saidBy({ kind, object, subresource, ops }: Step): readonly Said[] {
  const resource = plural(object.kind)
  const ofUid = { op: 'test', path: '/metadata/uid', value: object.uid }
  switch (kind) {
    case 'patch':
      return [{ what: whatOf('patch', resource, object.name, subresource), body: [ofUid, ...(ops ?? [])] }]
    case 'evict':
      return [{ what: whatOf('create', resource, object.name, 'eviction') }]
    case 'exec':
      return [{ what: whatOf('create', resource, object.name, 'exec') }, { what: whatOf('get', resource, object.name, 'exec') }]
    case 'wait':
      return []
    default:
      return [{ what: whatOf(kind, resource, object.name, subresource) }]
  }
}

function saidByCase({ outcome, events }: Recorded): readonly Said[] {
  const intended = events.filter(({ kind }) => kind === 'intended').map(({ body }) => INTENDED.parse(body).plan)
  const undone = outcome === 'undone' || events.some(({ kind }) => kind === 'undone')
  return intended.flatMap(({ steps, undo }) => [...steps, ...(undone && Array.isArray(undo) ? undo : [])].flatMap(saidBy))
}

/** Whatever the case: its ledger, what it tells by Events, and reviews, which are questions sent as objects. */
const OF_THE_ACCOUNT = ['create configmaps', 'create configmaps/alerts-slm-ledger', 'update configmaps/alerts-slm-ledger', 'patch configmaps/alerts-slm-ledger']
const isOfTheAccount = ({ what }: Write): boolean => OF_THE_ACCOUNT.includes(what) || /^create (events|selfsubjectaccessreviews)(\/|$)/.test(what)

const fits = ({ what, body }: Said, write: Write): boolean => what === write.what && (body === undefined || JSON.stringify(sorted(body)) === JSON.stringify(sorted(write.body)))
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, one]) => [key, sorted(one)]),
        )
      : value

export interface Reckoning {
  /** Writes that no case says. */
  readonly unsaid: readonly string[]
  /** Steps that a case says, and that the API server did not see succeed. */
  readonly unsent: readonly string[]
}

/** Holds what the account wrote against what its cases say. A rehearsal is no write; a write that was refused is one all the same. */
export function reckon(audited: readonly Audited[], cases: readonly Recorded[]): Reckoning {
  const writes = writesIn(audited).filter((write) => !write.rehearsal && !isOfTheAccount(write))
  const said = cases.flatMap(saidByCase)
  return {
    unsaid: writes.filter((write) => !said.some((one) => fits(one, write))).map(({ what, body }) => `${what} ${JSON.stringify(body)}`),
    unsent: said.filter((one) => !writes.some((write) => write.status < 300 && fits(one, write))).map(({ what }) => what),
  }
}
