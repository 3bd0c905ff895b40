// From the catalogues to roles: one for reading, one for the ledger, one for Events, and one for each action.
import type { Action } from '../actions/define-action.ts'
import type { Right } from '../domain/plan.ts'
import type { Fact } from '../facts/define-fact.ts'

/** A rule as RBAC writes it. */
export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}
export interface Role {
  readonly name: string
  readonly what: string
  readonly rules: readonly Rule[]
}

type Needing = Pick<Action, 'name' | 'summary' | 'needs' | 'scope'>

const right = (apiGroup: string, resource: string, ...verbs: string[]): Right => ({ apiGroup, resource, verbs })
const HELD = ['get', 'list', 'watch'] as const

/** What the program reads whatever the rules say: it holds these kinds by a watch, follows owners, and looks before it acts. */
const ALWAYS_READ: readonly Right[] = [
  right('', 'pods', ...HELD),
  right('apps', 'deployments', ...HELD),
  right('apps', 'replicasets', ...HELD),
  right('apps', 'statefulsets', ...HELD),
  right('apps', 'daemonsets', ...HELD),
  right('batch', 'jobs', ...HELD),
  right('batch', 'cronjobs', 'get'),
  right('autoscaling', 'horizontalpodautoscalers', ...HELD),
  right('policy', 'poddisruptionbudgets', ...HELD),
  right('', 'services', 'get'),
  right('', 'persistentvolumeclaims', 'get'),
  right('', 'limitranges', 'list'),
  right('', 'resourcequotas', 'get', 'list'),
  right('autoscaling.k8s.io', 'verticalpodautoscalers', 'get'),
]

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']
const rank = (verb: string): number => (VERBS.includes(verb) ? VERBS.indexOf(verb) : VERBS.length)

/** One right per resource with all its verbs, in a fixed order: equal catalogues give equal text. */
export function joined(rights: readonly Right[]): readonly Right[] {
  const verbs = new Map<string, Set<string>>()
  for (const { apiGroup, resource, verbs: more } of rights) {
    const key = `${apiGroup} ${resource}`
    verbs.set(key, new Set([...(verbs.get(key) ?? []), ...more]))
  }
  return [...verbs]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, all]) => {
      const [apiGroup = '', resource = ''] = key.split(' ')
      return { apiGroup, resource, verbs: [...all].toSorted((a, b) => rank(a) - rank(b)) }
    })
}
const rulesOf = (rights: readonly Right[]): readonly Rule[] => joined(rights).map(({ apiGroup, resource, verbs }) => ({ apiGroups: [apiGroup], resources: [resource], verbs }))

const readRights = (facts: readonly Pick<Fact, 'needs'>[]): readonly Right[] => joined([...ALWAYS_READ, ...facts.flatMap(({ needs }) => needs)])

/** No entry in the ledger, no write. `create` cannot be limited by name, for the name is not known when it is authorised. */
const LEDGER: readonly Rule[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'], resourceNames: ['alerts-slm-ledger'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
]

export const READ_ROLE = 'alerts-slm-read'
const LEDGER_ROLE = 'alerts-slm-ledger'
const EVENTS_ROLE = 'alerts-slm-events'
export const actionRole = (action: string): string => `alerts-slm-action-${action.replaceAll('_', '-')}`

/** Everything that these actions and facts need, ledger and Events included. */
export const neededRights = (actions: readonly Pick<Action, 'needs'>[], facts: readonly Pick<Fact, 'needs'>[]): readonly Right[] =>
  joined([...readRights(facts), right('', 'configmaps', 'get', 'create', 'patch'), right('events.k8s.io', 'events', 'create'), ...actions.flatMap(({ needs }) => needs)])

/** An action that needs nothing, or works on a cluster's own objects, gets no role here. */
export function rolesFor(actions: readonly Needing[], facts: readonly Pick<Fact, 'needs'>[]): readonly Role[] {
  const acting = actions.filter(({ needs, scope }) => needs.length > 0 && scope === 'namespace').toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return [
    { name: READ_ROLE, what: 'Reads what facts, gates and checks look at; writes nothing.', rules: rulesOf(readRights(facts)) },
    { name: LEDGER_ROLE, what: 'Remembers in the cluster what was attempted: no entry, no write.', rules: LEDGER },
    { name: EVENTS_ROLE, what: 'Tells on the target what was done there.', rules: rulesOf([right('events.k8s.io', 'events', 'create')]) },
    ...acting.map(({ name, summary, needs }) => ({ name: actionRole(name), what: `Action ${name}: ${summary}`, rules: rulesOf(needs) })),
  ]
}
