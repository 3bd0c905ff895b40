import { createServer } from 'node:http'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { type ManualPorts, manualPorts, START } from '../../test/manual-ports.ts'
import { Fault } from '../domain/fault.ts'
import type { Http } from '../domain/ports.ts'
import { realPorts } from '../ports.ts'
import { httpOf } from '../practice/http.ts'
import { makeTransport, type Transport } from './transport.ts'

const POD = '/api/v1/namespaces/a/pods/p'
const status = (code: number, message: string) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code })

const over = (http: Http, ports: ManualPorts, headers: Record<string, string> = {}): Transport =>
  makeTransport({ ...ports, http, server: 'http://api/', headers: async () => headers, timeoutMs: 5_000 })

/** A server of canned answers, and what it was asked. */
function canned(answer: (request: Request, count: number) => Response | Promise<Response>) {
  const ports = manualPorts()
  const asked: Request[] = []
  const app = new Hono().all('*', (context) => {
    asked.push(context.req.raw)
    return answer(context.req.raw, asked.length)
  })
  return {
    ports,
    asked,
    transport: over(
      httpOf(async (request) => app.fetch(request)),
      ports,
      { authorization: 'Bearer s3cret' },
    ),
  }
}
const faultOf = (work: Promise<unknown>): Promise<Fault> =>
  work.then(
    () => Promise.reject(new Error('it went well')),
    (error: unknown) => (error instanceof Fault ? error : Promise.reject(error)),
  )

describe('sending', () => {
  it('sends path, query, body and the credentials, and parses what comes back', async () => {
    const { asked, transport } = canned(() => Response.json({ kind: 'Pod' }))
    const answer = await transport.send({
      method: 'PATCH',
      path: POD,
      query: { dryRun: 'All', absent: undefined, limit: 5 },
      body: [{ op: 'remove', path: '/x' }],
      contentType: 'application/json-patch+json',
    })
    expect(answer).toMatchObject({ status: 200, body: { kind: 'Pod' } })
    const [request] = asked
    expect(request?.url).toBe(`http://api${POD}?dryRun=All&limit=5`)
    expect(request?.headers.get('content-type')).toBe('application/json-patch+json')
    expect(request?.headers.get('authorization')).toBe('Bearer s3cret')
    expect(await request?.json()).toEqual([{ op: 'remove', path: '/x' }])
  })

  it('gives text that is not JSON as text', async () => {
    const { transport } = canned(() => new Response('{"a":1}\nplain', { headers: { 'content-type': 'text/plain' } }))
    expect((await transport.send({ method: 'GET', path: `${POD}/log` })).body).toBe('{"a":1}\nplain')
  })

  it('does not take broken JSON for an answer to a read', async () => {
    const { transport } = canned(() => new Response('{"items":[', { headers: { 'content-type': 'application/json' } }))
    expect((await faultOf(transport.send({ method: 'GET', path: POD }))).code).toBe('CLUSTER_ERROR')
  })

  it('tells faults without the credentials', async () => {
    const { transport } = canned(() => Response.json(status(403, 'pods "p" is forbidden: User "u" cannot get'), { status: 403 }))
    const fault = await faultOf(transport.send({ method: 'GET', path: POD }))
    expect(fault.message).toBe('get pods a/p: pods "p" is forbidden: User "u" cannot get')
    expect(JSON.stringify({ ...fault, stack: fault.stack })).not.toContain('s3cret')
  })

  it('says so when the credentials cannot be read, without what the reading said', async () => {
    const ports = manualPorts()
    const transport = makeTransport({ ...ports, http: httpOf(async () => Response.json({})), server: 'http://api', headers: () => Promise.reject(new Error('token s3cret')) })
    const fault = await faultOf(transport.send({ method: 'PATCH', path: POD }))
    expect(fault).toMatchObject({ code: 'CLUSTER_UNREACHABLE', cause: undefined })
    expect(fault.message).not.toContain('s3cret')
  })
})

