// A namespace of the lab with a sidecar in it: its own service account with the generated roles, its token, its webhook on loopback.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ACTIONS } from '../../src/actions/catalogue.ts'
import type { Action } from '../../src/actions/define-action.ts'
import { type App, startApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { isTree, type Tree } from '../../src/config/tree.ts'
import { FACTS } from '../../src/facts/catalogue.ts'
import { realPorts } from '../../src/ports.ts'
import { manifestsFor } from '../../src/rights/manifests.ts'
import { type Rule, rolesFor } from '../../src/rights/roles.ts'
import type { StoredCase } from '../../src/rooms/record/rows.ts'
import { temporaryFolder } from '../temporary.ts'
import { until } from '../waiting.ts'
import type { Audited, LabCluster } from './lab-cluster.ts'

const ACCOUNT = 'alerts-slm'
export const WEBHOOK_TOKEN = 'the-token-of-the-webhook'

export interface Sidecar {
  readonly app: App
  /** Where Alertmanager delivers, and the token that it must show. */
  readonly webhook: { readonly url: string; readonly token: string }
  readonly log: readonly string[]
  cases(): readonly StoredCase[]
  /** The first case of this alert that is closed. */
  closed(alert: string, withinMs?: number): Promise<StoredCase>
  /** What the API server wrote down of this sidecar's account. */
  audit(): readonly Audited[]
  /** Writes that are no rehearsal, on other objects than its own ledger and Events. */
  written(): readonly Audited[]
  /** Writes of its own ledger, which come before any other. */
  ledgered(): readonly Audited[]
  stop(): Promise<void>
}

export interface SidecarWishes {
  readonly namespace: string
  /** The service account that it runs as; by default the generated one. */
  readonly account?: string
  /** Over the lab's own configuration, section by section. */
  readonly config?: Tree
  readonly ends: (undo: () => Promise<void> | void) => void
}

/** Minutes of the sidecar are seconds, as those of the lab's alert rules are. */
export const configOf = (namespace: string, folder: string, alertmanagers: readonly string[], port = 0): Tree => ({
  namespace,
  kubernetes: { kubeconfig: join(folder, 'kubeconfig') },
  webhook: { host: '127.0.0.1', port, auth: { token: WEBHOOK_TOKEN } },
  operations: { host: '127.0.0.1', port: 0 },
  actions: { mode: 'enforce' },
  settle: { time: '5s', verify_within: '90s', check_every: '500ms' },
  store: { path: join(folder, 'history.db') },
  ...(alertmanagers.length > 0 && { alertmanager: { urls: [...alertmanagers], pull_every: '10s' } }),
})

/** The namespace, its account and every role, exactly as the generator writes them. */
export const generated = (namespace: string, actions: readonly Action[] = ACTIONS): readonly object[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  ...manifestsFor(actions, FACTS, namespace),
]

export interface Taken {
  readonly apiGroup: string
  readonly resource: string
  readonly verb: string
}

/** An account with the same rights in a role of its own, less one verb on one resource: wherever it was granted, it is gone. */
export function accountWithout(namespace: string, account: string, actions: readonly Action[], taken: Taken): readonly object[] {
  const api = 'rbac.authorization.k8s.io'
  const less = (rule: Rule): Rule => {
    const touched = rule.apiGroups.includes(taken.apiGroup) && rule.resources.includes(taken.resource)
    return touched ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== taken.verb) } : rule
  }
  const rules = rolesFor(actions, FACTS)
    .flatMap((role) => role.rules.map(less))
    .filter(({ verbs }) => verbs.length > 0)
  const metadata = { name: account, namespace }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${api}/v1`, kind: 'Role', metadata, rules },
    {
      apiVersion: `${api}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: api, kind: 'Role', name: account },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    },
  ]
}

const merged = (under: Tree, upper: Tree): Tree =>
  Object.fromEntries(
    Object.keys({ ...under, ...upper }).map((name) => {
      const [low, high] = [under[name], upper[name]]
      return [name, isTree(low) && isTree(high) ? merged(low, high) : (high ?? low)]
    }),
  )

/** Starts the app in this process as the account of the namespace, which must be there with its roles. */
export async function startSidecar(lab: LabCluster, { namespace, account = ACCOUNT, config = {}, ends }: SidecarWishes): Promise<Sidecar> {
  const folder = temporaryFolder(ends)
  writeFileSync(join(folder, 'kubeconfig'), await kubeconfigFor(lab, namespace, account), { mode: 0o600 })
  const log: string[] = []
  const defaults = merged(configOf(namespace, folder, lab.alertmanagers), config)
  const app = await startApp({ config: await loadConfig({ environment: {}, defaults }), ports: realPorts, writeLog: (line) => log.push(line) })
  const stop = () => app.stop('the test is over')
  ends(stop)
  const { webhook } = app.urls
  if (webhook === undefined) throw new Error('the sidecar opened no webhook')
  const cases = () => [...app.history.cases({ limit: 1_000 })].reverse()
  const user = `system:serviceaccount:${namespace}:${account}`
  return {
    app,
    webhook: { url: `${webhook.replace(/\/$/, '')}/alerts`, token: WEBHOOK_TOKEN },
    log,
    cases,
    closed(alert, withinMs = 60_000) {
      const found = () => cases().find((one) => one.alert === alert && one.closedAt !== undefined)
      return until(`a closed case of ${alert}`, found, { withinMs, everyMs: 100, explain: () => `${cases().map(caseLine).join('\n')}\n${log.slice(-20).join('')}` })
    },
    audit: () => lab.audit(user),
    written: () => lab.audit(user).filter(isWorkloadWrite),
    ledgered: () => lab.audit(user).filter((one) => isWrite(one) && one.objectRef?.resource === 'configmaps'),
    stop,
  }
}

const caseLine = ({ alert, state, action, outcome, reason, because, waitingFor }: StoredCase): string =>
  [alert, state, action, outcome, reason, because, waitingFor].filter(Boolean).join(' | ')

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection']
/** Its ledger, its Events, and questions that are sent as objects. */
const OWN = ['configmaps', 'events', 'selfsubjectaccessreviews']
/** A rehearsal asks the API server, and changes nothing. */
const isWrite = ({ verb, requestURI }: Audited): boolean => WRITES.includes(verb) && !requestURI.includes('dryRun=All')
/** On another object than its own. */
export const isWorkloadWrite = (one: Audited): boolean => isWrite(one) && !OWN.includes(one.objectRef?.resource ?? '')

export const kubeconfigFor = async ({ server, ca, tokenFor }: Pick<LabCluster, 'server' | 'ca' | 'tokenFor'>, namespace: string, account = ACCOUNT): Promise<string> =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: account, user: { token: await tokenFor(namespace, account) } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: account, namespace } }],
    'current-context': 'lab',
  })
