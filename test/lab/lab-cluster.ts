// The lab as the suites see it: one that runs already and is shared, or one of the suite's own that it may break.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import * as z from 'zod'
import { isFault } from '../../src/domain/fault.ts'
import type { Right } from '../../src/domain/plan.ts'
import type { Http } from '../../src/domain/ports.ts'
import type { Transport } from '../../src/kube/transport.ts'
import { type Addresses, readState } from './addresses.ts'
import { unbuilt, uninstalled } from './binaries.ts'
import { adminOf, httpOf, transportOf } from './cluster.ts'
import { routeAlerts } from './parts/alertmanager.ts'
import { binariesOf, type PartName } from './parts/catalogue.ts'
import { told } from './parts/part.ts'
import { startLab } from './running-lab.ts'

export interface LabCluster {
  readonly server: string
  /** PEM of the certificate authority. */
  readonly ca: string
  readonly http: Http
  readonly adminToken: string
  readonly admin: Transport
  readonly kubeconfig: string
  readonly prometheus: string
  /** Where another part answers. */
  readonly address: (name: Parameters<typeof told>[1]) => string
  readonly alertmanagers: readonly string[]
  /** As whoever holds the token. */
  readonly as: (token: string) => Transport
  /** A token of the account by the TokenRequest API, as a pod would be given. */
  readonly tokenFor: (namespace: string, serviceAccount: string) => Promise<string>
  /** Makes what is not there yet. */
  readonly given: (...manifests: readonly object[]) => Promise<void>
  /** A token of an account that holds exactly these rights in the namespace. */
  readonly accountWith: (namespace: string, rights: readonly Right[]) => Promise<string>
  /** Sends the namespace's alerts there from now on; without a URL, to nobody. */
  readonly route: (route: { readonly namespace: string; readonly url?: string; readonly token?: string }) => Promise<void>
  /** What the API server wrote down of this user, in order. */
  readonly audit: (user: string) => readonly Audited[]
  /** Only of a lab of the suite's own: ends a process as a crash would, and starts it again. */
  readonly kill: (process: string) => Promise<void>
  readonly start: (process: string) => Promise<void>
  /** Ends a lab of the suite's own; one that is shared goes on. */
  readonly stop: () => Promise<void>
}

const SHARED = 'ALERTS_SLM_LAB'

const required = (): boolean => (process.env['REQUIRE_SUITES'] ?? '').split(',').includes('lab')

/** Runs the suite where the lab is asked for; else one visible skipped test says how. `npm test` asks for no lab, so that it stays quick. */
export function labSuite(name: string, parts: readonly PartName[], suite: () => void): void {
  const binaries = binariesOf(parts)
  const missing = [...uninstalled(binaries), ...unbuilt(binaries).map(([binary]) => `${binary} is not built: npm run lab -- build`)]
  if (required() && missing.length > 0)
    return void describe(name, () => {
      it('has what it needs', () => {
        throw new Error(missing.join('\n'))
      })
    })
  if (required() || process.env[SHARED] !== undefined) return void describe(name, suite)
  describe.skip(`${name} (needs the lab: npm run test:lab)`, () => it('was not run', () => undefined))
}

/** The lab that runs already where it has these parts; else, or when the suite wants one that it may break, one of its own. */
export async function withLab(parts: readonly PartName[], { own = false } = {}): Promise<LabCluster> {
  const folder = process.env[SHARED]
  const shared = own || folder === undefined ? undefined : readState(folder)
  if (shared && parts.every((part) => shared.parts.some(({ name, state }) => name === part && state === 'runs')))
    return clusterOf(shared.folder, () => shared.addresses, SHARED_CONTROL)
  const made = mkdtempSync(join(tmpdir(), 'alerts-slm-lab-'))
  const lab = await startLab(parts, made)
  return clusterOf(made, () => lab.addresses, {
    kill: (process) => lab.kill(process),
    start: lab.start,
    async stop() {
      await lab.stop()
      rmSync(made, { recursive: true, force: true })
    },
  })
}

