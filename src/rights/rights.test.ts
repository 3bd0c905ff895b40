import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { ACTIONS } from '../actions/catalogue.ts'
import type { Right } from '../domain/plan.ts'
import { FACTS } from '../facts/catalogue.ts'
import { generateRbac } from './generate.ts'
import { manifestsFor, policyReader } from './manifests.ts'
import { actionRole, joined, neededRights, READ_ROLE, type Rule, rolesFor } from './roles.ts'

const roles = rolesFor(ACTIONS, FACTS)
const grants = (rules: readonly Rule[], { apiGroup, resource }: Right, verb: string): boolean =>
  rules.some((rule) => rule.apiGroups.includes(apiGroup) && rule.resources.includes(resource) && rule.verbs.includes(verb))
const READS = ['get', 'list', 'watch']

describe('roles', () => {
  it('are one for reading, one for the ledger, one for Events and one for each action that needs a right', () => {
    const acting = ACTIONS.filter(({ needs }) => needs.length > 0).map(({ name }) => actionRole(name))
    expect(roles.map(({ name }) => name)).toEqual([READ_ROLE, 'alerts-slm-ledger', 'alerts-slm-events', ...acting.toSorted()])
    expect(roles.map(({ name }) => name)).not.toContain(actionRole('notify_only'))
  })

  it('for actions grant exactly what the action declares', () => {
    for (const { name, needs } of ACTIONS.filter((action) => action.needs.length > 0)) {
      const rules = roles.find((role) => role.name === actionRole(name))?.rules ?? []
      const granted = rules.flatMap(({ apiGroups, resources, verbs }) => verbs.map((verb) => `${apiGroups[0]} ${resources[0]} ${verb}`))
      expect(granted.toSorted()).toEqual([...new Set(needs.flatMap(({ apiGroup, resource, verbs }) => verbs.map((verb) => `${apiGroup} ${resource} ${verb}`)))].toSorted())
    }
  })

  it('for reading grant what every fact declares, and no verb that writes', () => {
    const rules = roles.find(({ name }) => name === READ_ROLE)?.rules ?? []
    for (const { needs } of FACTS) for (const need of needs) for (const verb of need.verbs) expect(grants(rules, need, verb)).toBe(true)
    expect(rules.flatMap(({ verbs }) => verbs).filter((verb) => !READS.includes(verb))).toEqual([])
  })

  it('grant no secret, no escalation and no wildcard', () => {
    const all = JSON.stringify(roles)
    expect(all).not.toMatch(/secrets|escalate|impersonate|"bind"|\*/)
  })

  it('let only the ledger be changed by name', () => {
    const ledger = roles.find(({ name }) => name === 'alerts-slm-ledger')?.rules
    expect(ledger).toContainEqual({ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'], resourceNames: ['alerts-slm-ledger'] })
    expect(ledger).toContainEqual({ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] })
  })

  it('leave out actions on the cluster itself', () => {
    const drain = { name: 'drain_node', summary: 's', scope: 'cluster' as const, needs: [{ apiGroup: '', resource: 'nodes', verbs: ['patch'] }] }
    expect(rolesFor([drain], []).map(({ name }) => name)).not.toContain(actionRole('drain_node'))
  })
})

describe('needed rights', () => {
  it('cover every action and fact, ledger and Events', () => {
    const needed = neededRights(ACTIONS, FACTS)
    const rules = needed.map(({ apiGroup, resource, verbs }) => ({ apiGroups: [apiGroup], resources: [resource], verbs }))
    for (const { needs } of [...ACTIONS, ...FACTS]) for (const need of needs) for (const verb of need.verbs) expect(grants(rules, need, verb)).toBe(true)
    expect(grants(rules, { apiGroup: '', resource: 'configmaps', verbs: [] }, 'patch')).toBe(true)
    expect(grants(rules, { apiGroup: 'events.k8s.io', resource: 'events', verbs: [] }, 'create')).toBe(true)
  })

  it('are joined by resource, verbs in one order', () => {
    expect(
      joined([
        { apiGroup: 'apps', resource: 'deployments', verbs: ['patch'] },
        { apiGroup: '', resource: 'pods', verbs: ['list'] },
        { apiGroup: 'apps', resource: 'deployments', verbs: ['get', 'patch'] },
      ]),
    ).toEqual([
      { apiGroup: '', resource: 'pods', verbs: ['list'] },
      { apiGroup: 'apps', resource: 'deployments', verbs: ['get', 'patch'] },
    ])
  })
})

describe('manifests', () => {
  const manifests = manifestsFor(ACTIONS, FACTS, 'team-a')
  it('bind every role in the namespace, to its account only, and nothing cluster-wide', () => {
    const bindings = manifests.filter(({ kind }) => kind === 'RoleBinding')
    expect(bindings.map(({ roleRef }) => roleRef)).toEqual(roles.map(({ name }) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name })))
    for (const { metadata, subjects } of bindings) {
      expect(metadata.namespace).toBe('team-a')
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'alerts-slm', namespace: 'team-a' }])
    }
    expect(manifests.map(({ kind }) => kind)).not.toContain('ClusterRoleBinding')
  })

  it('let agents read the policy by its name only', () => {
    const [role, bound] = policyReader({ namespace: 'ops', name: 'p' }, ['a', 'b'])
    expect(role).toMatchObject({ kind: 'Role', metadata: { namespace: 'ops' }, rules: [{ resources: ['configmaps'], verbs: ['get'], resourceNames: ['p'] }] })
    expect(bound?.['subjects']).toMatchObject([{ namespace: 'a' }, { namespace: 'b' }])
  })
})

describe('generated files', () => {
  const files = generateRbac()
  it('are one for each role, and two with the bindings', () => {
    expect(Object.keys(files)).toHaveLength(roles.length + 2)
    expect(Object.keys(files)).toContain('deploy/rbac/action-restart-pod.yaml')
  })

  it('are YAML that says what the manifests say', () => {
    const kinds = Object.values(files).flatMap((file) => parseAllDocuments(file).map((document) => (document.errors.length > 0 ? 'broken' : document.get('kind'))))
    expect(kinds.toSorted()).toEqual([...roles.map(() => 'ClusterRole'), 'Role', ...roles.map(() => 'RoleBinding'), 'RoleBinding', 'ServiceAccount'].toSorted())
    expect(Object.values(files).join()).not.toMatch(/[&*]a\d/)
  })

  it('come out the same each time', () => {
    expect(generateRbac()).toEqual(files)
  })
})
