// The practice Kubernetes API server: a fetch function over an in-memory store that speaks the real protocol.
import { Hono } from 'hono'
import type { Ports } from '../domain/ports.ts'
import { addUser, type NewUser } from './account.ts'
import { type Asked, ask, type Call, type Cluster, callOf, isDryRun, type LoggedRequest, type Reply, type Verb } from './call.ts'
import { patch, update } from './change.ts'
import { create } from './create.ts'
import { coreVersions, group, groupList, resourceList, VERSION } from './discovery.ts'
import { Faults } from './faults.ts'
import { copyOf, type Plain } from './fields.ts'
import type { Folder } from './folder.ts'
import { keepStatuses } from './keeping.ts'
import { Cut } from './listen.ts'
import { load } from './load.ts'
import { PodLogs } from './pod-logs.ts'
import { denial, denialOfPath, Rbac } from './rbac.ts'
import { readList, readOne, selection } from './reads.ts'
import { remove, removeAll } from './removal.ts'
import { Resources } from './resources.ts'
import { review } from './reviews.ts'
import { methodNotAllowed, noSuchPath, Refusal } from './status.ts'
import { Store } from './store.ts'
import { evict, readLog, readScale, writeScale } from './subresources.ts'
import { ADMIN_TOKEN, ANONYMOUS, Users } from './users.ts'
import { Watches } from './watch.ts'

export interface Practice {
  readonly store: Store
  readonly logs: PodLogs
  readonly users: Users
  readonly faults: Faults
  /** How many watches are open. */
  readonly watches: () => number
  /** Every request in the order of arrival. A status of 0 means that no answer was given, and nothing was done. */
  readonly requests: readonly LoggedRequest[]
  /** Bearer token of the user who may do everything. */
  readonly adminToken: string
  /** Rejects with `Cut` where a fault breaks the connection. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Plain manifests, lists too, in any order and with their status. */
  readonly load: (manifests: readonly unknown[]) => void
  /** A folder's manifests and logs. */
  readonly loadFolder: (folder: Pick<Folder, 'manifests' | 'logs'>) => void
  readonly addUser: (user: NewUser) => void
}

/** The newest requests are kept; a practice cluster that serves for days must not grow with them. */
const KEPT_REQUESTS = 100_000

export function makePractice({ ports }: { readonly ports: Pick<Ports, 'clock' | 'timers' | 'random'> }): Practice {
  const { clock, timers, random } = ports
  const store = new Store(clock)
  const resources = new Resources()
  const keeping = keepStatuses(store, resources)
  const cluster: Cluster = { store, resources, users: new Users(), rbac: new Rbac(store), logs: new PodLogs(), watches: new Watches(), clock, timers, random }
  for (const name of ['default', 'kube-system', 'kube-public']) load(cluster, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } }])
  const requests: LoggedRequest[] = []
  const faults = new Faults(timers, () => cluster.watches.drop())
  const loadAll = (manifests: readonly unknown[]) => keeping.asGiven(() => load(cluster, manifests))
  const app = appOf(cluster, faults, requests)
  return {
    store,
    logs: cluster.logs,
    users: cluster.users,
    faults,
    watches: () => cluster.watches.open,
    requests,
    adminToken: ADMIN_TOKEN,
    fetch: async (request) => app.fetch(request),
    load: loadAll,
    loadFolder({ manifests, logs }) {
      for (const { pod, container, previous, text } of logs) cluster.logs.set(pod, container, previous, text)
      loadAll(manifests)
    },
    addUser: (user) => addUser(cluster, user),
  }
}

interface Env {
  Variables: { asked: Asked }
}

