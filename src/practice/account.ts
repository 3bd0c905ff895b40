// Users of the practice cluster, with the roles that a test wants them to have.
import type { Cluster } from './call.ts'
import { load } from './load.ts'

interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}
export interface NewUser {
  readonly token: string
  /** `system:serviceaccount:<namespace>:<name>` for an account. */
  readonly name: string
  readonly groups?: readonly string[]
  /** A Role with these rules and its binding are made in the namespace. */
  readonly roles?: readonly { readonly namespace: string; readonly rules: readonly PolicyRule[] }[]
}

export function addUser(cluster: Cluster, { token, name, groups, roles = [] }: NewUser): void {
  cluster.users.add(token, name, groups)
  const rbac = 'rbac.authorization.k8s.io'
  const manifests = roles.flatMap(({ namespace, rules }, index) => {
    const metadata = { name: `${name.replaceAll('/', '-')}-${index}`, namespace }
    return [
      { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata,
        subjects: [{ kind: 'User', apiGroup: rbac, name }],
        roleRef: { apiGroup: rbac, kind: 'Role', name: metadata.name },
      },
    ]
  })
  load(cluster, manifests)
}
