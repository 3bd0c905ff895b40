import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Alert } from '../domain/alert.ts'
import { Fault } from '../domain/fault.ts'
import { realPorts } from '../ports.ts'
import type { Incomplete } from './delivery.ts'
import type { Sender } from './networks.ts'
import { fixedSecret } from './secrets.ts'
import { makeWebhook, type WebhookConfig } from './webhook.ts'

const captured: { body: { alerts: Record<string, unknown>[] } } = JSON.parse(readFileSync(new URL('../../test/fixtures/payloads/v0.34/02-firing-3.json', import.meta.url), 'utf8'))
const ONE = { ...captured.body, truncatedAlerts: 0, alerts: captured.body.alerts.slice(0, 1) }

/** A door with everything that it tells anyone. `time` goes by hand. */
function door(config: Partial<WebhookConfig> = {}, accept: (alerts: readonly Alert[]) => Promise<void> = async () => {}) {
  const time = { ms: 0 }
  const told = {
    accepted: [] as Alert[],
    security: [] as string[],
    warnings: [] as object[],
    codes: [] as number[],
    received: 0,
    incomplete: [] as Incomplete[],
    errors: [] as unknown[],
  }
  const app = makeWebhook({
    config,
    intake: {
      async accept(alerts, from) {
        expect(from).toEqual({ source: 'webhook' })
        await accept(alerts)
        told.accepted.push(...alerts)
      },
    },
    clock: { now: () => 1_000_000 + time.ms, elapsed: () => time.ms },
    security: ({ event, address, why }) => told.security.push(`${event} ${address} ${why}`),
    log: { warn: (fields) => told.warnings.push(fields) },
    metrics: { received: () => (told.received += 1), delivered: () => {}, answered: (code) => told.codes.push(code) },
    onIncomplete: (incomplete) => told.incomplete.push(incomplete),
    onError: (error) => told.errors.push(error),
  })
  const post = (body: unknown, headers: Record<string, string> = {}, sender: Sender = { address: '10.0.0.1' }) =>
    app.request(
      '/alerts',
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) },
      { sender },
    )
  return { app, post, told, time }
}
const problemOf = async (answer: Response) =>
  z
    .object({
      type: z.string(),
      status: z.number(),
      title: z.string(),
      detail: z.string(),
      code: z.string(),
      errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
    })
    .parse(await answer.json())
