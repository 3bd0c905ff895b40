import { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import type { FaultCode } from '../domain/fault.ts'
import { httpOf } from '../practice/http.ts'
import { makeReader } from './reader.ts'
import { makeTransport } from './transport.ts'
import { watchNamespace } from './watch.ts'

const pod = (name: string, resourceVersion: string, more: object = {}) => ({ kind: 'Pod', apiVersion: 'v1', metadata: { name, resourceVersion, ...more } })
const status = (code: number) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `says ${code}`, code })
const refuse = (code: number) => Response.json(status(code), { status: code })

interface Opened {
  readonly query: URLSearchParams
  send(type: string, object: object): void
  end(): void
  readonly closed: () => boolean
}

/** An API server of one kind, whose watches the test plays by hand. */
function played(options: { readonly inactivityMs?: number } = {}) {
  const ports = manualPorts()
  const lists: URLSearchParams[] = []
  const opened: Opened[] = []
  const restarts: FaultCode[] = []
  const play = {
    list: (): Response => Response.json({ kind: 'PodList', metadata: { resourceVersion: '10' }, items: [{ metadata: { name: 'a', resourceVersion: '7' } }] }),
    watch: (): Response | undefined => undefined,
  }
  const app = new Hono().get('*', (context) => {
    const query = new URL(context.req.url).searchParams
    if (query.get('watch') !== 'true') {
      lists.push(query)
      return play.list()
    }
    return play.watch() ?? new Response(streamOf(query, context.req.raw.signal))
  })
  function streamOf(query: URLSearchParams, signal: AbortSignal): ReadableStream<Uint8Array> {
    let closed = false
    signal.addEventListener('abort', () => {
      closed = true
    })
    return new ReadableStream({
      start(body) {
        opened.push({
          query,
          send: (type, object) => body.enqueue(new TextEncoder().encode(`${JSON.stringify({ type, object })}\n`)),
          end: () => body.close(),
          closed: () => closed,
        })
      },
      cancel() {
        closed = true
      },
    })
  }
  const transport = makeTransport({ ...ports, http: httpOf(async (request) => app.fetch(request)), server: 'http://api', headers: async () => ({}) })
  const watches = watchNamespace({ ...ports, ...options, transport, namespace: 'team-a', kinds: ['Pod'], onRestart: (_, fault) => restarts.push(fault.code) })
  onTestFinished(() => watches.stop())
  const names = () => watches.held.list('Pod').map(({ metadata }) => metadata?.name)
  const last = () => opened.at(-1) ?? expect.fail('no watch was opened')
  return { ports, play, lists, opened, restarts, transport, watches, names, last, state: () => watches.state()[0] }
}

