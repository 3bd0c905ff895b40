import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { temporaryFolder } from '../../test/temporary.ts'
import { ACTIONS } from '../actions/catalogue.ts'
import { FACTS } from '../facts/catalogue.ts'
import { locate } from '../rooms/locate/locate.ts'
import { loadBook } from '../rulebook/load.ts'
import { runRuleTests, uncovered } from './rule-tests.ts'

const catalogues = { facts: new Map(FACTS.map((fact) => [fact.name, fact])), actions: new Map(ACTIONS.map((action) => [action.name, action])) }
const RULES = `
alerts: [KubePodCrashLooping]
rules:
  - id: tried-already
    when: { fact: history, params: { action: restart_pod, window: 1h }, path: $.attempts, operator: greaterThan, value: 0 }
    then: { action: notify_only }
  - id: log-says-panic
    when: { fact: logs, path: $.classes, operator: contains, value: panic }
    then: { action: restart_pod }
  - id: other-alerts
    when: { fact: dependencies, path: $.elsewhere, operator: greaterThan, value: 0 }
    then: { action: notify_only, confidence: 0.7 }
otherwise: { ask: [restart_pod, rollout_restart] }
`
const POD = `{ apiVersion: v1, kind: Pod, metadata: { name: web-1, namespace: shop }, spec: { containers: [{ name: web, image: 'web:1' }] }, status: { phase: Running, containerStatuses: [{ name: web, restartCount: 4, ready: false, state: { running: {} } }] } }`
const test = (name: string, body: string, expected: string) =>
  `  - name: ${name}\n    alert: { alertname: KubePodCrashLooping, labels: { namespace: shop, pod: web-1, container: web } }\n    cluster: [*pod]\n    ${body}\n    expect: ${expected}\n`

async function run(tests: string) {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'crash.yaml'), RULES)
  writeFileSync(join(folder, 'crash.test.yaml'), `x-pod: &pod ${POD}\ntests:\n${tests}`)
  writeFileSync(join(folder, 'pod.cluster.yaml'), `---\n${POD}\n---\n`)
  const loaded = await loadBook({ library: folder }, catalogues)
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message)
  const ran = await runRuleTests([join(folder, 'crash.test.yaml')], {
    book: loaded.book,
    facts: FACTS,
    locate: (read, namespace) => locate({ read, namespace }),
  })
  return { ...ran, uncovered: uncovered(loaded.book, ran.results).map(({ rule, missing }) => `${rule}: ${missing}`) }
}
const PANIC = 'logs: { web-1.web: "panic: runtime error: index out of range" }'

describe('tests beside rules', () => {
  it('pass when the rule, the action and the named parameters are those that were decided', async () => {
    const {
      results,
      problems,
      uncovered: gaps,
    } = await run(
      test('panic', PANIC, '{ rule: log-says-panic, action: restart_pod, decision: act, parameters: {}, confidence: 1, target: Pod/shop/web-1 }') +
        test(
          'tried',
          `${PANIC}\n    history: [{ at: 2026-01-15T11:30:00Z, alert: KubePodCrashLooping, target: Pod/shop/web-1, action: restart_pod, outcome: unproven }]`,
          '{ rule: tried-already, decision: notify }',
        ) +
        test(
          'long ago',
          `${PANIC}\n    history: [{ at: 2026-01-15T10:30:00Z, alert: KubePodCrashLooping, target: Pod/shop/web-1, action: restart_pod }]`,
          '{ rule: log-says-panic }',
        ) +
        test(
          'others',
          'logs: { web-1.web: fine }\n    activeAlerts: [{ alertname: DatabaseDown, labels: { severity: critical } }]',
          '{ rule: other-alerts, action: notify_only, confidence: 0.7 }',
        ) +
        test('nothing', 'logs: { web-1.web: fine }', '{ decision: ambiguous, why: asked, candidates: [rollout_restart, restart_pod] }'),
    )
    expect(problems).toEqual([])
    expect(results.map(({ name, differences }) => [name, differences])).toEqual([
      ['panic', []],
      ['tried', []],
      ['long ago', []],
      ['others', []],
      ['nothing', []],
    ])
    expect(gaps).toEqual([])
  })
  it('see what may not be read, and an Alertmanager that cannot be asked, as unknown', async () => {
    const { results } = await run(
      test('logs', `${PANIC}\n    forbidden: [logs]`, '{ decision: ambiguous, why: unknown, unknownFacts: [logs], candidates: [restart_pod, rollout_restart] }') +
        test('alerts', 'logs: { web-1.web: fine }\n    activeAlerts: null', '{ decision: ambiguous, unknownFacts: [dependencies] }') +
        test('no log given', 'history: []', '{ decision: ambiguous, unknownFacts: [logs] }'),
    )
    expect(results.map(({ name, differences }) => [name, differences])).toEqual([
      ['logs', []],
      ['alerts', []],
      ['no log given', []],
    ])
  })
  it('fail with what differs, and name the rules that have no hit or no near miss', async () => {
    const { results, uncovered: gaps } = await run(test('wrong', PANIC, '{ rule: tried-already, parameters: { force: true } }'))
    expect(results).toMatchObject([
      { line: 3, passed: false, differences: ['rule: expected "tried-already", got "log-says-panic" (rule log-says-panic holds)', 'parameters: expected {"force":true}, got {}'] },
    ])
    expect(gaps).toEqual(['tried-already: hit', 'log-says-panic: near miss', 'other-alerts: hit'])
  })
  it('read a cluster from a file, and hear of an alert without a target', async () => {
    const { results } = await run(
      test('file', `${PANIC}`, '{ rule: log-says-panic }').replace('[*pod]', 'pod.cluster.yaml') + test('gone', `${PANIC}`, '{ decision: notify }').replace('[*pod]', '[]'),
    )
    expect(results.map(({ name, differences }) => [name, differences])).toEqual([
      ['file', []],
      ['gone', []],
    ])
  })
  it('take cluster, logs, other alerts and history from a folder', async () => {
    const cluster = temporaryFolder()
    mkdirSync(join(cluster, 'logs'))
    writeFileSync(join(cluster, 'pod.json'), JSON.stringify(parse(POD)))
    writeFileSync(join(cluster, 'logs/web-1.web.log'), 'panic: runtime error\n')
    writeFileSync(
      join(cluster, 'history.json'),
      JSON.stringify([{ at: '2026-01-15T11:30:00Z', alert: 'KubePodCrashLooping', target: 'Pod/shop/web-1', action: 'restart_pod', outcome: 'fixed' }]),
    )
    writeFileSync(join(cluster, 'active-alerts.json'), JSON.stringify([{ labels: { alertname: 'DatabaseDown', severity: 'critical' } }]))
    const { results } = await run(
      test('as it is', 'logs: {}', '{ rule: tried-already }').replace('[*pod]', cluster) +
        test('without history', 'history: []', '{ rule: log-says-panic }').replace('[*pod]', cluster) +
        test('without panic', 'history: []\n    logs: { web-1.web: fine }', '{ rule: other-alerts }').replace('[*pod]', cluster),
    )
    expect(results.map(({ name, differences }) => [name, differences])).toEqual([
      ['as it is', []],
      ['without history', []],
      ['without panic', []],
    ])
  })
  it('that are malformed are problems at their line', async () => {
    const { problems, results } = await run(`${test('fine', PANIC, '{ rule: log-says-panic }')}  - name: odd\n    alrt: {}\n    expect: {}\n`)
    expect(results).toEqual([])
    expect(problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '8 tests.1.alert: Invalid input: expected object, received undefined',
      '8 tests.1: Unrecognized key: "alrt"',
    ])
  })
})
