import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { httpOf } from './http.ts'
import { makePractice, type Practice } from './server.ts'

const GROUP = 'rbac.authorization.k8s.io'
const role = (rules: object[], name = 'r', namespace = 'shop') => ({ apiVersion: `${GROUP}/v1`, kind: 'Role', metadata: { name, namespace }, rules })
const clusterRole = (rules: object[], name = 'c') => ({ apiVersion: `${GROUP}/v1`, kind: 'ClusterRole', metadata: { name }, rules })
const binding = (subject: object, roleRef = { kind: 'Role', name: 'r' }, namespace = 'shop') => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'RoleBinding',
  metadata: { name: 'b', namespace },
  subjects: [subject],
  roleRef: { apiGroup: GROUP, ...roleRef },
})
const READ_PODS = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }
const account = { kind: 'ServiceAccount', name: 'alerts-slm', namespace: 'shop' }

function ruled(...manifests: object[]) {
  const practice = makePractice({ ports: manualPorts() })
  practice.addUser({ token: 't', name: 'system:serviceaccount:shop:alerts-slm' })
  practice.load(manifests)
  return { practice, may: asking(practice) }
}
const asking = (practice: Practice) => {
  const http = httpOf(practice.fetch)
  return async (path: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE' = 'GET', token = 't'): Promise<boolean> => {
    const { status } = await http({ method, url: `http://practice${path}`, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' } })
    return status !== 403
  }
}
const PODS = '/api/v1/namespaces/shop/pods'

describe('RBAC', () => {
  it('allows nothing without a binding', async () => {
    const { may } = ruled(role([READ_PODS]))
    expect(await may(PODS)).toBe(false)
  })
  it('binds service accounts, users and groups', async () => {
    for (const subject of [
      account,
      { kind: 'User', name: 'system:serviceaccount:shop:alerts-slm' },
      { kind: 'Group', name: 'system:serviceaccounts:shop' },
      { kind: 'Group', name: 'system:authenticated' },
    ]) {
      expect(await ruled(role([READ_PODS]), binding(subject)).may(PODS)).toBe(true)
    }
    for (const subject of [
      { ...account, namespace: 'other' },
      { kind: 'User', name: 'alerts-slm' },
      { kind: 'Group', name: 'system:masters' },
    ]) {
      expect(await ruled(role([READ_PODS]), binding(subject)).may(PODS)).toBe(false)
    }
  })
  it('allows what the rule says: verb, group, resource and namespace', async () => {
    const { may } = ruled(role([READ_PODS]), binding(account))
    expect([await may(PODS), await may(`${PODS}/x`), await may(`${PODS}/x`, 'DELETE'), await may(PODS.replace('shop', 'other')), await may('/api/v1/pods')]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect([await may('/api/v1/namespaces/shop/services'), await may('/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods')]).toEqual([false, false])
    expect([await may(`${PODS}/x/log`), await may(`${PODS}?watch=1`)]).toEqual([false, false])
  })
  it('knows stars for verbs, groups, resources and one subresource of all', async () => {
    const { may } = ruled(role([{ apiGroups: ['*'], resources: ['*/scale', 'configmaps'], verbs: ['*'] }]), binding(account))
    const scale = '/apis/apps/v1/namespaces/shop/deployments/web/scale'
    expect([await may(scale, 'PATCH'), await may(scale.replace('/scale', '')), await may('/api/v1/namespaces/shop/configmaps', 'DELETE')]).toEqual([true, false, true])
  })
  it('gives a ClusterRole within the namespace of a RoleBinding, and everywhere by a ClusterRoleBinding', async () => {
    const within = ruled(clusterRole([READ_PODS]), binding(account, { kind: 'ClusterRole', name: 'c' }))
    expect([await within.may(PODS), await within.may('/api/v1/pods')]).toEqual([true, false])
    const everywhere = { ...binding(account, { kind: 'ClusterRole', name: 'c' }), kind: 'ClusterRoleBinding', metadata: { name: 'b' } }
    expect(await ruled(clusterRole([READ_PODS]), everywhere).may('/api/v1/pods')).toBe(true)
  })
  it('allows paths that are no resources', async () => {
    const everywhere = { ...binding(account, { kind: 'ClusterRole', name: 'c' }), kind: 'ClusterRoleBinding', metadata: { name: 'b' } }
    const { may } = ruled(clusterRole([{ nonResourceURLs: ['/metrics/*'], verbs: ['get'] }]), everywhere)
    expect([await may('/metrics/cadvisor'), await may('/metrics'), await may('/apis'), await may('/apis/apps/v1')]).toEqual([true, false, true, true])
  })
  it('limits by name, and never lets a name limit a create', async () => {
    const rule = { apiGroups: [''], resources: ['configmaps'], resourceNames: ['alerts-slm-ledger'], verbs: ['get', 'patch', 'create'] }
    const { may } = ruled(role([rule]), binding(account))
    const maps = '/api/v1/namespaces/shop/configmaps'
    expect([await may(`${maps}/alerts-slm-ledger`), await may(`${maps}/other`), await may(maps, 'POST')]).toEqual([true, false, false])
  })
  it('follows roles and bindings as they come and go', async () => {
    const { practice, may } = ruled(role([READ_PODS]), binding(account))
    expect(await may(PODS)).toBe(true)
    practice.load([role([])])
    expect(await may(PODS)).toBe(false)
    practice.load([role([READ_PODS])])
    expect(await may(PODS)).toBe(true)
    practice.store.remove('RoleBinding', 'shop', 'b')
    expect(await may(PODS)).toBe(false)
  })
  it('gives a user the roles it is added with, and forgets a token that is revoked', async () => {
    const { practice, may } = ruled()
    practice.addUser({ token: 'u', name: 'tester', roles: [{ namespace: 'shop', rules: [READ_PODS] }] })
    expect([await may(PODS, 'GET', 'u'), await may(PODS, 'DELETE', 'u')]).toEqual([true, false])
    practice.users.revoke('u')
    const { status } = await httpOf(practice.fetch)({ method: 'GET', url: `http://practice${PODS}`, headers: { authorization: 'Bearer u' } })
    expect(status).toBe(401)
  })
  it('says in a review by which binding something is allowed', async () => {
    const { practice } = ruled(role([READ_PODS]), binding(account))
    const answer = await httpOf(practice.fetch)({
      method: 'POST',
      url: 'http://practice/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
      body: JSON.stringify({ spec: { resourceAttributes: { namespace: 'shop', verb: 'get', resource: 'pods' } } }),
    })
    expect(JSON.parse(await answer.text()).status).toEqual({ allowed: true, reason: 'RBAC: allowed by RoleBinding "b/shop" of Role "r" to ServiceAccount "alerts-slm/shop"' })
  })
})