const turn = () => new Promise<void>((resolve) => realPorts.timers.soon(resolve))
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('a delivery', () => {
  it('is answered after intake has committed it, never before', async () => {
    let commit = () => {}
    const { post, told } = door({}, () => new Promise((resolve) => (commit = resolve)))
    let answered = false
    const answer = Promise.resolve(post(captured.body)).then((response) => {
      answered = true
      return response
    })
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
    await turn()
    expect(answered).toBe(false)
    commit()
    expect((await answer).status).toBe(200)
    expect(told.accepted).toHaveLength(3)
    expect(told).toMatchObject({ received: 3, codes: [200] })
  })
  it('says how many alerts were taken', async () => {
    expect(await (await door().post(ONE)).json()).toEqual({ accepted: 1, rejected: [] })
  })
  it('with one bad alert among good ones: the good ones are taken, the answer and the log name the other', async () => {
    const { post, told } = door()
    const bad = { ...ONE, alerts: [ONE.alerts[0], { status: 'firing', labels: { pod: 5 }, startsAt: '2026-01-01T00:00:00Z' }, ONE.alerts[0]] }
    const answer = await post(bad)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ accepted: 2, rejected: [{ path: '/alerts/1/labels/pod', message: 'must be a string, is a number' }] })
    expect(told.accepted).toHaveLength(2)
    expect(told.warnings).toMatchObject([{ path: '/alerts/1/labels/pod', taken: 2 }])
    await post(bad)
    expect(told.warnings).toHaveLength(1)
  })
  it('with only bad alerts is 422 with a pointer to each wrong field', async () => {
    const { post, told } = door()
    const answer = await post({ ...ONE, alerts: [{}, 7] })
    expect(answer.status).toBe(422)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    const problem = await problemOf(answer)
    expect(problem).toMatchObject({ type: 'about:blank', status: 422, title: expect.any(String), detail: expect.stringContaining('4 fields') })
    expect(problem.errors.map((error) => error.pointer)).toEqual(['#/alerts/0/status', '#/alerts/0/labels', '#/alerts/0/startsAt', '#/alerts/1'])
    expect(told.accepted).toEqual([])
  })
  it('names at most a hundred wrong fields, whatever was sent', async () => {
    const problem = await problemOf(await door().post({ ...ONE, alerts: Array.from({ length: 5_000 }, () => 0) }))
    expect(problem.errors).toHaveLength(100)
    expect(problem.detail).toContain('5000 fields')
  })
  it('with a label that is no valid text is refused, not a crash', async () => {
    const answer = await door().post(`{"alerts":[{"status":"firing","labels":{"\\ud800":5},"startsAt":"2026-01-01T00:00:00Z"}]}`)
    expect(answer.status).toBe(422)
  })
  it('of 10,000 alerts is taken where the limit allows it', async () => {
    const { post, told } = door({ maxBodyBytes: 32 * 2 ** 20 })
    const answer = await post({ ...ONE, alerts: Array.from({ length: 10_000 }, (_, at) => ({ ...ONE.alerts[0], fingerprint: String(at) })) })
    expect(await answer.json()).toEqual({ accepted: 10_000, rejected: [] })
    expect(new Set(told.accepted.map((alert) => alert.fingerprint)).size).toBe(10_000)
  })
  it('with labels of 64 KiB and hostile text is taken as it came', async () => {
    const { post, told } = door()
    const labels = JSON.parse(`{"__proto__":"x","constructor":"y","huge":"${'v'.repeat(65_536)}","ansi":"\\u001b[2J\\u0000","sql":"'; DROP TABLE cases; --"}`)
    expect((await post({ ...ONE, alerts: [{ ...ONE.alerts[0], labels }] })).status).toBe(200)
    expect(Object.entries(told.accepted[0]?.labels ?? {})).toEqual(Object.entries(labels))
  })
  it('that leaves alerts out is taken, and what is missing is made known', async () => {
    const { post, told } = door()
    expect((await post({ ...ONE, truncatedAlerts: 2 })).status).toBe(200)
    expect(told.incomplete).toEqual([{ kind: 'truncated', why: expect.stringContaining('left out 2 alerts') }])
  })
})

