// The files of deploy/rbac, generated from the catalogues: `gen` writes them, a golden test compares.
import { stringify } from 'yaml'
import { ACTIONS } from '../actions/catalogue.ts'
import { FACTS } from '../facts/catalogue.ts'
import { clusterRole, type Manifest, namespaceManifests, policyReader } from './manifests.ts'
import { rolesFor } from './roles.ts'

const GENERATED = '# Generated from src/actions and src/facts by `npm run gen`; edits are overwritten.\n'
const text = (manifests: readonly Manifest[], ...notes: readonly string[]): string =>
  GENERATED + notes.map((note) => `# ${note}\n`).join('') + manifests.map((manifest) => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')

/** Text by path below the repository's root. */
export function generateRbac(): Readonly<Record<string, string>> {
  const roles = rolesFor(ACTIONS, FACTS)
  const files = roles.map((role): readonly [string, string] => [`deploy/rbac/${role.name.replace('alerts-slm-', '')}.yaml`, text([clusterRole(role)], role.what)])
  return {
    ...Object.fromEntries(files),
    'deploy/rbac/namespace.yaml': text(
      namespaceManifests(roles, 'NAMESPACE'),
      'The account of one namespace and its rights there. Leave out the binding of an action that is not wanted.',
      'sed s/NAMESPACE/team-a/ deploy/rbac/namespace.yaml | kubectl apply -f -',
    ),
    'deploy/rbac/policy-reader.yaml': text(
      policyReader({ namespace: 'OPERATORS_NAMESPACE', name: 'alerts-slm-policy' }, ['NAMESPACE']),
      "Only where policy.config_map is set: the agents may read the operator's policy by its name.",
    ),
  }
}
