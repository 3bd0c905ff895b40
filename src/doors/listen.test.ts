import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Timers } from '../domain/ports.ts'
import { realPorts } from '../ports.ts'
import { type Listening, type ListenOptions, listen } from './listen.ts'
import { makeWebhook } from './webhook.ts'

const open: Listening[] = []
const sockets: Socket[] = []
const start = async (options: Partial<ListenOptions> = {}) => {
  const listening = await listen({ fetch: () => new Response('ok'), port: 0, host: '127.0.0.1', timers: realPorts.timers, ...options })
  open.push(listening)
  return listening
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(open.splice(0).map((listening) => listening.close(0)))
})

/** A client that sees the bytes. */
async function dial(port: number) {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  let text = ''
  const waiting = new Set<() => void>()
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += String(chunk)
    for (const look of waiting) look()
  })
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => {}))
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const until = (part: string) =>
    new Promise<string>((resolve) => {
      const look = () => {
        if (text.includes(part)) resolve(text)
      }
      waiting.add(look)
      look()
    })
  return { socket, ended, until, send: (data: string) => socket.write(data), text: () => text }
}
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** Timers that run when the test says so. */
const handTimers = () => {
  const waiting = new Map<() => void, number>()
  const timers: Timers = {
    after(milliseconds, run) {
      waiting.set(run, milliseconds)
      return () => waiting.delete(run)
    },
    soon: (run) => queueMicrotask(run),
  }
  return { timers, waiting, fire: () => [...waiting.keys()].map((run) => run()) }
}
/** A door that answers when it is told to. */
const held = () => {
  const state = { arrived: () => {}, answer: () => {} }
  const arrived = new Promise<void>((resolve) => (state.arrived = resolve))
  const answer = new Promise<Response>((resolve) => (state.answer = () => resolve(new Response('done'))))
  return {
    arrived,
    answer: () => state.answer(),
    fetch: () => {
      state.arrived()
      return answer
    },
  }
}

describe('a listener', () => {
  it('serves the door and tells it the address of the sender', async () => {
    const { url } = await start({ fetch: (request, { sender }) => Response.json({ path: new URL(request.url).pathname, sender }) })
    const answer = await realPorts.http()({ method: 'GET', url: `${url}/x` })
    expect(JSON.parse(await answer.text())).toEqual({ path: '/x', sender: { address: '127.0.0.1' } })
  })
  it('says which port is taken and what to do', async () => {
    const { port } = await start()
    const second = listen({ fetch: () => new Response(), port, host: '127.0.0.1', timers: realPorts.timers, portSetting: 'MCP_PORT' })
    await expect(second).rejects.toMatchObject({ code: 'PORT_TAKEN', message: `port ${port} is taken: choose another with MCP_PORT, or stop what listens there` })
  })
  it('that cannot be had at all is a fault of the configuration', async () => {
    await expect(listen({ fetch: () => new Response(), port: 0, host: '203.0.113.1', timers: realPorts.timers })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('the webhook over a socket', () => {
  const webhook = (maxBodyBytes = 2 ** 20) => {
    const accepted: number[] = []
    const app = makeWebhook({
      intake: { accept: async (alerts) => void accepted.push(alerts.length) },
      config: { maxBodyBytes },
      clock: realPorts.clock,
      security: () => {},
      log: { warn: () => {} },
    })
    return { accepted, fetch: (request: Request, env: Parameters<ListenOptions['fetch']>[1]) => app.fetch(request, env) }
  }
  const alert = { status: 'firing', labels: { alertname: 'X' }, startsAt: '2026-01-01T00:00:00Z' }
  it('takes a delivery in chunks', async () => {
    const { accepted, fetch } = webhook()
    const { port } = await start({ fetch })
    const client = await dial(port)
    const body = JSON.stringify({ version: '4', alerts: [alert, alert] })
    client.send('POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (const part of [body.slice(0, 20), body.slice(20)]) client.send(`${part.length.toString(16)}\r\n${part}\r\n`)
    client.send('0\r\n\r\n')
    expect(await client.until('rejected')).toContain('200 OK')
    expect(accepted).toEqual([2])
  })
  it('ends an endless body at the limit, and the connection with it', async () => {
    const { port } = await start({ fetch: webhook(10_000).fetch })
    const client = await dial(port)
    client.send('POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let n = 0; n < 3; n++) client.send(`1388\r\n${'x'.repeat(5_000)}\r\n`)
    const text = await client.until('BODY_TOO_LARGE')
    expect(text).toContain('413')
    expect(text.toLowerCase()).toContain('connection: close')
    await client.ended
  })
  it('refuses what is announced as too large without waiting for it', async () => {
    const { port } = await start({ fetch: webhook(10_000).fetch })
    const client = await dial(port)
    client.send('POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{')
    expect(await client.until('BODY_TOO_LARGE')).toContain('413')
  })
  it('a body that breaks off commits nothing', async () => {
    const { accepted, fetch } = webhook()
    const answered: unknown[] = []
    const { port } = await start({
      fetch: async (request, env) => {
        const answer = await fetch(request, env)
        answered.push(answer.status)
        return answer
      },
    })
    const client = await dial(port)
    client.send('POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"alerts":[]')
    client.socket.destroy()
    await client.ended
    while (answered.length === 0) await new Promise<void>((resolve) => realPorts.timers.soon(resolve))
    expect([accepted, answered]).toEqual([[], [400]])
  })
})

describe('closing', () => {
  it('finishes what is under way, takes nothing new, and lets no client keep the connection', async () => {
    const door = held()
    const listening = await start({ fetch: door.fetch })
    const client = await dial(listening.port)
    client.send(GET)
    await door.arrived
    const closed = listening.close(60_000)
    await expect(dial(listening.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    door.answer()
    expect((await client.until('done')).toLowerCase()).toContain('200 ok')
    await client.ended
    await closed
  })
  it('drops idle connections at once', async () => {
    const listening = await start()
    const client = await dial(listening.port)
    client.send(GET)
    await client.until('ok')
    await listening.close(60_000)
    await client.ended
  })
  it('cuts what is not done within the grace period', async () => {
    const time = handTimers()
    const listening = await start({ fetch: () => new Promise(() => {}), timers: time.timers })
    const client = await dial(listening.port)
    client.send(GET)
    const closed = listening.close(7_000)
    expect([...time.waiting.values()]).toEqual([7_000])
    time.fire()
    await closed
    await client.ended
    expect(client.text()).toBe('')
  })
  it('leaves no timer behind', async () => {
    const time = handTimers()
    const listening = await start({ timers: time.timers })
    await listening.close(7_000)
    expect(time.waiting.size).toBe(0)
  })
})