describe('being told to come back later', () => {
  const slowDown = (retryAfter: string) => Response.json(status(429, 'too many requests'), { status: 429, headers: { 'retry-after': retryAfter } })

  it('waits and asks again when it reads', async () => {
    const { ports, asked, transport } = canned((_, count) => (count < 3 ? slowDown('1') : Response.json({ kind: 'Pod' })))
    const answer = transport.send({ method: 'GET', path: POD })
    await ports.advance(999)
    expect(asked).toHaveLength(1)
    await ports.advance(3_000)
    expect((await answer).body).toEqual({ kind: 'Pod' })
    expect(asked).toHaveLength(3)
  })

  it('gives up after two more tries', async () => {
    const { ports, asked, transport } = canned(() => slowDown('1'))
    const fault = faultOf(transport.send({ method: 'GET', path: POD }))
    await ports.advance(4_900)
    expect(await fault).toMatchObject({ code: 'CLUSTER_THROTTLED', retryAfterMs: 1_000 })
    expect(asked).toHaveLength(3)
  })

  it('does not wait for longer than it is worth', async () => {
    const { asked, transport } = canned(() => slowDown('3600'))
    expect(await faultOf(transport.send({ method: 'GET', path: POD }))).toMatchObject({ code: 'CLUSTER_THROTTLED', retryAfterMs: 3_600_000 })
    expect(asked).toHaveLength(1)
  })

  it('never sends a write twice', async () => {
    const { ports, asked, transport } = canned(() => slowDown('0'))
    const fault = faultOf(transport.send({ method: 'PATCH', path: POD, body: [] }))
    await ports.advance(60_000)
    expect((await fault).code).toBe('CLUSTER_THROTTLED')
    expect(asked).toHaveLength(1)
  })
})

describe('silence', () => {
  const never = () => new Promise<Response>(() => {})
  it.each([
    ['GET', 'CLUSTER_TIMEOUT'],
    ['PATCH', 'CLUSTER_ANSWER_UNKNOWN'],
  ] as const)('of the server after a %s is %s, although it ignores our giving up', async (method, code) => {
    const { ports, transport } = canned(never)
    const fault = faultOf(transport.send({ method, path: POD }))
    await ports.advance(5_000)
    expect((await fault).code).toBe(code)
    expect(ports.waiting).toBe(0)
  })

  it('within the body of an answer to a write leaves its effect unknown', async () => {
    const { ports, transport } = canned(() => new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode('{"ki')) })))
    const fault = faultOf(transport.send({ method: 'DELETE', path: POD }))
    await ports.advance(5_000)
    expect((await fault).code).toBe('CLUSTER_ANSWER_UNKNOWN')
  })

  it('ends when the caller gives up', async () => {
    const { ports, transport } = canned(never)
    const caller = new AbortController()
    const fault = faultOf(transport.send({ method: 'GET', path: POD, signal: caller.signal }))
    await ports.settle()
    caller.abort(new Error('not needed any more'))
    expect((await fault).message).toContain('not needed any more')
  })

  it('of a caller who had given up before is not sending', async () => {
    const { asked, transport } = canned(() => Response.json({}))
    const fault = await faultOf(transport.send({ method: 'PATCH', path: POD, signal: AbortSignal.abort(new Error('too late')) }))
    expect([fault.code, asked.length]).toEqual(['CLUSTER_TIMEOUT', 0])
  })

  it('waiting for its own turn is not sending', async () => {
    const ports = manualPorts()
    const http: Http = () => Promise.reject(new Error('was sent'))
    const transport = makeTransport({ ...ports, http, server: 'http://api', headers: async () => ({}), requestsPerSecond: 0.1, burst: 1, timeoutMs: 5_000 })
    await faultOf(transport.send({ method: 'PATCH', path: POD }))
    const second = faultOf(transport.send({ method: 'PATCH', path: POD }))
    await ports.advance(5_000)
    expect((await second).code).toBe('CLUSTER_TIMEOUT')
  })
})

