// Authorisation: RBAC evaluated from the Role, ClusterRole and binding objects in the store.
import { at, listAt, textAt, textsAt } from './fields.ts'
import { forbidden, forbiddenPath, type Refusal, unauthorized } from './status.ts'
import type { Store, Stored } from './store.ts'
import { ANONYMOUS, type User } from './users.ts'

/** What somebody wants to do with a resource. */
export interface Attempt {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}
export interface Verdict {
  readonly allowed: boolean
  readonly reason: string
}

interface Grant {
  readonly rules: readonly unknown[]
  /** Undefined for a cluster-wide binding. */
  readonly namespace: string | undefined
  readonly why: string
}

const KINDS = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']
const holds = (list: readonly string[], wanted: string): boolean => list.includes('*') || list.includes(wanted)

/** What every authenticated user may do: look around, and ask what it may do. */
const BASIC_PATHS = ['/api', '/apis', '/version', '/healthz', '/livez', '/readyz', '/openapi']
const BASIC_REVIEWS = ['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews']
const OPEN_PATHS = ['/healthz', '/livez', '/readyz', '/version']

export class Rbac {
  readonly #store: Store
  /** Grants by user, until a role or binding changes. */
  readonly #grants = new Map<string, readonly Grant[]>()

  constructor(store: Store) {
    this.#store = store
    store.onChange(({ object }) => {
      if (KINDS.includes(object.kind)) this.#grants.clear()
    })
  }

  judge(user: User, attempt: Attempt): Verdict {
    if (user.groups.includes('system:masters')) return { allowed: true, reason: '' }
    if (user.groups.includes('system:authenticated') && attempt.verb === 'create' && BASIC_REVIEWS.includes(attempt.resource)) return { allowed: true, reason: BASIC }
    const grant = this.#grantsOf(user).find(({ namespace, rules }) => (namespace === undefined || namespace === attempt.namespace) && rules.some((rule) => allows(rule, attempt)))
    return grant ? { allowed: true, reason: grant.why } : { allowed: false, reason: '' }
  }
  judgePath(user: User, verb: string, path: string): Verdict {
    const under = (roots: readonly string[]) => roots.some((root) => path === root || path.startsWith(`${root}/`))
    if (user.groups.includes('system:masters') || (verb === 'get' && under(OPEN_PATHS))) return { allowed: true, reason: '' }
    if (verb === 'get' && user.groups.includes('system:authenticated') && under(BASIC_PATHS)) return { allowed: true, reason: '' }
    const grant = this.#grantsOf(user).find(({ namespace, rules }) => namespace === undefined && rules.some((rule) => allowsPath(rule, verb, path)))
    return grant ? { allowed: true, reason: grant.why } : { allowed: false, reason: '' }
  }

  #grantsOf(user: User): readonly Grant[] {
    const key = JSON.stringify([user.name, user.groups])
    const known = this.#grants.get(key)
    if (known) return known
    const bindings = [...this.#store.peekAll('ClusterRoleBinding'), ...this.#store.peekAll('RoleBinding')]
    const grants = bindings.flatMap((binding) => this.#grantOf(binding, user) ?? [])
    this.#grants.set(key, grants)
    return grants
  }
  #grantOf(binding: Stored, user: User): Grant | undefined {
    const namespace = binding.kind === 'RoleBinding' ? (binding.metadata.namespace ?? '') : undefined
    const subject = listAt(binding, 'subjects').find((each) => isSubject(each, user, namespace))
    const kind = textAt(binding, 'roleRef', 'kind') ?? ''
    const name = textAt(binding, 'roleRef', 'name') ?? ''
    const role = subject === undefined ? undefined : this.#store.peek(kind, kind === 'Role' ? (namespace ?? '') : '', name)
    if (!role) return undefined
    const at_ = namespace === undefined ? binding.metadata.name : `${binding.metadata.name}/${namespace}`
    const who = textAt(subject, 'kind') === 'ServiceAccount' ? `${textAt(subject, 'name')}/${textAt(subject, 'namespace')}` : textAt(subject, 'name')
    return {
      namespace,
      rules: listAt(role, 'rules'),
      why: `RBAC: allowed by ${binding.kind} ${JSON.stringify(at_)} of ${kind} ${JSON.stringify(name)} to ${textAt(subject, 'kind')} ${JSON.stringify(who)}`,
    }
  }
}
const BASIC = 'RBAC: allowed by ClusterRoleBinding "system:basic-user" of ClusterRole "system:basic-user" to Group "system:authenticated"'

function isSubject(subject: unknown, user: User, namespace: string | undefined): boolean {
  const name = textAt(subject, 'name') ?? ''
  if (textAt(subject, 'kind') === 'Group') return user.groups.includes(name)
  if (textAt(subject, 'kind') === 'ServiceAccount') return user.name === `system:serviceaccount:${textAt(subject, 'namespace') ?? namespace ?? ''}:${name}`
  return user.name === name
}
function allows(rule: unknown, { verb, group, resource, subresource, name }: Attempt): boolean {
  const resources = textsAt(rule, 'resources')
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const named = textsAt(rule, 'resourceNames')
  return (
    holds(textsAt(rule, 'verbs'), verb) &&
    holds(textsAt(rule, 'apiGroups'), group) &&
    (holds(resources, full) || (subresource !== '' && resources.includes(`*/${subresource}`))) &&
    (named.length === 0 || named.includes(name))
  )
}
function allowsPath(rule: unknown, verb: string, path: string): boolean {
  const covers = (url: string) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))
  return holds(textsAt(rule, 'verbs'), verb) && at(rule, 'nonResourceURLs') !== undefined && textsAt(rule, 'nonResourceURLs').some(covers)
}

const where = (namespace: string): string => (namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`)
/** Nobody in particular may only ask for version and health: anything else needs a token, as where anonymous access ends there. */
export function denial(user: User, attempt: Attempt): Refusal {
  if (user === ANONYMOUS) return unauthorized()
  const { verb, group, resource, subresource, namespace, name } = attempt
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const why = `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where(namespace)}`
  return forbidden({ group, plural: resource, qualified: group === '' ? resource : `${resource}.${group}` }, name, why)
}
export const denialOfPath = (user: User, verb: string, path: string): Refusal =>
  user === ANONYMOUS ? unauthorized() : forbiddenPath(`User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}`)
