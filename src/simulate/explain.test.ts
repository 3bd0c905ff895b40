import { describe, expect, it } from 'vitest'
import { START } from '../../test/manual-ports.ts'
import { ACTIONS, findAction } from '../actions/catalogue.ts'
import type { Alert } from '../domain/alert.ts'
import type { Answer } from '../domain/case-file.ts'
import { FACTS } from '../facts/catalogue.ts'
import { gatherEvidence } from '../facts/evidence.ts'
import { compileBook } from '../rooms/decide/book.ts'
import { locate } from '../rooms/locate/locate.ts'
import { plan } from '../rooms/plan/plan.ts'
import { makeExplain } from './explain.ts'
import { folderReader } from './folder-reader.ts'
import { pastOf } from './past.ts'
import { renderExplained } from './render.ts'

const meta = (name: string, more: object = {}) => ({ name, namespace: 'shop', uid: `uid-${name}`, creationTimestamp: '2026-01-15T11:00:00Z', labels: { app: 'web' }, ...more })
const owner = (kind: string, name: string) => ({ ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: `uid-${name}`, controller: true }] })
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }
const MANIFESTS = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('web'),
    spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template },
    status: { replicas: 1, updatedReplicas: 1 },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta('web-1', owner('Deployment', 'web')),
    spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template },
    status: { replicas: 1 },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta('web-1-a', owner('ReplicaSet', 'web-1')),
    spec: template.spec,
    status: {
      phase: 'Running',
      containerStatuses: [
        { name: 'web', restartCount: 4, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { reason: 'Error', exitCode: 1 } } },
      ],
    },
  },
]
const restarts = (value: number) => ({ fact: 'pod', path: '$.restarts', operator: 'greaterThan', value })
const book = compileBook(
  [
    {
      path: 'crash.yaml',
      rank: 0,
      alerts: ['Crash'],
      rules: [
        { id: 'panics', when: { all: [restarts(2), { fact: 'logs', path: '$.classes', operator: 'contains', value: 'panic' }] }, then: { action: 'restart_pod' } },
        { id: 'many', when: restarts(9), then: { action: 'restart_pod' } },
        {
          id: 'some',
          when: { any: [restarts(3), { fact: 'label', params: { name: 'severity' }, operator: 'equal', value: 'critical' }] },
          then: { action: 'rollout_restart', confidence: 0.8 },
          because: 'it keeps ending',
        },
        { id: 'late', when: restarts(1), then: { action: 'restart_pod' } },
      ],
      otherwise: 'notify',
    },
    { path: 'quiet.yaml', rank: 0, alerts: ['Quiet'], rules: [{ id: 'tell', when: restarts(1), then: { action: 'notify_only' } }] },
  ],
  { facts: new Map(FACTS.map((fact) => [fact.name, fact])), actions: new Map(ACTIONS.map((action) => [action.name, action])), conditions: new Map() },
)

async function explain(labels: Record<string, string>, { log = '', gates = [{ gate: 'mode', says: 'pass' }] as readonly Answer[], status = 'firing' as Alert['status'] } = {}) {
  const logs = new Map(
    log
      ? [
          ['web-1-a.web', log],
          ['web-1-a.web.previous', log],
        ]
      : [],
  )
  const read = await folderReader({ manifests: MANIFESTS, logs }, { namespace: 'shop', now: START })
  const clock = { now: () => START, elapsed: () => 0 }
  const walk = makeExplain({ locate: locate({ read, namespace: 'shop' }), plan: plan({ actions: findAction, read, clock }), gate: async () => gates })
  const alert: Alert = {
    fingerprint: 'f',
    status,
    labels: { namespace: 'shop', pod: 'web-1-a', ...labels },
    annotations: {},
    startsAt: START - 60_000,
    endsAt: undefined,
    generatorUrl: undefined,
  }
  return walk([alert], {
    book,
    evidence: (alerts, target) => gatherEvidence(FACTS, { alerts, target, read, ...pastOf([]), firing: async () => [], now: START }),
    screening: { reconsiderMs: 0, severities: ['warning', 'none'] },
    now: START,
  })
}

