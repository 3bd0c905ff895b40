// Connection to one cluster: by a kubeconfig (client-node's KubeConfig, loaded only then), by the pod's own account, or plainly by URL and token.
import { existsSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { Fault } from '../domain/fault.ts'
import type { Http, Ports, Tls } from '../domain/ports.ts'
import { ACCOUNT_FOLDER, type Environment, type PodAccount, podAccount } from './account.ts'
import { type Exec, makeExec } from './exec.ts'
import { makeTransport, type Transport } from './transport.ts'

export interface ConnectOptions {
  /** A file. Without it: KUBECONFIG, ~/.kube/config, then the pod's service account, as kubectl does. */
  readonly kubeconfig?: string
  readonly context?: string
  /** Plain URL and token in place of any kubeconfig: practice and tests. */
  readonly server?: string
  readonly token?: string
  /** Without it: the context's, else the pod's, else `default`. */
  readonly namespace?: string
  readonly requestsPerSecond?: number
  readonly burst?: number
  readonly timeoutMs?: number
  /** The process's own when left out. */
  readonly environment?: Environment
  /** Where the service account is mounted. */
  readonly accountFolder?: string
}

export interface Connection {
  readonly transport: Transport
  readonly namespace: string
  /** For people: the API server and how we came by it. */
  readonly describe: string
  readonly exec: Exec
}

type Headers = Readonly<Record<string, string>>
interface Way {
  readonly server: string
  readonly describe: string
  readonly namespace: string | undefined
  readonly http: Http
  readonly headers: () => Promise<Headers>
  readonly config: () => Promise<KubeConfig>
}

export async function connect(options: ConnectOptions, ports: Ports): Promise<Connection> {
  const { server, token, namespace, requestsPerSecond, burst, timeoutMs } = options
  const account = server === undefined ? ownAccount(options) : undefined
  const way = server !== undefined ? plain(server, token, ports) : account ? await mounted(account, ports) : await configured(options, ports)
  const transport = makeTransport({
    http: way.http,
    server: way.server,
    headers: way.headers,
    clock: ports.clock,
    timers: ports.timers,
    random: ports.random,
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
    ...(burst !== undefined && { burst }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  return { transport, namespace: namespace ?? way.namespace ?? 'default', describe: way.describe, exec: makeExec(way.config, ports.timers) }
}

const withoutLogin = (server: string): string => {
  const { protocol, host, pathname } = new URL(server)
  return `${protocol}//${host}${pathname.replace(/\/$/, '')}`
}

const loadClient = () => import('@kubernetes/client-node')

function plain(server: string, token: string | undefined, ports: Ports): Way {
  const headers: Headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    server,
    describe: withoutLogin(server),
    namespace: undefined,
    http: ports.http(),
    headers: async () => headers,
    config: async () => {
      const config = new (await loadClient()).KubeConfig()
      config.loadFromClusterAndUser({ name: 'plain', server, skipTLSVerify: server.startsWith('http:') }, { name: 'plain', ...(token !== undefined && { token }) })
      return config
    },
  }
}

/** The pod's account where no kubeconfig is named or lies where kubectl looks for one. */
function ownAccount({ kubeconfig, context, environment = process.env, accountFolder = ACCOUNT_FOLDER }: ConnectOptions): PodAccount | undefined {
  const named = kubeconfig ?? context ?? environment['KUBECONFIG']
  return named || existsSync(join(environment['HOME'] ?? homedir(), '.kube', 'config')) ? undefined : podAccount(environment, accountFolder)
}

async function mounted(account: PodAccount, ports: Ports): Promise<Way> {
  const live = refreshed(async () => {
    const { token, ca } = await account.read()
    return { tls: { ca }, headers: { authorization: `Bearer ${token}` } }
  }, ports)
  return {
    server: account.server,
    describe: `${account.server} (the pod's service account)`,
    namespace: await account.namespace(),
    http: async (request) => (await live()).http(request),
    headers: async () => (await live()).headers,
    config: async () => {
      const config = new (await loadClient()).KubeConfig()
      config.loadFromCluster()
      return config
    },
  }
}

async function configured({ kubeconfig, context }: ConnectOptions, ports: Ports): Promise<Way> {
  const config = await loaded(kubeconfig)
  if (context !== undefined) choose(config, context)
  const current = config.getContextObject(config.getCurrentContext())
  const cluster = config.getCurrentCluster()
  if (!current || !cluster) throw invalid(`the kubeconfig has no usable context${current ? '' : `, ${config.getCurrentContext() || 'none'} is chosen`}`)
  if (cluster.proxyUrl) throw invalid('proxy-url in the kubeconfig is not supported')
  const live = refreshed(() => materialOf(config), ports)
  return {
    server: cluster.server,
    describe: `${withoutLogin(cluster.server)} (context ${current.name})`,
    namespace: current.namespace?.trim() || undefined,
    http: async (request) => (await live()).http(request),
    headers: async () => (await live()).headers,
    config: async () => config,
  }
}

const invalid = (message: string): Fault => new Fault('CONFIG_INVALID', message)

async function loaded(file: string | undefined): Promise<KubeConfig> {
  const config = new (await loadClient()).KubeConfig()
  try {
    if (file === undefined) config.loadFromDefault()
    else config.loadFromFile(file)
  } catch (error) {
    // Only the code: the message, and a cause that a logger would print, may quote the file and with it a token.
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw invalid(`the kubeconfig${file === undefined ? '' : ` ${file}`} cannot be read${code}`)
  }
  // What client-node makes up when it finds nothing at all.
  if (file === undefined && config.getCurrentContext() === 'loaded-context')
    throw invalid('no cluster is configured: no KUBECONFIG, no ~/.kube/config and no service account of a pod')
  return withPlainServers(config)
}

/** client-node refuses http:// servers unless verification is off, which means nothing without TLS. */
function withPlainServers(config: KubeConfig): KubeConfig {
  const clusters = config.getClusters().map((cluster) => (cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster))
  config.loadFromOptions({ clusters, users: config.getUsers(), contexts: config.getContexts(), currentContext: config.getCurrentContext() })
  return config
}

function choose(config: KubeConfig, context: string): void {
  const names = config.getContexts().map(({ name }) => name)
  if (!names.includes(context)) throw invalid(`the kubeconfig has no context ${context}; it has ${names.join(', ') || 'none'}`)
  config.setCurrentContext(context)
}

interface Material {
  readonly tls: Tls
  readonly headers: Headers
}
interface Live {
  readonly headers: Headers
  readonly http: Http
}

const FRESH_MS = 10_000

async function materialOf(config: KubeConfig): Promise<Material> {
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  return { tls: tlsOf(options), headers: headersOf(options) }
}

/**
 * Token, CA and certificate as they are now: tokens of pods rotate, exec plugins and files renew certificates. A new
 * pool is opened only when the TLS material changed; the old one's idle connections end by themselves.
 */
function refreshed(read: () => Promise<Material>, ports: Ports): () => Promise<Live> {
  let last: { readonly at: number; readonly live: Promise<Live> } | undefined
  let pool: { readonly key: string; readonly http: Http } | undefined

  async function refresh(): Promise<Live> {
    const { tls, headers } = await read()
    const key = JSON.stringify(tls)
    if (pool?.key !== key) pool = { key, http: ports.http(tls) }
    return { headers, http: pool.http }
  }

  return () => {
    if (last && ports.clock.elapsed() - last.at < FRESH_MS) return last.live
    const live = refresh()
    last = { at: ports.clock.elapsed(), live }
    live.catch(() => {
      last = undefined
    })
    return live
  }
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Tls {
  const [caText, certText, keyText] = [pem(ca), pem(cert), pem(key)]
  return {
    ...(caText !== undefined && { ca: caText }),
    ...(certText !== undefined && { cert: certText }),
    ...(keyText !== undefined && { key: keyText }),
    ...(servername !== undefined && { serverName: servername }),
    ...(rejectUnauthorized === false && { skipVerify: true }),
  }
}
const pem = (material: unknown): string | undefined => (typeof material === 'string' ? material : Buffer.isBuffer(material) ? material.toString('utf8') : undefined)

function headersOf({ headers, auth }: RequestOptions): Headers {
  const known = headers === undefined || Array.isArray(headers) ? [] : Object.entries(headers)
  const kept = known.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value.trim()]] : []))
  return { ...(auth && { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }), ...Object.fromEntries(kept) }
}
