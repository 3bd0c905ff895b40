// One request as the API server understands it: verb, resource, namespace, name, subresource, and who asks.
import type { Clock, Random, Timers } from '../domain/ports.ts'
import { isPlain, type Plain } from './fields.ts'
import type { PodLogs } from './pod-logs.ts'
import type { Resource, Resources } from './resources.ts'
import type { Store } from './store.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface User {
  readonly name: string
  readonly groups: readonly string[]
}

/** The path's parts, before anybody asked whether such a resource exists. */
export interface ApiPath {
  readonly apiVersion: string
  readonly namespace: string
  readonly plural: string
  readonly name: string
  readonly subresource: string
}

export interface Call {
  readonly verb: Verb
  readonly method: string
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
  readonly logs: PodLogs
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
}

/** `/api/v1/namespaces/shop/pods/web-1/log` and its like; undefined for everything that is no resource. */
export function parsePath(path: string): ApiPath | undefined {
  const [root, ...rest] = path.split('/').filter((part) => part !== '')
  const versioned = root === 'api' ? 1 : 2
  if ((root !== 'api' && root !== 'apis') || rest.length <= versioned) return undefined
  const apiVersion = rest.slice(0, versioned).join('/')
  const [first = '', second = '', third = '', ...more] = rest.slice(versioned).map((part) => decodeURIComponent(part))
  const inNamespace = first === 'namespaces' && third !== '' && third !== 'status' && third !== 'finalize'
  if (inNamespace) return { apiVersion, namespace: second, plural: third, name: more[0] ?? '', subresource: more.slice(1).join('/') }
  return { apiVersion, namespace: '', plural: first, name: second, subresource: [third, ...more].filter((part) => part !== '').join('/') }
}

export function verbOf(method: string, path: ApiPath, query: URLSearchParams): Verb {
  if (method === 'POST') return 'create'
  if (method === 'PUT') return 'update'
  if (method === 'PATCH') return 'patch'
  if (method === 'DELETE') return path.name === '' ? 'deletecollection' : 'delete'
  if (['true', '1'].includes(query.get('watch') ?? '')) return 'watch'
  return path.name === '' ? 'list' : 'get'
}

/** Asked for in the query, or in the body of a delete or an eviction. */
export function isDryRun(query: URLSearchParams, body: unknown): boolean {
  const options = isPlain(body) && isPlain(body['deleteOptions']) ? body['deleteOptions'] : body
  const inBody: Plain = isPlain(options) ? options : {}
  const named = Array.isArray(inBody['dryRun']) && inBody['kind'] !== 'Status' ? inBody['dryRun'] : []
  return query.getAll('dryRun').includes('All') || named.includes('All')
}