function appOf(cluster: Cluster, faults: Faults, requests: LoggedRequest[]): Hono<Env> {
  const app = new Hono<Env>()
  const stamp = (response: Response): Response => {
    response.headers.set('date', new Date(cluster.clock.now()).toUTCString())
    return response
  }
  app.onError((error) => {
    if (error instanceof Refusal) return stamp(refused(error))
    throw error
  })
  app.use(async (context, next) => {
    const asked = await ask(context.req.raw)
    const entry = { ...entryOf(cluster, asked), status: 0 }
    requests.push(entry)
    if (requests.length > KEPT_REQUESTS) requests.shift()
    try {
      asked.user = cluster.users.authenticate(context.req.header('authorization') ?? null)
      entry.user = asked.user.name
      const struck = faults.strike({ method: asked.method, path: asked.url.pathname, user: asked.user.name })
      for (const fault of struck) await faults.suffer(fault, context.req.raw.signal)
      context.set('asked', asked)
      await next()
      entry.status = context.res.status
      stamp(context.res)
      if (struck.some((fault) => fault.kind === 'cut-after')) throw new Cut()
    } catch (error) {
      if (error instanceof Refusal) entry.status = error.code
      throw error
    }
  })
  const paths = {
    '/version': () => json(VERSION),
    '/api': (host: string) => json(coreVersions(host)),
    '/apis': () => json(groupList(cluster.resources)),
  }
  for (const [path, answer] of Object.entries(paths)) app.get(path, (context) => allowedPath(cluster, context.get('asked')) ?? answer(context.get('asked').url.host))
  for (const path of ['/readyz', '/livez', '/healthz']) app.get(path, (context) => allowedPath(cluster, context.get('asked')) ?? context.text('ok'))
  app.get('/apis/:group', (context) => allowedPath(cluster, context.get('asked')) ?? found(group(cluster.resources, context.req.param('group'))))
  app.get(
    '/apis/:group/:version',
    (context) => allowedPath(cluster, context.get('asked')) ?? found(resourceList(cluster.resources, `${context.req.param('group')}/${context.req.param('version')}`)),
  )
  app.get('/api/:version', (context) => allowedPath(cluster, context.get('asked')) ?? found(resourceList(cluster.resources, context.req.param('version'))))
  app.all('*', (context) => onResource(cluster, context.get('asked'), context.req.raw))
  return app
}

const json = (body: Plain): Response => Response.json(body)
const found = (body: Plain | undefined): Response => (body ? json(body) : missingPage())
/** What the server says where no API group answers at all. */
const missingPage = (): Response => new Response('404 page not found\n', { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } })
function refused(refusal: Refusal): Response {
  const retry = refusal.more.retryAfterSeconds
  return Response.json(refusal.body(), { status: refusal.code, headers: retry ? { 'retry-after': String(retry) } : {} })
}
function entryOf(cluster: Cluster, asked: Asked): LoggedRequest & { user: string } {
  const { method, url, contentType, body, verb } = asked
  const query = url.search.replace(/^\?/, '')
  const sent = body === undefined ? {} : { body: copyOf(body) }
  return { at: cluster.clock.now(), user: ANONYMOUS.name, verb, method, path: url.pathname, query, dryRun: isDryRun(url.searchParams, body), contentType, ...sent, status: 0 }
}
/** Undefined when the path may be read. */
function allowedPath({ rbac }: Cluster, { user, method, url }: Asked): undefined {
  const verb = method === 'GET' ? 'get' : method.toLowerCase()
  if (!rbac.judgePath(user, verb, url.pathname).allowed) throw denialOfPath(user, verb, url.pathname)
  return undefined
}

function onResource(cluster: Cluster, asked: Asked, request: Request): Response {
  const { path, verb, user } = asked
  if (!path || verb === 'other') {
    allowedPath(cluster, asked)
    return missingPage()
  }
  const attempt = { verb, group: path.group, resource: path.plural, subresource: path.subresource, namespace: path.namespace, name: asked.namedIn }
  if (!cluster.rbac.judge(user, attempt).allowed) throw denial(user, attempt)
  if (!cluster.resources.serves(path.apiVersion)) return missingPage()
  const reply = answer(cluster, callOf(cluster.resources, asked, request))
  return new Response(reply.status === 204 ? null : reply.text, { status: reply.status, headers: { 'content-type': reply.contentType ?? 'application/json' } })
}

type Answers = Readonly<Partial<Record<Verb, (cluster: Cluster, call: Call) => Reply>>>
const ON_SUBRESOURCE: Readonly<Record<string, Answers>> = {
  status: { get: readOne, update, patch },
  scale: { get: readScale, update: writeScale, patch: writeScale },
  eviction: { create: evict },
  log: { get: readLog },
  resize: { get: readOne, update, patch },
}
const ON_COLLECTION: Answers = {
  list: readList,
  watch: (cluster, call) => cluster.watches.start(cluster, call),
  create,
  deletecollection: (cluster, call) => removeAll(cluster, call, cluster.store.peekAll(call.resource.stored).filter(selection(call))),
}
const ON_OBJECT: Answers = { get: readOne, watch: (cluster, call) => cluster.watches.start(cluster, call), update, patch, delete: remove }

function answer(cluster: Cluster, call: Call): Reply {
  const { resource, subresource } = call
  if (subresource !== '' && !resource.subresources.includes(subresource)) throw noSuchPath()
  const answers = subresource !== '' ? (ON_SUBRESOURCE[subresource] ?? {}) : resource.review ? { create: review } : call.name === '' ? ON_COLLECTION : ON_OBJECT
  const run = answers[call.verb]
  if (!run) throw methodNotAllowed()
  return run(cluster, call)
}
