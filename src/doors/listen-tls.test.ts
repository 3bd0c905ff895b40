import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { suiteNeeding } from '../../test/suites.ts'
import type { Tls } from '../domain/ports.ts'
import { realPorts } from '../ports.ts'
import type { SecurityEvent } from './admission.ts'
import { alternativeNames } from './certificates.ts'
import { type Listening, type ListenOptions, listen } from './listen.ts'
import { makeWebhook } from './webhook.ts'

const OPENSSL = 'openssl'
const dir = mkdtempSync(join(tmpdir(), 'tls-'))
const file = (name: string) => join(dir, name)
const text = (name: string) => readFileSync(file(name), 'utf8')

/** NAME.crt and NAME.key, signed by CA or by itself. */
function certificate(name: string, subject: string, more: readonly string[] = [], ca?: string) {
  const signed = ca ? ['-CA', `${ca}.crt`, '-CAkey', `${ca}.key`] : []
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', subject]
  const made = spawnSync(OPENSSL, [...request, '-keyout', `${name}.key`, '-out', `${name}.crt`, ...signed, ...more], { cwd: dir, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
}

afterAll(() => rmSync(dir, { recursive: true, force: true }))

const open: Listening[] = []
const start = async (options: Partial<ListenOptions>) => {
  const listening = await listen({
    fetch: (_, { sender }) => Response.json(sender),
    port: 0,
    host: '127.0.0.1',
    timers: realPorts.timers,
    tls: { certFile: file('server.crt'), keyFile: file('server.key') },
    ...options,
  })
  open.push(listening)
  return listening
}
const get = async (url: string, tls: Tls) => {
  const answer = await realPorts.http({ serverName: 'localhost', ...tls })({ method: 'GET', url })
  return JSON.parse(await answer.text())
}
const clientTls = (name: string): Tls => ({ ca: text('ca.crt'), cert: text(`${name}.crt`), key: text(`${name}.key`) })

suiteNeeding('tls', { programs: [OPENSSL], get: 'apt-get install openssl' }, () => {
  beforeAll(() => {
    certificate('ca', '/CN=test ca')
    certificate('server', '/CN=localhost', ['-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'], 'ca')
    certificate('renewed', '/CN=renewed', ['-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'], 'ca')
    certificate('alertmanager', '/CN=alertmanager', ['-addext', 'subjectAltName=DNS:am.monitoring.svc,URI:spiffe://x/am', '-addext', 'basicConstraints=critical,CA:FALSE'], 'ca')
    certificate('stranger', '/CN=alertmanager')
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((listening) => listening.close(0)))
  })

  it('serves with its certificate', async () => {
    const { url } = await start({})
    expect(url).toMatch(/^https:/)
    expect(await get(url, { ca: text('ca.crt') })).toEqual({ address: '127.0.0.1' })
    await expect(get(url, {})).rejects.toThrow()
  })
  it('tells the door the names of a client certificate that its CA signed, and of no other', async () => {
    const { url } = await start({ tls: { certFile: file('server.crt'), keyFile: file('server.key'), clientCaFile: file('ca.crt') } })
    expect(await get(url, clientTls('alertmanager'))).toEqual({ address: '127.0.0.1', certificate: ['alertmanager', 'am.monitoring.svc', 'spiffe://x/am'] })
    expect(await get(url, clientTls('stranger'))).toEqual({ address: '127.0.0.1' })
    expect(await get(url, { ca: text('ca.crt') })).toEqual({ address: '127.0.0.1' })
  })
  it('lets the webhook judge by those names', async () => {
    const taken: number[] = []
    const webhook = (subjects: readonly string[]) =>
      makeWebhook({
        intake: { accept: async (alerts) => void taken.push(alerts.length) },
        config: { certificates: { subjects } },
        clock: realPorts.clock,
        security: () => {},
        log: { warn: () => {} },
      })
    const tls = { certFile: file('server.crt'), keyFile: file('server.key'), clientCaFile: file('ca.crt') }
    const post = async (subjects: readonly string[], client: Tls) => {
      const app = webhook(subjects)
      const { url } = await start({ tls, fetch: (request, env) => app.fetch(request, env) })
      const body = JSON.stringify({ alerts: [{ status: 'firing', labels: { a: 'b' }, startsAt: '2026-01-01T00:00:00Z' }] })
      return (await realPorts.http({ serverName: 'localhost', ...client })({ method: 'POST', url: `${url}/alerts`, headers: { 'content-type': 'application/json' }, body })).status
    }
    expect(await post(['am.monitoring.svc'], clientTls('alertmanager'))).toBe(200)
    expect(await post(['somebody.else'], clientTls('alertmanager'))).toBe(401)
    expect(await post(['alertmanager'], clientTls('stranger'))).toBe(401)
    expect(await post([], { ca: text('ca.crt') })).toBe(401)
    expect(taken).toEqual([1])
  })
  it('can refuse clients without a good certificate in the handshake, and says so in the security log', async () => {
    const events: SecurityEvent[] = []
    const asked: unknown[] = []
    const { url } = await start({
      tls: { certFile: file('server.crt'), keyFile: file('server.key'), clientCaFile: file('ca.crt'), requireClientCertificate: true },
      security: (event) => events.push(event),
      fetch(_, { sender }) {
        asked.push(sender)
        return Response.json({})
      },
    })
    await get(url, clientTls('alertmanager'))
    await expect(get(url, { ca: text('ca.crt') })).rejects.toThrow()
    await expect(get(url, clientTls('stranger'))).rejects.toThrow()
    expect(asked).toEqual([expect.objectContaining({ certificate: expect.arrayContaining(['alertmanager']) })])
    expect(events.map(({ event, address }) => `${event} ${address}`)).toEqual(['handshake_refused 127.0.0.1', 'handshake_refused 127.0.0.1'])
  })
  it('refuses to require certificates without a CA', async () => {
    await expect(start({ tls: { certFile: file('server.crt'), keyFile: file('server.key'), requireClientCertificate: true } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
  it('reads certificates again when the files change, and keeps the last good one when they are broken', async () => {
    for (const kind of ['crt', 'key']) copyFileSync(file(`server.${kind}`), file(`live.${kind}`))
    const looks: (() => void)[] = []
    const troubles: string[] = []
    const { port } = await start({
      tls: { certFile: file('live.crt'), keyFile: file('live.key') },
      timers: {
        after(_, run) {
          looks.push(run)
          return () => {}
        },
        soon: (run) => queueMicrotask(run),
      },
      onTrouble: (why) => troubles.push(why),
    })
    const served = async () => {
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca: text('ca.crt'), servername: 'localhost' })
      await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
      const name = socket.getPeerCertificate().subject.CN
      socket.destroy()
      return name
    }
    const look = () => looks.pop()?.()
    expect(await served()).toBe('localhost')
    for (const kind of ['crt', 'key']) copyFileSync(file(`renewed.${kind}`), file(`live.${kind}`))
    look()
    expect(await served()).toBe('renewed')
    writeFileSync(file('live.key'), 'half a key')
    look()
    expect(await served()).toBe('renewed')
    expect(troubles).toEqual([expect.stringContaining('the last good one stays')])
    look()
    expect(troubles).toHaveLength(1)
    for (const kind of ['crt', 'key']) copyFileSync(file(`server.${kind}`), file(`live.${kind}`))
    look()
    expect(await served()).toBe('localhost')
  })
  it('refuses to start with files that are missing or do not fit, by name', async () => {
    await expect(start({ tls: { certFile: file('none.crt'), keyFile: file('server.key') } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('none.crt'),
    })
    await expect(start({ tls: { certFile: file('server.crt'), keyFile: file('stranger.key') } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('server.crt'),
    })
  })
})

describe('the names in a certificate', () => {
  it('are taken apart without letting one pass for two', () => {
    expect(alternativeNames('DNS:a.svc, IP Address:10.0.0.1, URI:spiffe://x/y')).toEqual(['a.svc', 'spiffe://x/y'])
    expect(alternativeNames('DNS:"evil, DNS:am.monitoring.svc", DNS:b')).toEqual(['evil, DNS:am.monitoring.svc', 'b'])
    expect(alternativeNames('')).toEqual([])
  })
})
