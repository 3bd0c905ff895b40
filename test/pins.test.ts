// What other people program against, written out and not imported: scripts, dashboards, routes and alert rules break when one of
// these changes. A change here is a change of the interface and belongs in the CHANGELOG. Labels and objects in the cluster stand written out in test/acceptance.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../src/actions/catalogue.ts'
import { ENVIRONMENT } from '../src/config/environment.ts'
import { caseId, close } from '../src/domain/case-file.ts'
import { FAULTS } from '../src/domain/fault.ts'
import { REASONS } from '../src/domain/outcome.ts'
import { MODES } from '../src/domain/policy.ts'
import { makeOperations } from '../src/doors/operations.ts'
import { GATE_CODES } from '../src/rooms/gate/codes.ts'
import { GATES } from '../src/rooms/gate/gate.ts'
import { caseLine } from '../src/telemetry/log.ts'
import { makeMetrics } from '../src/telemetry/metrics.ts'
import { delivery } from './acceptance/deliveries.ts'
import { alertOf } from './acceptance/scenes.ts'
import { stage } from './acceptance/stage.ts'
import { ALERT } from './gate-case.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)
const sorted = (list: Iterable<string>): readonly string[] => [...list].sort()
const ROOT = join(import.meta.dirname, '..')

describe('codes', () => {
  it('of faults', () => {
    expect(sorted(Object.keys(FAULTS))).toEqual(
      words(`ALERTMANAGER_UNREACHABLE CHAT_REFUSED CHAT_UNREACHABLE CLUSTER_ANSWER_UNKNOWN CLUSTER_CONFLICT CLUSTER_ERROR CLUSTER_FORBIDDEN CLUSTER_GONE
        CLUSTER_INVALID CLUSTER_NOT_FOUND CLUSTER_THROTTLED CLUSTER_TIMEOUT CLUSTER_UNREACHABLE CONFIG_INVALID EXEC_FAILED INPUT_INVALID INTERNAL
        LEDGER_UNUSABLE PORT_TAKEN RULES_INVALID STORE_FULL STORE_UNAVAILABLE`),
    )
  })

  it('of reasons', () => {
    expect(sorted(REASONS)).toEqual(
      words(`ACTION_UNKNOWN AMBIGUOUS_CONFLICT AMBIGUOUS_NO_MODEL CLUSTER_CONFLICT CLUSTER_REFUSED CLUSTER_UNREACHABLE DIAGNOSTICS_KEPT EFFECT_UNKNOWN FILTERED
        HELD_TOO_LONG INTERNAL JOINED_CASE MADE_WORSE NOTHING_TO_CHANGE NOT_BETTER NO_RULE NO_TARGET OBSERVE_MODE OTHER_NAMESPACE PARAMETERS_INVALID PLAN_REFUSED
        REJECTED_BY_PERSON RESOLVED_BEFORE_ACTION REVERTED RULE_SAYS_TELL STILL_FIRING STORE_FAILED TARGET_AMBIGUOUS TARGET_GONE TARGET_UNFIT
        UNDONE_BY_PERSON UNDO_REFUSED VERIFIED WALK_DID_NOT_END WRITE_FAILED`),
    )
  })

  it('of gates', () => {
    expect(GATES.map(({ name }) => name)).toEqual(
      words(`kill-switch mode own-namespace protected-objects own-pod alert-firing owner-reverts rights limits disruption evidence clock budget cooldown oscillation
        ineffective maintenance-window confidence approval`),
    )
    expect(sorted(Object.keys(GATE_CODES))).toEqual(
      words(`ACTION_NOT_ALLOWED ALERT_RESOLVED ALERT_SUPPRESSED ALERT_UNKNOWN APPROVAL_NEEDED BUDGET_NAMESPACE BUDGET_RULE BUDGET_TARGET CLOCK_ODD CONFIDENCE_LOW COOLDOWN
        DISRUPTION_BUDGET DISRUPTION_UNKNOWN EVIDENCE_MISSING HISTORY_UNREADABLE INEFFECTIVE KILL_SWITCH LAST_HEALTHY_POD LIMITS_UNKNOWN LIMIT_MEMORY LIMIT_RANGE LIMIT_REPLICAS
        MAINTENANCE_WINDOW OBJECT_UNREADABLE OBSERVE_MODE OSCILLATION OTHER_NAMESPACE OWNER_UNREADABLE OWNER_WOULD_REVERT OWN_POD POD_SHARE POLICY_STALE PROTECTED QUOTA_EXCEEDED
        REHEARSAL_REFUSED REHEARSAL_UNKNOWN RIGHTS_UNKNOWN RIGHT_MISSING`),
    )
  })
})

