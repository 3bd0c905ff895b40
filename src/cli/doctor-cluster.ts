// The doctor's look at the cluster: is the API server there, is it ours, and which right is missing for what.
import { ACTIONS } from '../actions/catalogue.ts'
import { readOperatorPolicy } from '../config/policy.ts'
import type { Config } from '../config/schema.ts'
import { formatDuration } from '../domain/duration.ts'
import { isFault } from '../domain/fault.ts'
import type { Right } from '../domain/plan.ts'
import type { Policy } from '../domain/policy.ts'
import type { Ports } from '../domain/ports.ts'
import { isUnknown } from '../domain/unknown.ts'
import { readConfigMap } from '../edges.ts'
import { FACTS } from '../facts/catalogue.ts'
import { type Access, type MissingRight, makeAccess } from '../kube/access.ts'
import type { Connection } from '../kube/connect.ts'
import { makeLedger } from '../kube/ledger.ts'
import { makeReader } from '../kube/reader.ts'
import { actionRole, type Role, rolesFor } from '../rights/roles.ts'
import { type Check, note, ok, warn, wrong } from './doctor-check.ts'
import { connected, policyInForce } from './live.ts'

export async function clusterChecks(config: Config, ports: Ports): Promise<readonly Check[]> {
  const connection = await attempt(() => connected(config, ports))
  if ('fault' in connection) return [wrong('API server', connection.fault.message, connection.fault.hint)]
  const { transport, namespace, describe } = connection.value
  const version = await attempt(() => transport.send({ method: 'GET', path: '/version' }))
  if ('fault' in version) return [wrong('API server', `${describe}: ${version.fault.message}`, version.fault.hint)]
  const policy = await policyInForce(config, transport, ports.clock)
  return [
    ok('API server', `${describe} answers${versionOf(version.value.body)}`),
    clock(connection.value, ports),
    await namespaceCheck(connection.value),
    ...(await policyCheck(config, connection.value)),
    await ledgerCheck(connection.value),
    ...(await rightsChecks(makeAccess(transport, namespace, ports.clock), policy, namespace)),
  ]
}

type Tried<T> = { readonly value: T } | { readonly fault: { readonly code: string; readonly message: string; readonly hint: string } }
async function attempt<T>(work: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { value: await work() }
  } catch (fault) {
    if (isFault(fault)) return { fault }
    throw fault
  }
}

const versionOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'gitVersion' in body && typeof body.gitVersion === 'string' ? `, version ${body.gitVersion}` : ''

/** Entries of the ledger carry the API server's time, cooldowns are counted in ours. */
const SKEW_MS = 10_000
function clock({ transport }: Connection, { clock: own }: Ports): Check {
  const theirs = transport.serverTime()
  if (theirs === undefined) return wrong('clock', 'the API server sends no Date header, so nothing can be entered in the ledger', 'look for a proxy that takes it away')
  const skew = Math.abs(own.now() - theirs)
  if (skew <= SKEW_MS) return ok('clock', 'agrees with the API server')
  return warn('clock', `differs by ${formatDuration(skew)} from the API server’s`, 'synchronise the clocks: cooldowns and ages are wrong by as much')
}

async function namespaceCheck({ transport, namespace }: Connection): Promise<Check> {
  const found = await attempt(() => makeReader(transport, namespace).get('Namespace', namespace))
  if ('value' in found)
    return found.value ? ok('namespace', `${namespace} exists`) : wrong('namespace', `${namespace} does not exist`, 'correct namespace (ALERTS_SLM_NAMESPACE), or create it')
  return found.fault.code === 'CLUSTER_FORBIDDEN'
    ? note('namespace', `${namespace}; whether it exists may not be asked, and need not be`)
    : wrong('namespace', found.fault.message, found.fault.hint)
}

async function policyCheck({ policy: { config_map: named } }: Config, { transport }: Connection): Promise<readonly Check[]> {
  if (!named) return [note('policy', "no operator's ConfigMap is configured: only the own configuration limits what is done")]
  const where = `ConfigMap ${named.namespace}/${named.name}`
  const data = await readConfigMap(makeReader(transport, named.namespace), named.name)
  if (data === undefined) return [wrong('policy', `${where} does not exist: every write is held`, 'create it, or correct policy.config_map')]
  if (isUnknown(data)) return [wrong('policy', `${where} cannot be read: ${data.unknown}`, `let the account read it: ${RBAC} with --config prints the Role`)]
  const understood = readOperatorPolicy(data)
  return [isUnknown(understood) ? wrong('policy', understood.unknown, `correct ${where}`) : ok('policy', `${where} is read and understood`)]
}

async function ledgerCheck({ transport, namespace }: Connection): Promise<Check> {
  const entries = await attempt(() => makeLedger(transport, namespace).entries())
  // Which right is missing stands among the rights.
  if ('fault' in entries && entries.fault.code === 'CLUSTER_FORBIDDEN') return note('ledger', 'may not be read')
  if ('fault' in entries) return wrong('ledger', entries.fault.message, entries.fault.hint)
  const open = entries.value.filter(({ outcome }) => outcome === undefined).length
  return ok('ledger', `${entries.value.length} attempts remembered, ${open} not ended`)
}

// ── rights ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
const RBAC = 'alerts-slm rbac'

/** What to read is always needed; what to change only where something is to be changed. */
async function rightsChecks(access: Access, { mode, allowedActions }: Policy, namespace: string): Promise<readonly Check[]> {
  const allowed = ACTIONS.filter(({ name }) => allowedActions?.includes(name) ?? true)
  const roles = rolesFor(allowed, FACTS)
  const actionOf = new Map(allowed.map(({ name }) => [actionRole(name), ` --action ${name}`]))
  return Promise.all(
    roles.map(async (role) => {
      const name = `rights of ${role.name}`
      const missing = await access.missing(rightsOf(role))
      if (isUnknown(missing)) return wrong(name, missing.unknown, 'make the API server answer access reviews')
      if (missing.length === 0) return ok(name, 'all there')
      const says = `missing in ${namespace}: ${missing.map(named).join(', ')}. ${role.what}`
      const remedy = `${RBAC} --namespace ${namespace}${actionOf.get(role.name) ?? ''} | kubectl apply -f -`
      const check = mode === 'observe' && writes(role) ? warn(name, `${says} Not needed while the mode is observe.`, remedy) : wrong(name, says, remedy)
      return { ...check, missing: missing.map(named) }
    }),
  )
}

const rightsOf = ({ rules }: Role): readonly Right[] =>
  rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
    apiGroups.flatMap((apiGroup) => resources.flatMap((resource) => resourceNames.map((name): Right => ({ apiGroup, resource, verbs, ...(name !== undefined && { name }) })))),
  )
const writes = ({ rules }: Role): boolean => rules.some(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)))
const named = ({ right: { resource, apiGroup, name }, verb }: MissingRight): string => `${verb} ${resource}${apiGroup ? `.${apiGroup}` : ''}${name ? ` ${name}` : ''}`
