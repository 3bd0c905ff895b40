// The practice Kubernetes API server: a fetch function over an in-memory store that speaks the real protocol.
import { Hono } from 'hono'
import type { Ports } from '../domain/ports.ts'
import { type ApiPath, type Call, type Cluster, isDryRun, parsePath, type Reply, type User, type Verb, verbOf } from './call.ts'
import { copyOf } from './fields.ts'
import { load } from './load.ts'
import { PodLogs } from './pod-logs.ts'
import { readList, readOne, selection } from './reads.ts'
import { Resources } from './resources.ts'
import { badRequest, methodNotAllowed, noSuchPath, Refusal } from './status.ts'
import { Store } from './store.ts'
import { evict, readLog, readScale, writeScale } from './subresources.ts'
import { create, patch, remove, removeAll, update } from './writes.ts'

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

export interface Practice {
  readonly store: Store
  readonly logs: PodLogs
  readonly fetch: (request: Request) => Promise<Response>
  readonly requests: readonly LoggedRequest[]
  readonly load: (manifests: readonly unknown[]) => void
}

const ADMIN: User = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

export function makePractice({ ports }: { readonly ports: Pick<Ports, 'clock' | 'timers' | 'random'> }): Practice {
  const store = new Store(ports.clock)
  const cluster: Cluster = { store, resources: new Resources(), logs: new PodLogs(), ...ports }
  for (const name of ['default', 'kube-system', 'kube-public']) store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } })
  const requests: LoggedRequest[] = []
  const app = new Hono()
  app.all('*', async (context) => {
    const request = context.req.raw
    const url = new URL(request.url)
    const contentType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
    const text = request.method === 'GET' ? '' : await request.text()
    const path = parsePath(url.pathname)
    const verb = path ? verbOf(request.method, path, url.searchParams) : 'other'
    let body: unknown
    const logged = (status: number) => {
      const query = url.search.replace(/^\?/, '')
      const dryRun = isDryRun(url.searchParams, body)
      requests.push({
        at: ports.clock.now(),
        user: ADMIN.name,
        verb,
        method: request.method,
        path: url.pathname,
        query,
        dryRun,
        contentType,
        ...(body === undefined ? {} : { body: copyOf(body) }),
        status,
      })
    }
    try {
      body = parsed(text)
      if (!path || verb === 'other') throw noSuchPath()
      const reply = answer(cluster, callOf(cluster, path, verb, request, { url, body, contentType }))
      logged(reply.status)
      return new Response(reply.text, { status: reply.status, headers: { 'content-type': reply.contentType ?? 'application/json' } })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      logged(error.code)
      return new Response(JSON.stringify(error.body()), { status: error.code, headers: { 'content-type': 'application/json' } })
    }
  })
  return { store, logs: cluster.logs, requests, fetch: async (request) => app.fetch(request), load: (manifests) => load(cluster, manifests) }
}

function parsed(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw badRequest(`couldn't get version/kind; json parse error: ${cause instanceof Error ? cause.message : 'unreadable'}`)
  }
}

interface Sent {
  readonly url: URL
  readonly body: unknown
  readonly contentType: string
}
function callOf(cluster: Cluster, path: ApiPath, verb: Verb, request: Request, { url, body, contentType }: Sent): Call {
  const resource = cluster.resources.find(path.apiVersion, path.plural)
  if (!resource) throw noSuchPath()
  const fieldManager = url.searchParams.get('fieldManager') ?? (request.headers.get('user-agent') ?? 'unknown').split(/[/\s]/)[0] ?? ''
  return {
    verb,
    method: request.method,
    resource,
    namespace: path.namespace,
    name: path.name,
    subresource: path.subresource,
    query: url.searchParams,
    contentType,
    body,
    dryRun: isDryRun(url.searchParams, body),
    fieldManager,
    user: ADMIN,
    signal: request.signal,
  }
}

function answer(cluster: Cluster, call: Call): Reply {
  if (call.subresource === '' || call.subresource === 'status') return onObject(cluster, call)
  const answers: Readonly<Record<string, Readonly<Partial<Record<Verb, (cluster: Cluster, call: Call) => Reply>>>>> = {
    scale: { get: readScale, update: writeScale, patch: writeScale },
    eviction: { create: evict },
    log: { get: readLog },
    resize: { get: readOne, update, patch },
  }
  if (!call.resource.subresources.includes(call.subresource)) throw noSuchPath()
  const run = answers[call.subresource]?.[call.verb]
  if (!run) throw methodNotAllowed()
  return run(cluster, call)
}
function onObject(cluster: Cluster, call: Call): Reply {
  if (call.verb === 'get') return readOne(cluster, call)
  if (call.verb === 'list') return readList(cluster, call)
  if (call.verb === 'create' && call.name === '') return create(cluster, call)
  if (call.verb === 'update') return update(cluster, call)
  if (call.verb === 'patch') return patch(cluster, call)
  if (call.verb === 'delete') return remove(cluster, call)
  if (call.verb === 'deletecollection') return removeAll(cluster, call, cluster.store.peekAll(call.resource.stored).filter(selection(call)))
  throw methodNotAllowed()
}