describe('a watch', () => {
  it('lists, then follows from the version of the list, with bookmarks and an end of its own', async () => {
    const { ports, watches, opened, names } = played()
    await ports.settle()
    await watches.synced()
    expect(names()).toEqual(['a'])
    expect(opened).toHaveLength(1)
    expect(Object.fromEntries(opened[0]?.query ?? [])).toMatchObject({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '10' })
    expect(Number(opened[0]?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(150)
  })

  it('goes on where it was when the API server ends it, without a restart', async () => {
    const { ports, last, names, lists, restarts, opened } = played()
    await ports.settle()
    last().send('ADDED', pod('b', '12'))
    last().send('BOOKMARK', pod('', '20'))
    await ports.advance(5_000)
    last().end()
    await ports.settle()
    expect(names()).toEqual(['a', 'b'])
    expect(opened.map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '20'])
    expect([lists.length, restarts]).toEqual([1, []])
  })

  it('lists again when it is told that its version is too old, and drops what is gone', async () => {
    const { ports, play, last, names, lists, restarts, state } = played()
    await ports.settle()
    last().send('ADDED', pod('b', '12'))
    await ports.settle()
    play.list = () => Response.json({ kind: 'PodList', metadata: { resourceVersion: '99' }, items: [{ metadata: { name: 'c' } }] })
    last().send('ERROR', status(410))
    await ports.advance(0)
    expect(names()).toEqual(['c'])
    expect(lists).toHaveLength(2)
    expect(last().query.get('resourceVersion')).toBe('99')
    expect(restarts).toEqual(['CLUSTER_GONE'])
    expect(state()).toMatchObject({ synced: true, restarts: 1 })
  })

  it('lists again when the request itself is answered with 410', async () => {
    const { ports, play, opened, lists } = played()
    await ports.settle()
    play.watch = () => (lists.length < 2 ? refuse(410) : undefined)
    await ports.advance(5_000)
    opened[0]?.end()
    await ports.advance(1_000)
    expect(lists).toHaveLength(2)
    expect(opened).toHaveLength(2)
  })

  it('is not to be believed while it is broken, starts again ever later but at most every 30 s, and recovers', async () => {
    const { ports, play, last, restarts, watches } = played()
    await ports.settle()
    const times: number[] = []
    play.watch = () => {
      times.push(ports.clock.elapsed())
      return refuse(500)
    }
    await ports.advance(2_000)
    last().end()
    await ports.advance(600_000)
    expect(watches.held.holds('Pod')).toBe(false)
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    expect(gaps[0]).toBeLessThan(1_000)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000)
    expect(Math.min(...gaps.slice(8))).toBeGreaterThanOrEqual(15_000)
    expect(new Set(gaps.slice(8)).size).toBeGreaterThan(1)
    expect(new Set(restarts)).toEqual(new Set(['CLUSTER_ERROR']))
    play.watch = () => undefined
    await ports.advance(30_000)
    expect(watches.held.holds('Pod')).toBe(true)
  })

  it('does not spin when every watch ends as soon as it has begun', async () => {
    const { ports, play } = played()
    let count = 0
    play.watch = () => {
      count++
      return new Response('')
    }
    await ports.advance(60_000)
    expect(count).toBeGreaterThan(2)
    expect(count).toBeLessThan(15)
  })

  it('notices that a connection died silently', async () => {
    const { ports, opened, restarts, watches } = played({ inactivityMs: 10_000 })
    await ports.advance(9_000)
    opened[0]?.send('BOOKMARK', pod('', '15'))
    await ports.advance(9_000)
    expect(opened).toHaveLength(1)
    await ports.advance(3_000)
    expect(opened.map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '15'])
    expect(opened[0]?.closed()).toBe(true)
    expect(restarts).toEqual(['CLUSTER_TIMEOUT'])
    expect(watches.held.holds('Pod')).toBe(true)
  })

  it('of a kind that is forbidden is tried again each minute', async () => {
    const { ports, play, lists, state, watches } = played()
    play.list = () => refuse(403)
    await ports.settle()
    await watches.synced()
    expect(state()).toMatchObject({ synced: false, forbidden: true })
    await ports.advance(50_000)
    expect(lists).toHaveLength(1)
    play.list = () => Response.json({ metadata: { resourceVersion: '3' }, items: [] })
    await ports.advance(20_000)
    expect(state()).toMatchObject({ synced: true, forbidden: false })
  })

  it('of a kind that is not served keeps nobody waiting', async () => {
    const { ports, play, state, watches } = played()
    play.list = () => refuse(404)
    await ports.settle()
    await watches.synced()
    expect(state()).toMatchObject({ synced: false, forbidden: false })
  })

  it('that cannot reach the API server keeps those waiting who asked, until it is stopped', async () => {
    const { ports, play, watches } = played()
    play.list = () => refuse(500)
    const synced = watches.synced()
    await ports.advance(120_000)
    watches.stop()
    await expect(synced).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
  })

  it('lists again when the same event keeps it from going on', async () => {
    const { ports, play, opened, lists, names } = played()
    await ports.settle()
    play.list = () => Response.json({ metadata: { resourceVersion: '50' }, items: [] })
    for (let i = 0; i < 3; i++) {
      opened.at(-1)?.send('ADDED', { kind: 'Node', metadata: { name: 'n' } })
      await ports.advance(5_000)
    }
    expect(opened.map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '10', '10', '50'])
    expect(lists).toHaveLength(2)
    expect(names()).toEqual([])
  })

  it('tells when it last heard anything', async () => {
    const { ports, last, state } = played()
    await ports.advance(7_000)
    last().send('BOOKMARK', pod('', '15'))
    await ports.settle()
    expect(state()?.lastEventAt).toBe(ports.clock.now())
  })

  it('ends with its connection when it is stopped, and holds nothing any more', async () => {
    const { ports, last, watches } = played()
    await ports.settle()
    const watch = last()
    watches.stop()
    await ports.settle()
    expect(watch.closed()).toBe(true)
    expect(watches.held.holds('Pod')).toBe(false)
    expect(ports.waiting).toBe(0)
  })
})

describe('reading what a watch holds', () => {
  it('asks the API server for nothing but what is not held', async () => {
    const { ports, last, lists, transport, watches } = played()
    await ports.settle()
    last().send('ADDED', pod('b', '12', { labels: { app: 'web' } }))
    await ports.settle()
    const reader = makeReader(transport, 'team-a', watches.held)
    expect(await reader.list('Pod', { labels: 'app=web' })).toMatchObject([{ metadata: { name: 'b' } }])
    expect(await reader.get('Pod', 'b')).toMatchObject({ kind: 'Pod', metadata: { name: 'b' } })
    expect(await reader.get('Pod', 'z')).toBeUndefined()
    expect(await reader.object({ apiVersion: 'v1', kind: 'Pod', name: 'a' })).toMatchObject({ kind: 'Pod', apiVersion: 'v1' })
    expect(lists).toHaveLength(1)
    await reader.list('Pod', { fields: 'spec.nodeName=n1' })
    await reader.list('Service')
    expect(lists).toHaveLength(3)
  })

  it('cannot change what others will read', async () => {
    const { ports, watches } = played()
    await ports.settle()
    const held = watches.held.get('Pod', 'a')
    expect(() => Object.assign(held?.metadata ?? {}, { name: 'other' })).toThrow(TypeError)
  })
})