describe('names', () => {
  it('of modes and actions', () => {
    expect(MODES).toEqual(['observe', 'approve', 'enforce'])
    expect(sorted(ACTIONS.map(({ name }) => name))).toEqual(
      words('collect_diagnostics increase_resources notify_only restart_pod rollback_deployment rollout_restart scale_deployment scale_statefulset'),
    )
  })

  it('of environment variables, with the field that each sets', () => {
    expect(Object.fromEntries(ENVIRONMENT.map(({ name, field }) => [name, field ?? '']))).toEqual({
      ALERTS_SLM_CONFIG: '',
      ALERTS_SLM_NAMESPACE: 'namespace',
      DATABASE_HOST: 'database.host',
      DATABASE_NAME: 'database.name',
      DATABASE_PASSWORD: 'database.password',
      DATABASE_PORT: 'database.port',
      DATABASE_URL: 'database.url',
      DATABASE_USER: 'database.user',
      DRY_RUN: 'actions.dry_run',
      LOG_LEVEL: 'logging.level',
      MCP_K8S_SERVER: 'mcp.k8s_server',
      MCP_PORT: 'mcp.port',
      OPERATIONS_PORT: 'operations.port',
      POD_NAME: '',
      POD_NAMESPACE: '',
      POD_UID: '',
      SLM_ENDPOINT: 'slm.endpoint',
      SLM_MODEL: 'slm.model',
      SLM_PROVIDER: 'slm.provider',
      SLM_TEMPERATURE: 'slm.temperature',
      WEBHOOK_AUTH_TOKEN: 'webhook.auth.token',
      WEBHOOK_PORT: 'webhook.port',
    })
  })

  it('of metrics, with their types and labels', async () => {
    const gauge = () => 1
    const metrics = makeMetrics({ known: { namespaces: ['a'], actions: ['b'] }, gauges: { queueLength: gauge, openCases: gauge, storeBytes: gauge }, startedAt: 0 })
    metrics.received({ labels: {} })
    metrics.delivered(1)
    metrics.answered(200)
    metrics.processed('b', 'fixed')
    metrics.consulted('m', 1)
    metrics.wrote('patch', 'done')
    metrics.caseClosed('fixed', 'VERIFIED')
    metrics.roomTook('plan', 1)
    metrics.bookLoaded({ hash: 'h', rules: ['r'] })
    metrics.ruleHit('r')
    metrics.watchRestarted('Pod')
    const text = await metrics.text()
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => {
      const suffix = type === 'histogram' ? '_count' : ''
      const labels = new RegExp(`^${name}${suffix}(?:\\{([^}]*)\\})? `, 'm').exec(text)?.[1] ?? ''
      return `${name} ${type} ${labels.replaceAll(/="[^"]*"/g, '')}`.trim()
    })
    expect(sorted(types)).toEqual([
      'alerts_processed_total counter action,status',
      'alerts_received_total counter severity,namespace',
      'alerts_slm_book_loaded gauge hash',
      'alerts_slm_book_refused_total counter',
      'alerts_slm_cases_total counter outcome,reason',
      'alerts_slm_last_delivery_timestamp_seconds gauge',
      'alerts_slm_open_cases gauge',
      'alerts_slm_queue_length gauge',
      'alerts_slm_room_seconds histogram room',
      'alerts_slm_rule_hits_total counter rule',
      'alerts_slm_store_bytes gauge',
      'alerts_slm_watch_restarts_total counter kind',
      'alerts_slm_webhook_requests_total counter code',
      'k8s_actions_total counter type,result',
      'nodejs_heap_size_used_bytes gauge',
      'process_cpu_seconds_total counter',
      'process_resident_memory_bytes gauge',
      'process_start_time_seconds gauge',
      'slm_requests_duration_seconds histogram model',
    ])
  })
})

