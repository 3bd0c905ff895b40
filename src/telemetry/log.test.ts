import { describe, expect, it } from 'vitest'
import type { Alert } from '../domain/alert.ts'
import { caseId, close, type Decided, type Opened } from '../domain/case-file.ts'
import { Fault } from '../domain/fault.ts'
import { caseLine, errorFields, type LogLevel, makeLog, makeSecurityLog } from './log.ts'

function collect(level: LogLevel = 'info') {
  const lines: string[] = []
  return { log: makeLog({ level, write: (line) => lines.push(line) }), lines, parsed: () => lines.map((line) => JSON.parse(line)) }
}

describe('the log', () => {
  it('is one JSON object a line, with level, time and message', () => {
    const { log, lines, parsed } = collect()
    log.info({ case: '01J', ms: 4 }, 'closed')
    expect(lines[0]?.endsWith('\n')).toBe(true)
    expect(parsed()).toEqual([{ level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), case: '01J', ms: 4, message: 'closed' }])
  })
  it('leaves out what is below its level', () => {
    const { log, parsed } = collect('warn')
    log.debug({}, 'a')
    log.info({}, 'b')
    log.warn({}, 'c')
    log.error({}, 'd')
    expect(parsed().map((line) => line.message)).toEqual(['c', 'd'])
  })
  it('passes no secret: not in fields, not in text, not in a child', () => {
    const { log, lines } = collect()
    log.info({ password: 'hunter2', deep: { authorization: 'hunter2' }, url: 'postgres://u:hunter2@db/x' }, 'Bearer hunter2hunter2 refused, token=hunter2')
    log.child({ apiKey: 'hunter2', url: 'http://u:hunter2@x' }).warn({}, 'password: hunter2')
    expect(lines).toHaveLength(2)
    expect(lines.join()).not.toContain('hunter2')
    expect(lines.join()).toContain('[redacted]')
  })
  it('shows what would move a cursor or turn the line around, and changes nothing of what it says', () => {
    const { log, lines, parsed } = collect()
    const text = 'a\u009b2Jb\u007f\u2028c\u202egnp.exe'
    log.info({ pod: text }, 'm')
    expect(lines[0]).not.toMatch(/[\u007f-\u009f\u2028\u202e]/)
    expect(lines[0]).toContain('\\u009b2Jb')
    expect(parsed()[0]).toMatchObject({ pod: text })
  })
  it('keeps a hostile line on one line', () => {
    const { log, lines } = collect()
    log.info({ pod: 'a\n{"level":"fake"}\u001b[31m' }, 'x\r\ny')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.trimEnd().split(/[\r\n]/)).toHaveLength(1)
    expect(lines[0]).not.toContain('\u001b')
  })
  it('children repeat their fields', () => {
    const { log, parsed } = collect()
    log.child({ room: 'plan' }).child({ case: '1' }).info({ step: 2 }, 'm')
    expect(parsed()).toMatchObject([{ room: 'plan', case: '1', step: 2 }])
  })
})

describe('the security log', () => {
  it('can be told apart from the rest', () => {
    const lines: string[] = []
    makeSecurityLog({ write: (line) => lines.push(line) })({ event: 'login_refused', address: '10.0.0.1', why: 'wrong token' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ log: 'security', level: 'warn', event: 'login_refused', address: '10.0.0.1', message: 'wrong token' })
  })
})

describe('an error', () => {
  it('is logged with its code and what caused it', () => {
    const error = new Fault('STORE_FULL', 'no room', { cause: new Error('SQLITE_FULL', { cause: 'disk' }) })
    expect(errorFields(error)).toMatchObject({
      error: 'no room',
      code: 'STORE_FULL',
      stack: expect.stringContaining('log.test.ts'),
      cause: { error: 'SQLITE_FULL', cause: { error: 'disk' } },
    })
  })
  it('that causes itself ends', () => {
    const error = new Error('loop')
    error.cause = error
    expect(errorFields(error)).toMatchObject({ cause: { error: 'loop' } })
  })
})

describe('the line of a case', () => {
  const alert: Alert = {
    fingerprint: 'f',
    status: 'firing',
    labels: { alertname: 'KubePodCrashLooping', namespace: 'team-a' },
    annotations: {},
    startsAt: 0,
    endsAt: undefined,
    generatorUrl: undefined,
  }
  const opened: Opened = { at: 'opened', id: caseId('01J'), openedAt: 1_000, alerts: [alert] }
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team-a', name: 'web', uid: 'u' }
  it('says what was decided and how it ended', () => {
    const decided: Decided = {
      ...opened,
      at: 'decided',
      target: { object, owner: object, chain: [object], container: undefined },
      decision: { by: 'rule', rule: 'crash', action: 'restart_pod', parameters: {}, confidence: 1, because: 'b', evidence: [] },
      explanation: { considered: [], unknownFacts: [], book: 'h' },
    }
    expect(caseLine(close(decided, 'observed', 'OBSERVE_MODE', 'the mode is observe'), 1_250)).toEqual({
      case: '01J',
      alert: 'KubePodCrashLooping',
      namespace: 'team-a',
      target: 'Deployment team-a/web',
      decidedBy: 'rule',
      rule: 'crash',
      action: 'restart_pod',
      outcome: 'observed',
      reason: 'OBSERVE_MODE',
      because: 'the mode is observe',
      alerts: 1,
      ms: 250,
    })
  })
  it('has null for pages that the case never got', () => {
    expect(caseLine(close(opened, 'told', 'NO_TARGET', 'x'), 1_000)).toMatchObject({ target: null, decidedBy: null, rule: null, action: null })
  })
})
