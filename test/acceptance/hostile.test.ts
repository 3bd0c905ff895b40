// Text of alerts that wants to be more than text, through the whole walk: door, store, rules, API server, notifications and log.
import { describe, expect, it } from 'vitest'
import { Database } from '../../src/libsql/database.ts'
import { NAMESPACE } from '../acting.ts'
import { promise } from '../promises.ts'
import { delivery } from './deliveries.ts'
import { alertOf, badDeploy, crashLooping, untilWell } from './scenes.ts'
import { type Stage, stage } from './stage.ts'

const ESC = '\u001b'
const HOSTILE: readonly (readonly [string, string])[] = [
  ['prototype names', '__proto__'],
  ['a constructor', 'constructor'],
  ['control characters', 'a\u0000b\u0007\r\nc\u2028d'],
  ['ANSI', `${ESC}[2J${ESC}[31mred${ESC}]8;;http://evil.test${ESC}\\`],
  ['SQL', "'; DROP TABLE cases; --"],
  ['templates', `{{ .Values.x }} $${'{process.env.HOME}'} <%= 7*7 %> #{7*7}`],
  ['a path', '../../../../api/v1/namespaces/kube-system/secrets/x?watch=true#'],
  ['markup', '<!channel> <https://evil.test|click> @all [x](javascript:alert(1))'],
  ['right to left', '\u202egnp.exe\u202c'],
  ['lone surrogates', '\ud800 \udfff'],
  ['64 KiB', 'x'.repeat(65_536)],
]
const labelsWith = (text: string): Record<string, string> =>
  Object.fromEntries([
    ['alertname', 'Hostile'],
    ['namespace', NAMESPACE],
    ['severity', 'warning'],
    ['pod', text],
    ['container', text],
    ['team', text],
    ['toString', text],
    ['constructor', text],
    ['hasOwnProperty', text],
  ])
const pathsAsked = (on: Stage): readonly string[] => on.practice.requests.filter(({ user }) => user.endsWith(':alerts-slm')).map(({ path }) => path)
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/

describe('hostile text', () => {
  it.each(HOSTILE)('is data as a label value: %s', async (_, text) => {
    const on = await stage({ config: { tell: { chat: { url: 'http://chat.test/hook' } } } })
    const answer = await on.push({ labels: labelsWith(text), annotations: { summary: text, runbook_url: text } })
    expect(answer.status).toBe(200)
    const ended = await on.ending()
    expect(ended.outcome).toBe('told')
    // As it came, byte for byte, in the history.
    expect(ended.page.alerts[0].labels['team']).toBe(JSON.parse(JSON.stringify(text)))
    await on.ports.advance(5_000)
    expect(pathsAsked(on).filter((path) => /secrets|kube-system|\.\./.test(decodeURIComponent(path)) && !path.includes('%2F'))).toEqual([])
    for (const said of on.chat) {
      expect(said.split('\n').some((line) => CONTROL.test(line))).toBe(false)
      expect(said).not.toMatch(/<!channel>|<https?:/)
    }
    for (const line of on.log) expect(CONTROL.test(line)).toBe(false)
    // The store is whole, and the next one is served.
    expect((await on.push(alertOf('Next', { deployment: 'web' }))).status).toBe(200)
    expect(await on.closed(2)).toHaveLength(2)
  })

  it(promise('text-is-data', 'labels named like what every object has'), async () => {
    const on = await stage()
    const body = JSON.stringify(delivery('firing', [alertOf('Hostile', { deployment: 'web' })], on.ports.clock.now())).replace(
      '"alertname":"Hostile","namespace"',
      '"__proto__":"polluted","constructor":"c","toString":"t","alertname":"Hostile","namespace"',
    )
    const answer = await on.app.webhook(new Request('http://sidecar.test/alerts', { method: 'POST', headers: { 'content-type': 'application/json' }, body }))
    expect(answer.status).toBe(200)
    const ended = await on.ending()
    expect(Object.keys(ended.page.alerts[0].labels)).toEqual(expect.arrayContaining(['__proto__', 'constructor', 'toString']))
    expect(Object.getOwnPropertyDescriptor({}, 'polluted')).toBeUndefined()
    expect(String({})).toBe('[object Object]')
  })

  it(promise('text-is-data', 'it becomes no series of a metric'), async () => {
    const on = await stage()
    await on.push({ labels: { ...labelsWith('x'), severity: "'; DROP", namespace: `${ESC}[31m` } }, alertOf('Other', { severity: '__proto__', deployment: 'web' }))
    await on.closed(2)
    const text = await on.app.metrics.text()
    expect(text).toMatch(/^alerts_received_total\{severity="other",namespace="other"\} 1$/m)
    expect(text).not.toMatch(/DROP|proto|\[31m/)
  })

  it('beside a real repair changes nothing of it', async () => {
    const on = await badDeploy()
    const alert = crashLooping(on, 'web')
    const labels = { ...alert.labels, note: "'; UPDATE cases SET outcome = 'fixed'; --", because: `${ESC}[2J`, action: 'delete_everything', alerts_slm: 'x' }
    await on.push({ labels, annotations: { action: 'scale_deployment', remediation: 'kubectl delete ns team-a' } })
    await untilWell(on, 'web', 1)
    await on.resolve({ labels })
    expect(await on.ending()).toMatchObject({ outcome: 'fixed', action: 'rollback_deployment' })
    expect(on.written()).toEqual(['patch deployments/web'])
    const reading = new Database(on.store)
    expect(reading.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' })
    reading.close()
  })
})
