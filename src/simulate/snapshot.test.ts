import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { START } from '../../test/manual-ports.ts'
import { temporaryFolder } from '../../test/temporary.ts'
import type { ActiveAlert } from '../alertmanager/client.ts'
import type { Attempt } from '../domain/history.ts'
import { type Unknown, unknown } from '../domain/unknown.ts'
import { readParts, worldIn } from './folder.ts'
import { folderReader, forbidding } from './folder-reader.ts'
import { takeSnapshot } from './snapshot.ts'

const metadata = (name: string, more: object = {}) => ({ name, namespace: 'shop', ...more })
const MANIFESTS = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata('web-1', { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'hunter2' } }),
    spec: { containers: [{ name: 'web', image: 'shop/web:1', env: [{ name: 'PASSWORD', value: 'hunter2' }] }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'web', restartCount: 1, ready: true }] },
  },
  { apiVersion: 'v1', kind: 'Secret', metadata: metadata('login'), data: { password: 'aHVudGVyMg==' } },
  { apiVersion: 'v1', kind: 'Event', metadata: metadata('e1'), involvedObject: { kind: 'Pod', name: 'web-1' }, reason: 'BackOff', type: 'Warning' },
]
const LOGS = new Map([
  ['web-1.web', 'token=abcdef0123456789abcdef\nready\n'],
  ['web-1.web.previous', 'panic: nil map\n'],
])
const alert = (name: string): ActiveAlert => ({
  fingerprint: name,
  status: 'firing',
  labels: { alertname: name, namespace: 'shop' },
  annotations: {},
  startsAt: START,
  endsAt: undefined,
  generatorUrl: undefined,
  suppressed: false,
})
const attempt: Attempt = {
  at: START - 60_000,
  caseId: 'c',
  alert: 'Crash',
  owner: 'Deployment/shop/web',
  rule: 'ends-often',
  action: 'scale_deployment',
  direction: 'up',
  outcome: undefined,
}

async function snapshotOf({ forbidden = [] as readonly string[], active = [alert('DatabaseDown')] as readonly ActiveAlert[] | Unknown } = {}) {
  const read = forbidding(await folderReader({ manifests: MANIFESTS, logs: LOGS }, { namespace: 'shop', now: START }), forbidden)
  const toYaml = (documents: readonly object[]) => documents.map((document) => stringify(document)).join('---\n')
  const taken = await takeSnapshot({ read, active: async () => active, attempts: [attempt], toYaml, hash: (text) => `${text.length}` })
  const folder = temporaryFolder()
  const about = { takenAt: new Date(START).toISOString(), unreadable: taken.unreadable }
  for (const [path, text] of [...taken.files, ['snapshot.json', JSON.stringify(about)] as const]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const parts = await readParts(folder, 0)
  return { taken, parts, again: await worldIn(parts, { namespace: 'shop', now: START }) }
}

describe('a snapshot', () => {
  it('is read as the namespace was', async () => {
    const { parts, again } = await snapshotOf()
    expect(parts.snapshot?.takenAt).toBe(START)
    expect((await again.read.list('Pod')).map((pod) => pod.metadata?.name)).toEqual(['web-1'])
    expect((await again.read.list('Event')).map((event) => event.reason)).toEqual(['BackOff'])
    expect(await again.read.logs('web-1', { container: 'web', previous: true, tailLines: 10, limitBytes: 1_000 })).toBe('panic: nil map')
    expect(await again.firing()).toMatchObject([{ labels: { alertname: 'DatabaseDown' } }])
    expect(again.attempts.forOwner('Deployment/shop/web', 0)).toMatchObject([{ ...attempt, caseId: expect.anything() }])
  })

  it('carries nothing secret', async () => {
    const { taken } = await snapshotOf()
    const all = [...taken.files.values()].join('\n')
    expect(all).toContain('hash-7')
    expect(all).not.toMatch(/hunter2|aHVudGVyMg|abcdef0123456789abcdef/)
    expect([...taken.files.keys()]).not.toContain('secret.yaml')
  })

  it('keeps unknown what could not be read, where an empty folder would say that there is nothing', async () => {
    const { taken, again } = await snapshotOf({ forbidden: ['Event', 'PodMetrics'], active: unknown('no Alertmanager answered') })
    expect(taken.missing).toEqual(['Event: Event may not be read', 'PodMetrics: PodMetrics may not be read', 'active alerts: no Alertmanager answered'])
    await expect(again.read.list('Event')).rejects.toMatchObject({ code: 'CLUSTER_FORBIDDEN' })
    expect(await again.firing()).toMatchObject({ unknown: expect.stringContaining('Alertmanager') })
  })
})