describe('what is no delivery', () => {
  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is 405 and says that POST is allowed', async (method) => {
    const answer = await door().app.request('/alerts', { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
  it('another path is 404', async () => {
    expect((await door().app.request('/', { method: 'POST' })).status).toBe(404)
  })
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])('content type %j is 415', async (type) => {
    const answer = await door().post(ONE, { 'content-type': type })
    expect(answer.status).toBe(415)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })
  it('a compressed body is 415', async () => {
    expect((await door().post(ONE, { 'content-encoding': 'gzip' })).status).toBe(415)
  })
  it('JSON may name its charset', async () => {
    expect((await door().post(ONE, { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200)
  })
  it.each(['', '{', '{"alerts":[}', "{'alerts':[]}", 'alerts=1', '{"alerts":[]} trailing', '\u0000'])('body %j is 400', async (body) => {
    const answer = await door().post(body)
    expect([answer.status, (await problemOf(answer)).code]).toEqual([400, 'SYNTAX'])
  })
  it('bytes that are no UTF-8 are 400', async () => {
    const answer = await door().app.request('/alerts', { method: 'POST', headers: { 'content-type': 'application/json' }, body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]) })
    expect(answer.status).toBe(400)
  })
  it.each(['null', '[]', '5', '"text"', '{}', '{"alerts":{}}', `${'['.repeat(100_000)}${']'.repeat(100_000)}`])('JSON that is no webhook is 422', async (body) => {
    expect((await door().post(body)).status).toBe(422)
  })
  it('never echoes what was sent', async () => {
    const answer = await door({ bearer: [fixedSecret('right')] }).post({ alerts: 'hunter2' }, bearer('hunter2'))
    expect(await answer.text()).not.toContain('hunter2')
    expect(await (await door().post({ alerts: [{ status: 'hunter2', labels: { a: 'hunter2' }, startsAt: 'hunter2' }] })).text()).not.toContain('hunter2')
  })
})

describe('the size of a body', () => {
  it('is bounded to 1 MiB by default, and one that is larger is made known', async () => {
    const { post, told } = door()
    const answer = await post('x'.repeat(2 ** 20 + 1))
    expect([answer.status, answer.headers.get('connection')]).toEqual([413, 'close'])
    expect(told.incomplete).toEqual([{ kind: 'too_large', why: expect.stringContaining('1048576') }])
  })
  it('is judged by what is announced, before it is read', async () => {
    let read = 0
    const body = new ReadableStream({
      pull(controller) {
        read += 1
        controller.enqueue(new Uint8Array(1_000))
      },
    })
    const answer = await door().app.request('/alerts', { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': '9999999' }, body, duplex: 'half' })
    expect(answer.status).toBe(413)
    expect(read).toBeLessThanOrEqual(1)
  })
  it('is judged while it streams: an endless body without a length is not read to an end', async () => {
    let read = 0
    const body = new ReadableStream({
      pull(controller) {
        read += 1
        controller.enqueue(new Uint8Array(65_536))
      },
    })
    const answer = await door().app.request('/alerts', { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' })
    expect(answer.status).toBe(413)
    expect(read).toBeLessThan(25)
  })
  it('may come in pieces', async () => {
    const bytes = Buffer.from(JSON.stringify({ ...ONE, commonLabels: { text: 'ä€😀' } }))
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 7) controller.enqueue(new Uint8Array(bytes.subarray(at, at + 7)))
        controller.close()
      },
    })
    expect((await door().app.request('/alerts', { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' })).status).toBe(200)
  })
})

describe('who is let in', () => {
  const right = { bearer: [fixedSecret('old-token', 'new-token')], basic: [{ username: 'am', password: fixedSecret('pass:word') }] }
  it.each([
    ['the old token', bearer('old-token'), 200],
    ['the new token', bearer('new-token'), 200],
    ['any case of the scheme', { authorization: 'bEARER new-token' }, 200],
    ['name and password', basic('am:pass:word'), 200],
    ['nothing', {}, 401],
    ['a wrong token', bearer('wrong'), 401],
    ['an empty token', { authorization: 'Bearer ' }, 401],
    ['a token that begins right', bearer('new-token2'), 401],
    ['the token as a password', basic('am:new-token'), 401],
    ['the password as a token', bearer('pass:word'), 401],
    ['a wrong name', basic('root:pass:word'), 401],
    ['a name without password', basic('am'), 401],
    ['no base64', { authorization: 'Basic ?' }, 401],
    ['another scheme', { authorization: 'Digest new-token' }, 401],
    ['no scheme', { authorization: 'new-token' }, 401],
  ])('%s', async (_, headers, status) => {
    const { post, told } = door(right)
    const answer = await post(ONE, headers)
    expect(answer.status).toBe(status)
    expect(told.accepted).toHaveLength(status === 200 ? 1 : 0)
    expect(answer.headers.get('www-authenticate')).toBe(status === 200 ? null : 'Bearer realm="alerts", Basic realm="alerts", charset="UTF-8"')
    expect(told.security).toHaveLength(status === 200 ? 0 : 1)
  })
  it('offers only what is configured', async () => {
    expect((await door({ bearer: [fixedSecret('t')] }).post(ONE)).headers.get('www-authenticate')).toBe('Bearer realm="alerts"')
  })
  it('everybody, where nothing is configured', async () => {
    expect((await door().post(ONE)).status).toBe(200)
  })
  it('nobody, where a way is configured and no value is valid', async () => {
    for (const secret of [fixedSecret(), fixedSecret('')]) {
      const { post } = door({ bearer: [secret] })
      expect([(await post(ONE)).status, (await post(ONE, { authorization: 'Bearer ' })).status]).toEqual([401, 401])
    }
  })
  it('by a client certificate that the listener verified, if its name is allowed', async () => {
    const { post } = door({ certificates: { subjects: ['alertmanager.monitoring.svc'] } })
    expect((await post(ONE, {}, { address: '10.0.0.1', certificate: ['am', 'alertmanager.monitoring.svc'] })).status).toBe(200)
    expect((await post(ONE, {}, { address: '10.0.0.1', certificate: ['somebody'] })).status).toBe(401)
    expect((await post(ONE)).status).toBe(401)
    expect((await door({ certificates: { subjects: [] } }).post(ONE, {}, { address: '10.0.0.1', certificate: ['anybody'] })).status).toBe(200)
    expect((await door(right).post(ONE, {}, { address: '10.0.0.1', certificate: ['anybody'] })).status).toBe(401)
  })
  it('before the body is read: who is refused learns nothing about it', async () => {
    const { post, told } = door(right)
    expect((await post('{', bearer('wrong'))).status).toBe(401)
    expect((await post('x'.repeat(2 ** 21), bearer('wrong'))).status).toBe(401)
    expect(told.incomplete).toEqual([])
  })
  it('the security log names the sender and no credential', async () => {
    const { post, told } = door(right)
    await post(ONE, bearer('hunter2'))
    expect(told.security).toEqual(['login_refused 10.0.0.1 wrong token'])
  })
})

describe('failed logins', () => {
  const config = { bearer: [fixedSecret('right')], loginFailures: { limit: 3, windowMs: 60_000 } }
  const fail = async ({ post }: ReturnType<typeof door>, times: number, address = '10.0.0.9') => {
    const codes: number[] = []
    for (let n = 0; n < times; n++) codes.push((await post(ONE, bearer(`guess-${n}`), { address })).status)
    return codes
  }
  it('are slowed down: 429 with the time to wait, for the address that failed', async () => {
    const one = door(config)
    expect(await fail(one, 5)).toEqual([401, 401, 401, 429, 429])
    one.time.ms += 20_000
    const answer = await one.post(ONE, bearer('guess'), { address: '10.0.0.9' })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '40'])
    expect((await one.post(ONE, bearer('right'), { address: '10.0.0.8' })).status).toBe(200)
  })
  it('learn nothing while they wait: the right token, guessed, is 429 too', async () => {
    const one = door(config)
    await fail(one, 3)
    expect((await one.post(ONE, bearer('right'), { address: '10.0.0.9' })).status).toBe(429)
    one.time.ms += 60_000
    expect((await one.post(ONE, bearer('right'), { address: '10.0.0.9' })).status).toBe(200)
  })
  it('do not lock out who had logged in from the same address', async () => {
    const one = door(config)
    await one.post(ONE, bearer('right'), { address: '10.0.0.9' })
    expect(await fail(one, 4)).toEqual([401, 401, 401, 429])
    expect((await one.post(ONE, bearer('right'), { address: '10.0.0.9' })).status).toBe(200)
  })
  it('are told in the security log until the block, and the block once', async () => {
    const one = door(config)
    await fail(one, 50)
    expect(one.told.security).toEqual([...Array(3).fill('login_refused 10.0.0.9 wrong token'), 'login_blocked 10.0.0.9 3 failed logins'])
  })
  it('of one IPv6 network count together', async () => {
    const one = door(config)
    for (const end of [1, 2, 3]) await fail(one, 1, `2001:db8:0:1::${end}`)
    expect((await one.post(ONE, bearer('x'), { address: '2001:db8:0:1::99' })).status).toBe(429)
    expect((await one.post(ONE, bearer('x'), { address: '2001:db8:0:2::99' })).status).toBe(401)
  })
})

describe('allow_from', () => {
  const from = async (config: Partial<WebhookConfig>, address: string, forwarded?: string) =>
    (await door(config).post(ONE, forwarded ? { 'x-forwarded-for': forwarded } : {}, { address })).status
  it.each([
    ['10.1.2.3', 200],
    ['::ffff:10.1.2.3', 200],
    ['11.0.0.1', 403],
    ['192.168.7.7', 200],
    ['192.168.7.8', 403],
    ['2001:db8::1', 200],
    ['2001:db9::1', 403],
    ['unknown', 403],
  ])('%s is %i', async (address, status) => {
    expect(await from({ allowFrom: ['10.0.0.0/8', '192.168.7.7', '2001:db8::/32'] }, address)).toBe(status)
  })
  it('does not believe a header, unless the connection comes from a trusted proxy, and then only its last hop', async () => {
    const allowFrom = ['10.0.0.0/8']
    expect(await from({ allowFrom }, '11.0.0.1', '10.0.0.1')).toBe(403)
    const trusting = { allowFrom, trustedProxies: ['172.16.0.0/12'] }
    expect(await from(trusting, '172.16.0.1', '10.0.0.1')).toBe(200)
    expect(await from(trusting, '172.16.0.1', '10.0.0.1, 11.0.0.1')).toBe(403)
    expect(await from(trusting, '172.16.0.1', '11.0.0.1, 10.0.0.1, 172.16.0.2')).toBe(200)
    expect(await from(trusting, '172.16.0.1', 'rubbish')).toBe(403)
    expect(await from(trusting, '172.16.0.1')).toBe(403)
  })
  it('is in the security log, a few times an address', async () => {
    const { post, told } = door({ allowFrom: ['10.0.0.0/8'] })
    for (let n = 0; n < 100; n++) await post(ONE, {}, { address: '11.0.0.1' })
    expect(told.security).toHaveLength(10)
    expect(told.security[0]).toBe('sender_refused 11.0.0.1 not in an allowed network')
  })
  it('that is no network is refused at start, by name', () => {
    expect(() => door({ allowFrom: ['10.0.0.0/8', 'nonsense', '10.0.0.0/64'] })).toThrow(/allow_from.*nonsense, 10\.0\.0\.0\/64/)
  })
})

describe('rate and capacity', () => {
  it('a sender over its rate is 503 with Retry-After, another is not', async () => {
    const { post, time } = door({ rate: { perSecond: 1, burst: 2 } })
    expect([(await post(ONE)).status, (await post(ONE)).status]).toEqual([200, 200])
    const answer = await post(ONE)
    expect([answer.status, answer.headers.get('retry-after'), (await problemOf(answer)).code]).toEqual([503, '1', 'RATE_EXCEEDED'])
    expect((await post(ONE, {}, { address: '10.0.0.2' })).status).toBe(200)
    time.ms += 1_000
    expect([(await post(ONE)).status, (await post(ONE)).status]).toEqual([200, 503])
  })
  it.each(['STORE_FULL', 'STORE_UNAVAILABLE'] as const)('%s is 503 with Retry-After and counts nothing as received', async (code) => {
    const { post, told } = door({}, () => Promise.reject(new Fault(code, 'disk /data is full', { retryAfterMs: 7_000 })))
    const answer = await post(ONE)
    expect([answer.status, answer.headers.get('retry-after'), (await problemOf(answer)).code]).toEqual([503, '7', code])
    expect(told).toMatchObject({ received: 0, codes: [503], errors: [] })
  })
  it('something unexpected is 500 without its text, and is passed on', async () => {
    const { post, told } = door({}, () => Promise.reject(new Error('secret path /data/x')))
    const answer = await post(ONE)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret path')
    expect(told).toMatchObject({ errors: [{ message: 'secret path /data/x' }], codes: [500], received: 0 })
  })
  it('too much under way is 503, and room comes back when it is done', async () => {
    const done: (() => void)[] = []
    const { post, told } = door({ maxBodyBytes: 20_000, maxPendingBytes: 30_000 }, () => new Promise((resolve) => done.push(resolve)))
    const big = JSON.stringify({ ...ONE, externalURL: 'x'.repeat(12_000) })
    const headers = { 'content-length': String(big.length) }
    const first = post(big, headers)
    while (done.length < 1) await turn()
    const second = await post(big, headers)
    expect([second.status, second.headers.get('retry-after'), (await problemOf(second)).code]).toEqual([503, '1', 'BUSY'])
    done[0]?.()
    expect((await first).status).toBe(200)
    const third = post(big, headers)
    while (done.length < 2) await turn()
    done[1]?.()
    expect((await third).status).toBe(200)
    expect(told.accepted).toHaveLength(2)
  })
})