const refuse = async (): Promise<never> => {
  throw new Error('this lab is shared: a suite that breaks something takes one of its own, withLab(parts, { own: true })')
}
const SHARED_CONTROL = { kill: refuse, start: refuse, stop: async () => {} }

const TOKEN = z.object({ status: z.object({ token: z.string() }) })
let accounts = 0

function clusterOf(folder: string, addressesNow: () => Addresses, control: Pick<LabCluster, 'kill' | 'start' | 'stop'>): LabCluster {
  const addresses = addressesNow()
  const admin = adminOf(addresses)
  const tokenFor = async (namespace: string, serviceAccount: string): Promise<string> => {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`
    const { body } = await admin.send({ method: 'POST', path, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } })
    return TOKEN.parse(body).status.token
  }
  const given = async (...manifests: readonly object[]): Promise<void> => {
    for (const manifest of manifests) await create(admin, manifest)
  }
  return {
    server: told(addresses, 'apiServer'),
    ca: readFileSync(told(addresses, 'ca'), 'utf8'),
    http: httpOf(addresses),
    adminToken: told(addresses, 'adminToken'),
    admin,
    kubeconfig: told(addresses, 'kubeconfig'),
    get prometheus() {
      return told(addresses, 'prometheus')
    },
    address: (name) => told(addressesNow(), name),
    alertmanagers: [...(addresses.alertmanagers ?? []), ...(addresses.debianAlertmanagers ?? [])],
    as: (token) => transportOf(addresses, token),
    tokenFor,
    given,
    async accountWith(namespace, rights) {
      const name = `limited-${accounts++}`
      await given(...limitedAccount(namespace, name, rights))
      return tokenFor(namespace, name)
    },
    route: (route) => routeAlerts(folder, addresses, route),
    audit: (user) => auditedBy(told(addresses, 'auditLog'), user),
    ...control,
  }
}

const META = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string(), namespace: z.string().exactOptional() }) })

/** An object that is there already is left as it is. */
async function create(admin: Transport, manifest: object): Promise<void> {
  const { apiVersion, kind, metadata } = META.parse(manifest)
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  try {
    await admin.send({ method: 'POST', path: `${root}${scope}/${plural(kind)}`, body: manifest })
  } catch (error) {
    if (!isFault(error, 'CLUSTER_CONFLICT')) throw error
  }
}
const plural = (kind: string): string => {
  const lower = kind.toLowerCase()
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : lower.endsWith('s') ? `${lower}es` : `${lower}s`
}

function limitedAccount(namespace: string, name: string, rights: readonly Right[]): readonly object[] {
  const metadata = { name, namespace }
  const rules = rights.map(({ apiGroup, resource, verbs }) => ({ apiGroups: [apiGroup], resources: [resource], verbs }))
  const api = 'rbac.authorization.k8s.io'
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${api}/v1`, kind: 'Role', metadata, rules },
    { apiVersion: `${api}/v1`, kind: 'RoleBinding', metadata, roleRef: { apiGroup: api, kind: 'Role', name }, subjects: [{ kind: 'ServiceAccount', name, namespace }] },
  ]
}

const AUDITED = z.object({
  verb: z.string(),
  requestURI: z.string(),
  requestReceivedTimestamp: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z.object({ resource: z.string().optional(), subresource: z.string().optional(), namespace: z.string().optional(), name: z.string().optional() }).optional(),
  responseStatus: z.object({ code: z.int() }).optional(),
  requestObject: z.unknown().optional(),
})
export type Audited = z.output<typeof AUDITED>

const auditedBy = (file: string, user: string): readonly Audited[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"username":"${user}"`))
    .map((line) => AUDITED.parse(JSON.parse(line)))
    .filter(({ user: { username } }) => username === user)
