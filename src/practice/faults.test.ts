import { describe, expect, it, onTestFinished } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { isFault } from '../domain/fault.ts'
import type { HttpRequest } from '../domain/ports.ts'
import { realPorts } from '../ports.ts'
import { httpOf } from './http.ts'
import { listen } from './listen.ts'
import { makePractice } from './server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

function troubled() {
  const ports = manualPorts()
  const practice = makePractice({ ports })
  practice.load([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' }, data: {} }])
  const http = httpOf(practice.fetch)
  const headers = { authorization: `Bearer ${practice.adminToken}` }
  const get = (path = `${MAPS}/a`, more: Partial<HttpRequest> = {}) => http({ method: 'GET', url: `http://practice${path}`, headers, ...more })
  const post = (name: string, at = 'http://practice', by = http) =>
    by({ method: 'POST', url: `${at}${MAPS}`, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ metadata: { name } }) })
  return { ports, practice, http, get, post }
}

describe('an injected fault', () => {
  it('answers with a status, as often as asked, on the paths and methods and users it names', async () => {
    const { practice, get, post } = troubled()
    practice.faults.add({ match: { method: 'GET', path: MAPS, user: 'admin' }, times: 2, then: { kind: 'status', status: 503, retryAfter: 7, message: 'resting' } })
    const refused = await get()
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '7'])
    expect(JSON.parse(await refused.text())).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable', message: 'resting', code: 503, details: { retryAfterSeconds: 7 } })
    expect((await post('other')).status).toBe(201)
    expect((await get('/version')).status).toBe(200)
    expect([(await get()).status, (await get()).status]).toEqual([503, 200])
  })
  it('matches paths by pattern, and is taken back by what add gave', async () => {
    const { practice, get } = troubled()
    const takeBack = practice.faults.add({ match: { path: /configmaps\/[a-z]$/ }, then: { kind: 'status', status: 500 } })
    expect([(await get()).status, (await get(MAPS)).status]).toEqual([500, 200])
    takeBack()
    expect((await get()).status).toBe(200)
  })
  it('delays by the clock, and lets the next fault follow', async () => {
    const { ports, practice, get } = troubled()
    practice.faults.add({ match: {}, times: 1, then: { kind: 'delay', ms: 5_000 } })
    practice.faults.add({ match: {}, times: 1, then: { kind: 'status', status: 429 } })
    let answered: number | undefined
    const asking = get().then(({ status }) => {
      answered = status
    })
    await ports.advance(4_999)
    expect(answered).toBeUndefined()
    await ports.advance(1)
    await asking
    expect(answered).toBe(429)
  })
  it('never answers when it hangs, until the client gives up', async () => {
    const { practice, get } = troubled()
    practice.faults.add({ match: {}, then: { kind: 'hang' } })
    const controller = new AbortController()
    const asking = get(`${MAPS}/a`, { signal: controller.signal })
    controller.abort(new Error('given up'))
    await expect(asking).rejects.toThrow('given up')
    expect(practice.requests.at(-1)).toMatchObject({ path: `${MAPS}/a`, status: 0 })
  })
  it('cuts the connection before the write, or after it', async () => {
    const { practice, post } = troubled()
    practice.faults.add({ match: { method: 'POST' }, times: 1, then: { kind: 'cut-before' } })
    await expect(post('before')).rejects.toThrow('cut')
    practice.faults.add({ match: { method: 'POST' }, times: 1, then: { kind: 'cut-after' } })
    await expect(post('after')).rejects.toThrow('cut')
    expect([practice.store.get('ConfigMap', 'default', 'before'), practice.store.get('ConfigMap', 'default', 'after')?.metadata.name]).toEqual([undefined, 'after'])
    expect(practice.requests.slice(-2).map(({ status }) => status)).toEqual([0, 201])
  })
  it('breaks the socket where there is one', async () => {
    const { practice, post } = troubled()
    const { url, close } = await listen(practice.fetch)
    onTestFinished(close)
    practice.faults.add({ match: { method: 'POST' }, times: 1, then: { kind: 'cut-after' } })
    await expect(post('lost', url, realPorts.http())).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
    expect(practice.store.get('ConfigMap', 'default', 'lost')).toBeDefined()
    expect((await post('lost', url, realPorts.http())).status).toBe(409)
  })
  it('ends every open watch', async () => {
    const { ports, practice, get } = troubled()
    const watch = await get(`${MAPS}?watch=1`)
    const reading = watch.text()
    await ports.settle()
    expect(practice.watches()).toBe(1)
    practice.faults.dropWatches()
    expect(await reading).toContain('"type":"ADDED"')
    expect(practice.watches()).toBe(0)
  })
})

describe('listening', () => {
  it('names a port that is taken', async () => {
    const { practice } = troubled()
    const { port, close } = await listen(practice.fetch)
    onTestFinished(close)
    const taken = await listen(practice.fetch, port).catch((error: unknown) => error)
    expect(isFault(taken, 'PORT_TAKEN') && taken.message).toBe(`port ${port} is taken`)
  })
  it('closes with its connections, open watches too', async () => {
    const { practice } = troubled()
    const { url, close } = await listen(practice.fetch)
    const http = realPorts.http()
    const watch = await http({ method: 'GET', url: `${url}${MAPS}?watch=1`, headers: { authorization: `Bearer ${practice.adminToken}` } })
    expect(practice.watches()).toBe(1)
    await close()
    await expect(watch.text()).rejects.toThrow()
    await expect(http({ method: 'GET', url })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect.poll(() => practice.watches()).toBe(0)
  })
})
