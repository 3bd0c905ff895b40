import { expect, it } from 'vitest'
import { evict, ref, scaleTo, setMemory, WEB_1 } from '../../../test/gate-case.ts'
import { stepRights } from './step-rights.ts'

it('names the resource, its group and the verb of each step', () => {
  expect(stepRights([scaleTo(4), setMemory('1Gi'), evict()])).toEqual([
    { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['patch'] },
    { apiGroup: 'apps', resource: 'deployments', verbs: ['patch'] },
    { apiGroup: '', resource: 'pods/eviction', verbs: ['create'] },
  ])
  expect(stepRights([{ kind: 'exec', object: WEB_1, container: 'app', argv: ['ls'], why: '' }])).toEqual([{ apiGroup: '', resource: 'pods/exec', verbs: ['get', 'create'] }])
  expect(stepRights([{ kind: 'wait', object: WEB_1, until: 'gone', seconds: 5, why: '' }])).toEqual([{ apiGroup: '', resource: 'pods', verbs: ['get'] }])
})

it.each([
  ['NetworkPolicy', 'networkpolicies'],
  ['Ingress', 'ingresses'],
  ['Gateway', 'gateways'],
  ['ReplicaSet', 'replicasets'],
])('writes the plural of %s', (kind, resource) => {
  expect(stepRights([{ kind: 'delete', object: ref(kind, 'x', 'networking.k8s.io/v1'), why: '' }])).toEqual([{ apiGroup: 'networking.k8s.io', resource, verbs: ['delete'] }])
})
