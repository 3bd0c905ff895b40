import { expect, it } from 'vitest'
import { deployment, evict, NOW, objects, plannedCase, readingOnly, ref, seen, WEB_1 } from '../../../test/gate-case.ts'
import { protectedObjects } from './protected-objects.ts'

const refused = { says: 'refuse', code: 'PROTECTED' }
const podObject = { kind: 'Pod', metadata: { name: 'web-1', uid: WEB_1.uid } }
const named = (...names: string[]) => seen({ policy: { protected: { labels: {}, names } } })

it('lets what nobody protects pass', () => {
  expect(protectedObjects.judge(plannedCase(), seen(), NOW)).toEqual({ says: 'pass' })
})

it('refuses by label on any object of the chain, with the very value or any', () => {
  const labelled = objects(deployment({ labels: { 'alerts-slm.io/protected': 'true' } }), podObject)
  expect(protectedObjects.judge(plannedCase(), seen({ objects: labelled }), NOW)).toMatchObject(refused)
  const other = objects(deployment({ labels: { 'alerts-slm.io/protected': 'false' } }), podObject)
  expect(protectedObjects.judge(plannedCase(), seen({ objects: other }), NOW)).toEqual({ says: 'pass' })
  expect(protectedObjects.judge(plannedCase(), seen({ objects: other, policy: { protected: { labels: { 'alerts-slm.io/protected': '*' }, names: [] } } }), NOW)).toMatchObject(
    refused,
  )
})

it.each([['web'], ['Deployment/web'], ['we*'], ['*b'], ['Deploy*/w*b'], ['*']])('refuses by the name %s', (name) => {
  expect(protectedObjects.judge(plannedCase(), named(name), NOW)).toMatchObject(refused)
})

it.each([['we'], ['StatefulSet/web'], ['web*x'], ['w*e*w']])('does not take %s for web', (name) => {
  expect(protectedObjects.judge(plannedCase(), named(name), NOW)).toEqual({ says: 'pass' })
})

it('refuses to touch what this program remembers by, changed or created', () => {
  const ledger = ref('ConfigMap', 'alerts-slm-ledger', 'v1')
  expect(protectedObjects.judge(plannedCase({ steps: [evict(ledger)] }), seen(), NOW)).toMatchObject(refused)
  expect(protectedObjects.judge(plannedCase({ steps: [{ kind: 'create', object: ledger, manifest: {}, why: '' }] }), seen(), NOW)).toMatchObject(refused)
})

it('holds when labels protect and one object could not be read', () => {
  expect(protectedObjects.judge(plannedCase(), seen({ objects: objects(podObject) }), NOW)).toMatchObject({ says: 'hold', code: 'OBJECT_UNREADABLE' })
})

it('lets everybody be looked at', () => {
  expect(protectedObjects.judge(readingOnly(), named('*'), NOW)).toEqual({ says: 'pass' })
})
