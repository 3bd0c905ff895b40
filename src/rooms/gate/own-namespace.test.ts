import { expect, it } from 'vitest'
import { NOW, plannedCase, scaleTo, seen, WEB } from '../../../test/gate-case.ts'
import type { Step } from '../../domain/plan.ts'
import { ownNamespace } from './own-namespace.ts'

const foreign = { ...WEB, namespace: 'team-b' }
const refused = { says: 'refuse', code: 'OTHER_NAMESPACE' }
const create = (namespace: string, written?: string): Step => ({
  kind: 'create',
  object: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'x' },
  manifest: { metadata: { name: 'x', ...(written !== undefined && { namespace: written }) } },
  why: '',
})

it('lets a plan pass that stays at home', () => {
  expect(ownNamespace.judge(plannedCase({ steps: [scaleTo(4), create('team-a'), create('team-a', 'team-a')] }), seen(), NOW)).toEqual({ says: 'pass' })
})

it.each([
  ['a step', { steps: [scaleTo(4, foreign)] }],
  ['an undo step', { undo: [scaleTo(3, foreign)] }],
  ['the object itself', { object: foreign }],
  ['a created object', { steps: [create('team-b')] }],
  ["a created object's own manifest", { steps: [create('team-a', 'team-b')] }],
  ['something without a namespace', { steps: [scaleTo(4, { ...WEB, namespace: '' })] }],
])('refuses when %s lies elsewhere', (_, plan) => {
  expect(ownNamespace.judge(plannedCase(plan), seen(), NOW)).toMatchObject(refused)
})
