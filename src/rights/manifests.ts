// Roles as manifests: ClusterRoles once a cluster, and in each namespace the account and its bindings. Nothing is bound cluster-wide.
import type { Action } from '../actions/define-action.ts'
import type { Fact } from '../facts/define-fact.ts'
import { type Role, rolesFor } from './roles.ts'

const RBAC = 'rbac.authorization.k8s.io'
const ACCOUNT = 'alerts-slm'
const LABELS = { 'app.kubernetes.io/name': 'alerts-slm' }

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export const clusterRole = ({ name, what, rules }: Role): Manifest => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'ClusterRole',
  metadata: { name, labels: LABELS, annotations: { 'alerts-slm.io/what': what } },
  rules,
})

const account = (namespace: string): Manifest => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace, labels: LABELS } })

const binding = (role: string, namespace: string): Manifest => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'RoleBinding',
  metadata: { name: role, namespace, labels: LABELS },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace }],
})

/** The account of one namespace and what it may do there. An action whose binding is left out is one that cannot be used. */
export const namespaceManifests = (roles: readonly Pick<Role, 'name'>[], namespace: string): readonly Manifest[] => [
  account(namespace),
  ...roles.map(({ name }) => binding(name, namespace)),
]

/** Everything that one namespace needs, its ClusterRoles included. */
export function manifestsFor(actions: readonly Action[], facts: readonly Fact[], namespace: string): readonly Manifest[] {
  const roles = rolesFor(actions, facts)
  return [...roles.map(clusterRole), ...namespaceManifests(roles, namespace)]
}

/** Lets the agents of some namespaces read the operator's policy, by its name and nothing else of that namespace. */
export const policyReader = (policy: { readonly namespace: string; readonly name: string }, namespaces: readonly string[]): readonly Manifest[] => [
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: { name: 'alerts-slm-policy-reader', namespace: policy.namespace, labels: LABELS },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'], resourceNames: [policy.name] }],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'alerts-slm-policy-reader', namespace: policy.namespace, labels: LABELS },
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'alerts-slm-policy-reader' },
    subjects: namespaces.map((namespace) => ({ kind: 'ServiceAccount', name: ACCOUNT, namespace })),
  },
]
