import { expect, it } from 'vitest'
import { deployment, NOW, objects, plannedCase, readingOnly, seen, WEB, WEB_1 } from '../../../test/gate-case.ts'
import { MODES } from '../../domain/policy.ts'
import { ownerKey } from '../../domain/target.ts'
import { effectiveMode } from './effective-mode.ts'
import { mode } from './mode.ts'

const labelled = (web: string | undefined, pod?: string) =>
  objects(deployment(web === undefined ? {} : { labels: { 'alerts-slm.io/mode': web } }), {
    kind: 'Pod',
    metadata: { name: 'web-1', uid: WEB_1.uid, ...(pod !== undefined && { labels: { 'alerts-slm.io/mode': pod } }) },
  })

it('refuses writes in observe mode with the code that the case ends as observed by', () => {
  const observing = seen({ policy: { mode: 'observe' } })
  expect(mode.judge(plannedCase(), observing, NOW)).toMatchObject({ says: 'refuse', code: 'OBSERVE_MODE' })
  expect(mode.judge(readingOnly(), observing, NOW)).toEqual({ says: 'pass' })
  for (const other of MODES.slice(1)) expect(mode.judge(plannedCase(), seen({ policy: { mode: other } }), NOW)).toEqual({ says: 'pass' })
})

it('lets a label lower the mode of its own workload, wherever in the chain it stands', () => {
  expect(mode.judge(plannedCase(), seen({ objects: labelled('observe') }), NOW)).toMatchObject({ code: 'OBSERVE_MODE', why: expect.stringContaining('Deployment web') })
  expect(mode.judge(plannedCase(), seen({ objects: labelled(undefined, 'observe') }), NOW)).toMatchObject({ code: 'OBSERVE_MODE' })
  expect(effectiveMode(plannedCase(), seen({ objects: labelled('approve') }))).toMatchObject({ mode: 'approve' })
})

it('never lets a label raise it', () => {
  expect(effectiveMode(plannedCase(), seen({ objects: labelled('enforce'), policy: { mode: 'approve' } }))).toMatchObject({ mode: 'approve' })
})

it('reads a word that is no mode as observe', () => {
  expect(mode.judge(plannedCase(), seen({ objects: labelled('off') }), NOW)).toMatchObject({ code: 'OBSERVE_MODE' })
})

it('holds when the labels could not be read, unless it is observe anyway', () => {
  const unread = new Map()
  expect(mode.judge(plannedCase(), seen({ objects: unread }), NOW)).toMatchObject({ says: 'hold', code: 'OBJECT_UNREADABLE' })
  expect(mode.judge(plannedCase(), seen({ objects: unread, policy: { mode: 'observe' } }), NOW)).toMatchObject({ code: 'OBSERVE_MODE' })
})

it('does not wait for a custom resource above the workload, but heeds its label where it can be read', () => {
  const cluster = { apiVersion: 'db.example.com/v1', kind: 'Cluster', namespace: 'team-a', name: 'db', uid: 'c' }
  const file = plannedCase({}, { target: { object: WEB_1, owner: cluster, chain: [WEB_1, WEB, cluster], container: undefined } })
  expect(mode.judge(file, seen(), NOW)).toEqual({ says: 'pass' })
  const readable = new Map([...seen().objects, [ownerKey(cluster), { kind: 'Cluster', metadata: { name: 'db', labels: { 'alerts-slm.io/mode': 'observe' } } }]] as const)
  expect(mode.judge(file, seen({ objects: readable }), NOW)).toMatchObject({ code: 'OBSERVE_MODE' })
  expect(mode.judge({ ...file, plan: { ...file.plan, object: cluster } }, seen(), NOW)).toMatchObject({ code: 'OBJECT_UNREADABLE' })
})

it('refuses an action that the operator did not allow, but never telling people', () => {
  const only = seen({ policy: { allowedActions: ['restart_pod'] } })
  expect(mode.judge(plannedCase(), only, NOW)).toMatchObject({ says: 'refuse', code: 'ACTION_NOT_ALLOWED' })
  expect(mode.judge(readingOnly(), only, NOW)).toMatchObject({ code: 'ACTION_NOT_ALLOWED' })
  expect(mode.judge(plannedCase({ action: 'restart_pod' }), only, NOW)).toEqual({ says: 'pass' })
  expect(mode.judge(plannedCase({ action: 'notify_only', steps: [] }), only, NOW)).toEqual({ says: 'pass' })
})