describe('the explanation of one alert', () => {
  it('names the rule that fired, the plan and every gate', async () => {
    const gates: readonly Answer[] = [
      { gate: 'mode', says: 'pass' },
      { gate: 'cooldown', says: 'hold', code: 'COOLDOWN', why: 'it was restarted 2m ago', remedy: 'wait' },
    ]
    const explained = await explain({ alertname: 'Crash' }, { log: 'all is well\n', gates })
    expect(explained).toMatchObject({
      alert: 'Crash',
      decision: 'act',
      action: 'rollout_restart',
      by: 'rule',
      rule: 'some',
      confidence: 0.8,
      target: { kind: 'Pod', name: 'web-1-a', owner: { kind: 'Deployment', name: 'web' } },
      plan: { action: 'rollout_restart' },
      refused: null,
      gates,
      unknownFacts: [],
    })
    expect(explained.considered.map(({ rule, truth }) => `${rule} ${truth}`)).toEqual(['panics no', 'many no', 'some yes', 'late yes'])
  })
  it('is readable', async () => {
    const gates: readonly Answer[] = [{ gate: 'mode', says: 'refuse', code: 'OBSERVE_MODE', why: 'the mode is observe', remedy: 'set it to approve' }]
    const text = renderExplained(await explain({ alertname: 'Crash' }, { log: 'all is well\n', gates }))
    expect(text.split('\n').slice(0, 16)).toEqual([
      'Crash about Pod shop/web-1-a of Deployment web',
      'Decision: rollout_restart by rule some, confidence 0.8',
      '  because it keeps ending',
      '',
      'Rules',
      '  ✗ panics (restart_pod, crash.yaml): does not hold, as not: logs.classes contains "panic"',
      '    ✗ all of',
      '      ✓ pod.restarts greaterThan 2  (is 4)',
      '      ✗ logs.classes contains "panic"  (is [])',
      '  ✗ many (restart_pod, crash.yaml): does not hold, as not: pod.restarts greaterThan 9',
      '    ✗ pod.restarts greaterThan 9  (is 4)',
      '  ✓ some (rollout_restart, crash.yaml): fired',
      '    ✓ any of',
      '      ✓ pod.restarts greaterThan 3  (is 4)',
      '      ✗ label(name=severity) equal "critical"  (is null)',
      '  ✓ late (restart_pod, crash.yaml): holds too; it was not the one to decide',
    ])
    expect(text).toContain('  ✗ mode: refuse, the mode is observe [OBSERVE_MODE]; set it to approve')
    expect(text.split('\n').at(-1)).toBe('It would be refused: the mode is observe.')
  })
  it('says which facts were unknown when the rules cannot tell', async () => {
    const explained = await explain({ alertname: 'Crash' })
    expect(explained).toMatchObject({
      decision: 'ambiguous',
      action: null,
      rule: null,
      candidates: ['restart_pod', 'rollout_restart'],
      plan: null,
      gates: [],
      unknownFacts: [{ fact: 'logs' }],
    })
    const text = renderExplained(explained)
    expect(text).toContain('Decision: the rules cannot tell; candidates are restart_pod, rollout_restart')
    expect(text).toMatch(
      /\? panics \(restart_pod, crash.yaml\): cannot be told: the log of the \S+ run is not kept|\? panics \(restart_pod, crash.yaml\): cannot be told: the log of the run before is not kept/,
    )
  })
  it('tells what people are told, and what is screened out', async () => {
    expect(await explain({ alertname: 'Quiet' })).toMatchObject({ decision: 'notify', action: 'notify_only', rule: 'tell', refused: null })
    expect(await explain({ alertname: 'Unheard' })).toMatchObject({ decision: 'notify', action: null, because: 'no rule speaks of Unheard' })
    expect(await explain({ alertname: 'Crash', pod: 'gone' })).toMatchObject({ decision: 'notify', target: null, considered: [], because: 'Pod gone does not exist (any more)' })
    expect(await explain({ alertname: 'Crash', severity: 'critical' })).toMatchObject({ decision: 'ignore', because: expect.stringContaining('severity') })
    expect(await explain({ alertname: 'Crash', alerts_slm_case: 'x' })).toMatchObject({ decision: 'ignore' })
    expect(await explain({ alertname: 'Crash' }, { status: 'resolved' })).toMatchObject({ decision: 'ignore', because: 'it is resolved' })
  })
})