describe('answers of the webhook', () => {
  const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    new Request('http://sidecar.test/alerts', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

  it('to a delivery that was taken', async () => {
    const on = await stage()
    const answer = await on.push(alertOf('Anything', {}))
    expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toEqual([200, 'application/json', { accepted: 1, rejected: [] }])
  })

  it('to one of which a part was not', async () => {
    const on = await stage()
    const answer = await on.deliver({
      ...delivery('firing', [alertOf('Anything', {})], on.ports.clock.now()),
      alerts: [7, ...delivery('firing', [alertOf('Anything', {})], 1_768_478_400_000).alerts],
    })
    expect(await answer.json()).toEqual({ accepted: 1, rejected: [{ path: '/alerts/0', message: 'must be an object, is a number' }] })
  })

  it('to what is refused: problem documents with these codes', async () => {
    const on = await stage({ config: { webhook: { auth: { token: 'right' }, login_failures: { limit: 2 } } } })
    const right = { authorization: 'Bearer right' }
    const asked: readonly Request[] = [
      post('{}', right),
      post('{', right),
      post('{}', { ...right, 'content-type': 'text/plain' }),
      post('x'.repeat(2_000_000), right),
      new Request('http://sidecar.test/alerts'),
      new Request('http://sidecar.test/other'),
      post('{}'),
      post('{}', { authorization: 'Bearer wrong' }),
      post('{}', { authorization: 'Bearer wrong' }),
    ]
    const answers: unknown[] = []
    for (const request of asked) {
      const answer = await on.app.webhook(request)
      const body: unknown = await answer.json()
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(body).toEqual(expect.objectContaining({ type: 'about:blank', status: answer.status, title: expect.any(String), detail: expect.any(String) }))
      answers.push(typeof body === 'object' && body !== null && 'code' in body ? `${answer.status} ${String(body.code)}` : body)
    }
    expect(answers).toEqual([
      '422 NOT_ALERTS',
      '400 SYNTAX',
      '415 NOT_JSON',
      '413 BODY_TOO_LARGE',
      '405 METHOD_NOT_ALLOWED',
      '404 NOT_FOUND',
      '401 UNAUTHORIZED',
      '401 UNAUTHORIZED',
      '429 TOO_MANY_FAILURES',
    ])
  })

  it('of the operations port', async () => {
    const operations = makeOperations({ readiness: { cluster: () => 'not yet', store: () => undefined }, metrics: { contentType: 'text/plain', text: async () => '' } })
    const get = async (path: string) => {
      const answer = await operations.request(path)
      return [answer.status, await answer.json()]
    }
    expect(await get('/health')).toEqual([200, { live: true }])
    expect(await get('/ready')).toEqual([503, { ready: false, missing: [{ what: 'cluster', why: 'not yet' }] }])
  })
})

describe('JSON of the command line', () => {
  it('of an explanation', () => {
    const args = ['src/cli/main.ts', 'rules', 'explain', '--alert', 'test/fixtures/alerts/web-crashes.json', '--cluster', 'test/fixtures/clusters/shop', '--json']
    const explained: unknown = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, env: { PATH: '', HOME: '/nonexistent' }, encoding: 'utf8' }))
    expect(sorted(Object.keys(Object(explained)))).toEqual(
      words('action alert alerts because book by candidates confidence considered decision gates labels parameters plan refused rule target unknownFacts'),
    )
    expect(explained).toMatchObject({
      decision: expect.stringMatching(/^(?:act|ambiguous|notify|ignore)$/),
      target: { kind: expect.any(String), owner: { kind: expect.any(String) } },
    })
  })

  it('of a closed case', () => {
    const line = caseLine(close({ at: 'opened', id: caseId('c'), openedAt: 0, alerts: [ALERT] }, 'told', 'NO_TARGET', 'b'), 5)
    expect(sorted(Object.keys(line))).toEqual(words('action alert alerts because case decidedBy ms namespace outcome reason rule target'))
  })

  it('has one word for every outcome', () => {
    const outcomes = words('cancelled failed fixed observed refused told undone unproven')
    const opened = { at: 'opened', id: caseId('c'), openedAt: 0, alerts: [ALERT] } as const
    // Only these compile; the list and the union agree both ways.
    const each: Record<ReturnType<typeof close>['outcome'], true> = {
      cancelled: true,
      failed: true,
      fixed: true,
      observed: true,
      refused: true,
      told: true,
      undone: true,
      unproven: true,
    }
    expect(sorted(Object.keys(each))).toEqual(outcomes)
    expect(caseLine(close(opened, 'told', 'NO_TARGET', 'b'), 0)['outcome']).toBe('told')
  })
})
