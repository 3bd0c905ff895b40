import { describe, expect, it } from 'vitest'
import { ref } from '../../../test/gate-case.ts'
import type { PatchOp, Step } from '../../domain/plan.ts'
import type { AnyObject } from '../../kube/wire.ts'
import { effectOf } from './landed.ts'

const WEB = ref('Deployment', 'web')
const POD = ref('Pod', 'web-1')
const LIMIT = '/spec/template/spec/containers/0/resources/limits/memory'
const MARK = '/metadata/annotations/example.org~1mark'

const web = (memory: string, annotations?: Readonly<Record<string, string>>, uid = WEB.uid): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', uid, ...(annotations && { annotations }) },
  spec: { template: { spec: { containers: [{ name: 'app', resources: { limits: { memory } } }] } } },
})
const patch = (...ops: readonly PatchOp[]): Step => ({ kind: 'patch', object: WEB, ops, why: 'w' })
const raise = patch({ op: 'test', path: LIMIT, value: '512Mi' }, { op: 'replace', path: LIMIT, value: '1024Mi' })
const effect = (step: Step, found: AnyObject | undefined) => effectOf({ object: async () => found }, step)

describe('the effect of a patch', () => {
  it('is seen in whichever form the API server keeps a quantity', async () => {
    expect(await effect(raise, web('1024Mi'))).toBe('landed')
    expect(await effect(raise, web('1Gi'))).toBe('landed')
    expect(await effect(raise, web('512Mi'))).toBe('untouched')
    expect(await effect(raise, web('0.5Gi'))).toBe('untouched')
    expect(await effect(raise, web('768Mi'))).toBe('changed')
  })

  it('is not seen on another object of that name, or on none', async () => {
    expect(await effect(raise, web('1024Mi', undefined, 'another'))).toBe('changed')
    expect(await effect(raise, undefined)).toBe('changed')
  })

  it('takes an absent value for null, as the API server does', async () => {
    const step = patch({ op: 'test', path: MARK, value: null }, { op: 'add', path: MARK, value: 'x' })
    expect(await effect(step, web('1Gi'))).toBe('untouched')
    expect(await effect(step, web('1Gi', { 'example.org/mark': 'x' }))).toBe('landed')
    expect(await effect(step, web('1Gi', { 'example.org/mark': 'y' }))).toBe('changed')
    expect(await effect(patch({ op: 'remove', path: MARK }), web('1Gi'))).toBe('landed')
  })

  it('is whole or none: half of it is neither', async () => {
    const step = patch(...('ops' in raise ? raise.ops : []), { op: 'test', path: MARK, value: null }, { op: 'add', path: MARK, value: 'x' })
    expect(await effect(step, web('1Gi'))).toBe('changed')
  })
})

describe('the effect of other steps', () => {
  const pod = (more: object = {}): AnyObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', uid: POD.uid, ...more } })
  it.each(['delete', 'evict'] as const)('%s: gone, going, or another of that name', async (kind) => {
    const step: Step = { kind, object: POD, why: 'w' }
    expect(await effect(step, pod())).toBe('untouched')
    expect(await effect(step, pod({ deletionTimestamp: '2026-01-15T12:00:00Z' }))).toBe('landed')
    expect(await effect(step, pod({ uid: 'another' }))).toBe('landed')
    expect(await effect(step, undefined)).toBe('landed')
  })

  it('a command leaves nothing to see, so that it is never sent twice', async () => {
    expect(await effect({ kind: 'exec', object: POD, container: 'app', argv: ['true'], why: 'w' }, pod())).toBe('changed')
  })
})