describe("the API server's clock", () => {
  it('is unknown before the first answer and runs on from the last Date header', async () => {
    const { ports, transport } = canned(() => Response.json({}, { headers: { date: new Date(START + 90_000).toUTCString() } }))
    expect(transport.serverTime()).toBeUndefined()
    await transport.send({ method: 'GET', path: POD })
    ports.jump(-3_600_000)
    await ports.advance(500)
    expect(transport.serverTime()).toBe(START + 90_500)
  })

  it('never steps back within the second that the header names, and follows it when it is another one', async () => {
    let date = START
    const { ports, transport } = canned(() => Response.json({}, { headers: { date: new Date(date).toUTCString() } }))
    const ask = () => transport.send({ method: 'GET', path: POD })
    await ask()
    await ports.advance(900)
    await ask()
    expect(transport.serverTime()).toBe(START + 900)
    date = START + 60_000
    await ask()
    expect(transport.serverTime()).toBe(START + 60_000)
    date = START
    await ask()
    expect(transport.serverTime()).toBe(START)
  })
})

describe('a stream', () => {
  const body = (...chunks: readonly string[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
        controller.close()
      },
    })
  const read = async (transport: Transport): Promise<unknown[]> => {
    const values: unknown[] = []
    for await (const value of transport.stream({ path: '/api/v1/namespaces/a/pods', query: { watch: true } })) values.push(value)
    return values
  }

  it('is one value a line, however it is cut', async () => {
    const { transport } = canned(() => new Response(body('{"a":1}\n{"b"', ':2}\n\n{"c":', '3}')))
    expect(await read(transport)).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }])
  })

  it('that breaks off within a line is a fault', async () => {
    const { transport } = canned(() => new Response(body('{"a":1}\n{"b')))
    expect((await faultOf(read(transport))).code).toBe('CLUSTER_UNREACHABLE')
  })

  it('that is refused says why', async () => {
    const { transport } = canned(() => Response.json(status(410, 'too old resource version'), { status: 410 }))
    expect(await faultOf(read(transport))).toMatchObject({ code: 'CLUSTER_GONE', message: 'list pods a: too old resource version' })
  })

  it('that does not open in time is given up, one that opened is not', async () => {
    const silent = canned(() => new Promise<Response>(() => {}))
    const fault = faultOf(read(silent.transport))
    await silent.ports.advance(5_000)
    expect((await fault).code).toBe('CLUSTER_TIMEOUT')

    const quiet = canned(() => new Response(new ReadableStream({ start: (open) => void quiet.ports.timers.after(30_000, () => open.close()) })))
    const values = read(quiet.transport)
    await quiet.ports.advance(60_000)
    expect(await values).toEqual([])
  })
})

describe('over a real connection', () => {
  /** Counts connections; `/watch` stays open, a DELETE is cut off unanswered. */
  async function listening() {
    const seen = { connections: 0, open: 0 }
    const server = createServer((request, response) => {
      if (request.method === 'DELETE') return void request.socket.destroy()
      response.writeHead(200, { 'content-type': 'application/json' })
      if (request.url !== '/watch') return void response.end('{"kind":"Pod"}')
      seen.open++
      response.on('close', () => seen.open--)
      response.write('{"a":1}\n')
    })
    server.on('connection', () => seen.connections++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const transport = makeTransport({ ...realPorts, http: realPorts.http(), server: `http://127.0.0.1:${port}`, headers: async () => ({}), requestsPerSecond: 1_000, burst: 1_000 })
    const close = () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections())
    return { seen, transport, close }
  }

  it('keeps its connection for requests that follow each other', async () => {
    const { seen, transport, close } = await listening()
    for (let i = 0; i < 200; i++) await transport.send({ method: i % 2 ? 'GET' : 'POST', path: POD, ...(i % 2 ? {} : { body: {} }) })
    // The pool may open a second one for a request that comes in the same turn as the answer before it.
    expect(seen.connections).toBeLessThanOrEqual(2)
    await close()
  })

  it('closes the connection of a stream that was left', async () => {
    const { seen, transport, close } = await listening()
    for await (const value of transport.stream({ path: '/watch' })) {
      expect([value, seen.open]).toEqual([{ a: 1 }, 1])
      break
    }
    await expect.poll(() => seen.open).toBe(0)
    await close()
  })

  it('tells a server that is not there from one that breaks off after a write', async () => {
    const { transport, close } = await listening()
    expect((await faultOf(transport.send({ method: 'DELETE', path: POD }))).code).toBe('CLUSTER_ANSWER_UNKNOWN')
    await close()
    expect((await faultOf(transport.send({ method: 'PATCH', path: POD, body: [] }))).code).toBe('CLUSTER_UNREACHABLE')
  })
})
