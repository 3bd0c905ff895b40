// One request as the API server understands it: verb, resource, namespace, name, subresource, and who asks.
import type { Clock, Random, Timers } from '../domain/ports.ts'
import { isPlain } from './fields.ts'
import type { PodLogs } from './pod-logs.ts'
import type { Rbac } from './rbac.ts'
import type { Resource, Resources } from './resources.ts'
import { selectedName } from './selectors.ts'
import { badRequest, noSuchPath, tooLarge, unsupportedMediaType } from './status.ts'
import type { Store } from './store.ts'
import { ANONYMOUS, type User, type Users } from './users.ts'
import type { Watches } from './watch.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** The path's parts, before anybody asked whether such a resource exists. */
interface ApiPath {
  readonly apiVersion: string
  readonly group: string
  readonly namespace: string
  readonly plural: string
  readonly name: string
  readonly subresource: string
}

/** A request as it came in. The user is known once the token was judged. */
export interface Asked {
  readonly method: string
  readonly url: URL
  readonly path: ApiPath | undefined
  readonly verb: Verb | 'other'
  readonly contentType: string
  readonly text: string
  /** The body as JSON; undefined when there is none, or none that can be read. */
  readonly body: unknown
  /** The one name that the request is about, also when a list selects it: what RBAC's resourceNames look at. */
  readonly namedIn: string
  user: User
}

/** One request as it came and how it was answered: what tests believe about what was done. */
export interface LoggedRequest {
  readonly at: number
  readonly user: string
  readonly verb: Verb | 'other'
  readonly method: string
  readonly path: string
  readonly query: string
  readonly dryRun: boolean
  readonly contentType: string
  readonly body?: unknown
  readonly status: number
}

export interface Call {
  readonly verb: Verb
  readonly resource: Resource
  /** Empty for cluster-wide objects and for a list over all namespaces. */
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly query: URLSearchParams
  readonly contentType: string
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown
  readonly dryRun: boolean
  readonly fieldManager: string
  readonly user: User
  readonly signal: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly text: string | ReadableStream<Uint8Array>
  readonly contentType?: string
}

/** What every part of the practice API server works with. */
export interface Cluster {
  readonly store: Store
  readonly resources: Resources
  readonly users: Users
  readonly rbac: Rbac
  readonly logs: PodLogs
  readonly watches: Watches
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
}

/** `/api/v1/namespaces/shop/pods/web-1/log` and its like; undefined for everything that is no resource. */
function parsePath(path: string): ApiPath | undefined {
  const [root, ...rest] = path.split('/').filter((part) => part !== '')
  const versioned = root === 'api' ? 1 : 2
  if ((root !== 'api' && root !== 'apis') || rest.length <= versioned) return undefined
  const apiVersion = rest.slice(0, versioned).join('/')
  const group = root === 'api' ? '' : (rest[0] ?? '')
  const [first = '', second = '', third = '', ...more] = rest.slice(versioned).map((part) => decodeURIComponent(part))
  const inNamespace = first === 'namespaces' && third !== '' && third !== 'status' && third !== 'finalize'
  if (inNamespace) return { apiVersion, group, namespace: second, plural: third, name: more[0] ?? '', subresource: more.slice(1).join('/') }
  return { apiVersion, group, namespace: '', plural: first, name: second, subresource: [third, ...more].filter((part) => part !== '').join('/') }
}

function verbOf(method: string, path: ApiPath, query: URLSearchParams): Verb | 'other' {
  if (method === 'POST') return 'create'
  if (method === 'PUT') return 'update'
  if (method === 'PATCH') return 'patch'
  if (method === 'DELETE') return path.name === '' ? 'deletecollection' : 'delete'
  if (method !== 'GET') return 'other'
  if (['true', '1'].includes(query.get('watch') ?? '')) return 'watch'
  return path.name === '' ? 'list' : 'get'
}

/** Asked for in the query, or in the options that a delete or an eviction carries as its body. */
export function isDryRun(query: URLSearchParams, body: unknown): boolean {
  const options = isPlain(body) && isPlain(body['deleteOptions']) ? body['deleteOptions'] : body
  const named = isPlain(options) && Array.isArray(options['dryRun']) ? options['dryRun'] : []
  return query.getAll('dryRun').includes('All') || named.includes('All')
}

const read = (text: string): unknown => {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

export async function ask(request: Request): Promise<Asked> {
  const url = new URL(request.url)
  const path = parsePath(url.pathname)
  const verb = path ? verbOf(request.method, path, url.searchParams) : 'other'
  const contentType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
  const text = request.method === 'GET' ? '' : await request.text()
  const namedIn = path?.name || selectedName(url.searchParams.get('fieldSelector') ?? '') || ''
  return { method: request.method, url, path, verb, contentType, text, body: read(text), namedIn, user: ANONYMOUS }
}

/** The real server's limit of a request body. */
const MOST_BYTES = 3 * 1024 * 1024
const READABLE = ['', 'application/json']

/** The request of an allowed user, with its resource found and its body readable. */
export function callOf(resources: Resources, asked: Asked, request: Request): Call {
  const { path, verb, url, body, text, contentType, user } = asked
  const resource = path && resources.find(path.apiVersion, path.plural)
  if (!resource || !path || verb === 'other') throw noSuchPath()
  if (Buffer.byteLength(text) > MOST_BYTES) throw tooLarge(MOST_BYTES)
  const isRead = verb === 'get' || verb === 'list' || verb === 'watch'
  if (!isRead && verb !== 'patch' && text !== '' && !READABLE.includes(contentType))
    throw unsupportedMediaType(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'])
  if (text !== '' && body === undefined) throw badRequest(`couldn't get version/kind; json parse error: the body is no JSON`)
  const agent = (request.headers.get('user-agent') ?? '').split('/')[0] ?? ''
  return {
    verb,
    resource,
    namespace: path.namespace,
    name: path.name,
    subresource: path.subresource,
    query: url.searchParams,
    contentType,
    body,
    dryRun: isDryRun(url.searchParams, body),
    fieldManager: url.searchParams.get('fieldManager') ?? (agent || 'unknown'),
    user,
    signal: request.signal,
  }
}
