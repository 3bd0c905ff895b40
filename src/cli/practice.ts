// `alerts-slm practice`: the practice API server alone, over HTTP on the loopback interface, until it is told to stop.
import { Command } from 'commander'
import { Fault, isFault } from '../domain/fault.ts'
import { realPorts } from '../ports.ts'
import { checkBehaviour } from '../practice/behaviour.ts'
import { startControllers } from '../practice/controllers.ts'
import { readFolder } from '../practice/folder.ts'
import { listen } from '../practice/listen.ts'
import { makePractice, type Practice } from '../practice/server.ts'
import { print, printJsonLine } from './output.ts'
import { signalled } from './signalled.ts'

interface Options {
  readonly load?: string
  readonly port: string
  readonly account?: readonly string[]
  readonly anonymous: boolean
  readonly frozen?: boolean
  readonly onceReady?: boolean
  readonly json?: boolean
}

const RBAC = 'rbac.authorization.k8s.io'

const textAt = (value: unknown, ...path: readonly string[]): string | undefined => {
  const found = path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value)
  return typeof found === 'string' ? found : undefined
}

/** With a Namespace for every object that names one, as `kubectl apply` into it needs. */
async function load(practice: Practice, dir: string): Promise<number> {
  const folder = await readFolder(dir)
  const wrong = folder.manifests.flatMap((manifest) => {
    const flaw = textAt(manifest, 'kind') === 'Behaviour' ? checkBehaviour(manifest) : undefined
    return flaw === undefined ? [] : [`Behaviour ${textAt(manifest, 'metadata', 'name')}: ${flaw}`]
  })
  if (wrong.length > 0) throw new Fault('INPUT_INVALID', `${dir}: ${wrong.join('\n')}`)
  practice.loadFolder(folder)
  const namespaces = new Set(practice.store.kinds().flatMap(({ kind }) => practice.store.peekAll(kind).flatMap(({ metadata }) => metadata.namespace ?? [])))
  const known = new Set(practice.store.peekAll('Namespace').map(({ metadata }) => metadata.name))
  practice.load([...namespaces].filter((name) => !known.has(name)).map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } })))
  return folder.manifests.length
}

/** kubectl sends no token over plain HTTP, so whoever comes without one may do everything, as behind `kubectl proxy`. */
const FOR_ANYBODY = [
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'practice-anybody' },
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'practice-anybody' },
    subjects: [{ kind: 'Group', apiGroup: RBAC, name: 'system:unauthenticated' }],
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'practice-anybody' },
  },
]

/** Who may do what the loaded Roles grant, and nothing else. */
function addAccount(practice: Practice, written: string): { readonly account: string; readonly token: string } {
  const [namespace, name, ...rest] = written.split('/')
  if (!namespace || !name || rest.length > 0) throw new Fault('INPUT_INVALID', `--account takes NAMESPACE/NAME, not ${written}`)
  const token = `practice-${namespace}-${name}`
  practice.users.add(token, `system:serviceaccount:${namespace}:${name}`)
  return { account: written, token }
}

async function serve(options: Options): Promise<void> {
  const port = Number(options.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Fault('INPUT_INVALID', `--port takes a port, not ${options.port}`)
  const practice = makePractice({ ports: realPorts })
  const loaded = options.load === undefined ? 0 : await load(practice, options.load)
  const writeLog = ({ pod, container, previous }: { pod: string; container: string; previous: boolean }, text: string) => practice.logs.set(pod, container, previous, text)
  const controllers = options.frozen ? undefined : startControllers(practice.store, realPorts, { writeLog })
  if (options.anonymous) practice.load(FOR_ANYBODY)
  const accounts = (options.account ?? []).map((account) => addAccount(practice, account))
  const ending = signalled()
  const listening = await listen(practice.fetch, port).catch((error: unknown) => {
    throw isFault(error, 'PORT_TAKEN') ? new Fault('INPUT_INVALID', `port ${port} is taken: choose another with --port, or stop what listens there`) : error
  })
  const { url } = listening
  const token = practice.adminToken
  if (options.json) printJsonLine({ url, token, accounts, loaded })
  else {
    print(`practice API server at ${url}, ${loaded} manifests loaded${options.frozen ? ', frozen: no controllers' : ''}`)
    print(`admin token: ${token}`)
    for (const { account, token: own } of accounts) print(`token of the service account ${account}: ${own}`)
    if (options.anonymous) print(`try: kubectl --server ${url} get pods --all-namespaces`)
    print(`or in a configuration: kubernetes: { server: ${url}, token: ${token} }`)
  }
  if (!options.onceReady) await ending
  controllers?.stop()
  await listening.close()
}

export function command(): Command {
  return new Command('practice')
    .description('an in-memory Kubernetes API server with small controllers, to try things on')
    .option('--load <dir>', 'a folder of plain manifests, with logs/ and Behaviours')
    .option('--port <n>', 'where it listens on 127.0.0.1 (default: a free port)', '0')
    .option('--account <namespace/name...>', 'a service account with a token: it may do what the loaded Roles grant it')
    .option('--no-anonymous', 'refuse whoever comes without a token; kubectl sends none over plain HTTP')
    .option('--frozen', 'without controllers: everything stays as it was loaded')
    .option('--once-ready', 'end as soon as it serves: shows whether a folder loads')
    .option('--json', 'one line with url and token')
    .action(serve)
}
