import { describe, expect, it } from 'vitest'
import type { Http, HttpRequest, Timers } from '../domain/ports.ts'
import { isUnknown } from '../domain/unknown.ts'
import { makeAlertmanager } from './client.ts'

/** A clock by hand: what was asked to run later runs when the test says so. */
const handTimers = () => {
  const waiting = new Set<() => void>()
  const timers: Timers = {
    after(_, run) {
      waiting.add(run)
      return () => waiting.delete(run)
    },
    soon: (run) => queueMicrotask(run),
  }
  return { timers, waiting, fire: () => [...waiting].map((run) => run()) }
}

interface Stored {
  readonly labels: Record<string, string>
  readonly fingerprint: string
  readonly state?: 'active' | 'suppressed' | 'unprocessed'
  readonly startsAt?: string
}

/** One Alertmanager: GET with `filter` matchers and POST of /api/v2/alerts. */
function peer(url: string, alerts: readonly Stored[], more: { readonly says?: () => { status: number; text: string }; readonly fails?: string } = {}) {
  const requests: HttpRequest[] = []
  const http: Http = async (request) => {
    requests.push(request)
    if (more.fails) throw new Error(more.fails)
    const filters = new URL(request.url).searchParams.getAll('filter').map((filter) => /^(\w+)="((?:[^"\\\n]|\\.)*)"$/.exec(filter) ?? [])
    const fits = ({ labels }: Stored) => filters.every(([, name = '', value]) => labels[name] === value?.replaceAll(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c)))
    const listed = alerts.filter(fits).map(({ labels, fingerprint, state = 'active', startsAt = '2026-01-01T00:00:00.000Z' }) => ({
      annotations: {},
      endsAt: '2026-01-01T00:05:00.000Z',
      fingerprint,
      receivers: [{ name: 'x' }],
      startsAt,
      status: { inhibitedBy: [], silencedBy: [], mutedBy: [], state },
      updatedAt: startsAt,
      generatorURL: '',
      labels,
    }))
    const { status, text } = more.says?.() ?? { status: 200, text: request.method === 'GET' ? JSON.stringify(listed) : '' }
    return {
      status,
      headers: {},
      text: async () => text,
      async *chunks() {
        yield text.slice(0, 10)
        yield text.slice(10)
      },
    }
  }
  return { url, http, requests }
}

const A = { fingerprint: 'a', labels: { alertname: 'X', namespace: 'team-a' } }
const B = { fingerprint: 'b', labels: { alertname: 'Y', namespace: 'team-b' } }

describe('active', () => {
  it('asks for silenced and inhibited alerts too, of one namespace', async () => {
    const one = peer('http://am:9093/prefix/', [A, B])
    const found = await makeAlertmanager({ peers: [one], timers: handTimers().timers }).active({ namespace: 'team-a' })
    expect(found).toMatchObject([{ fingerprint: 'a', status: 'firing', suppressed: false, endsAt: undefined, startsAt: Date.UTC(2026, 0, 1) }])
    const asked = new URL(one.requests[0]?.url ?? '')
    expect(asked.pathname).toBe('/prefix/api/v2/alerts')
    expect(Object.fromEntries(asked.searchParams)).toEqual({ active: 'true', silenced: 'true', inhibited: 'true', unprocessed: 'true', filter: 'namespace="team-a"' })
  })
  it('quotes what a label says', async () => {
    const labels = { alertname: 'say "hi"\n\\o/' }
    const found = await makeAlertmanager({ peers: [peer('http://am', [{ labels, fingerprint: 'q' }, A])], timers: handTimers().timers }).active(labels)
    expect(found).toMatchObject([{ fingerprint: 'q' }])
  })
  it('merges peers by fingerprint: the earliest start, suppressed only where every copy is', async () => {
    const peers = [
      peer('http://am-0', [
        { ...A, state: 'suppressed', startsAt: '2026-01-01T00:00:05Z' },
        { ...B, state: 'suppressed' },
      ]),
      peer('http://am-1', [{ ...A, startsAt: '2026-01-01T00:00:01Z' }]),
    ]
    expect(await makeAlertmanager({ peers, timers: handTimers().timers }).active()).toMatchObject([
      { fingerprint: 'a', suppressed: false, startsAt: Date.UTC(2026, 0, 1, 0, 0, 1) },
      { fingerprint: 'b', suppressed: true },
    ])
  })
  it('goes by the peers that answer', async () => {
    const peers = [peer('http://am-0', [], { fails: 'connect ECONNREFUSED' }), peer('http://am-1', [A])]
    expect(await makeAlertmanager({ peers, timers: handTimers().timers }).active()).toMatchObject([{ fingerprint: 'a' }])
  })
  it.each([
    ['503', { says: () => ({ status: 503, text: 'no' }) }],
    ['something that is no JSON', { says: () => ({ status: 200, text: '<html>' }) }],
    ['something that is no list', { says: () => ({ status: 200, text: '{}' }) }],
    ['an alert that cannot be read', { says: () => ({ status: 200, text: '[{"labels":{"a":1}}]' }) }],
    ['nothing', { fails: 'connect ECONNREFUSED' }],
  ])('is unknown, not empty, when every peer answers %s', async (_, more) => {
    const found = await makeAlertmanager({ peers: [peer('http://am-0', [A], more)], timers: handTimers().timers }).active()
    expect(found).toMatchObject({ unknown: expect.stringContaining('no Alertmanager answered: am-0') })
  })
  it('is unknown when none is configured', async () => {
    expect(isUnknown(await makeAlertmanager({ peers: [], timers: handTimers().timers }).active())).toBe(true)
  })
  it('is unknown when the time is up, and leaves no timer behind otherwise', async () => {
    const time = handTimers()
    const hangs: Http = ({ signal }) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    const asked = makeAlertmanager({ peers: [{ url: 'http://am', http: hangs }], timers: time.timers, timeoutMs: 500 }).active()
    time.fire()
    expect(await asked).toMatchObject({ unknown: expect.stringContaining('longer than 500 ms') })
    const calm = handTimers()
    await makeAlertmanager({ peers: [peer('http://am', [A])], timers: calm.timers }).active()
    expect(calm.waiting.size).toBe(0)
  })
})

describe('firing', () => {
  const of = (alerts: readonly Stored[], more = {}) => makeAlertmanager({ peers: [peer('http://am', alerts, more)], timers: handTimers().timers }).firing(A)
  it('tells firing, suppressed, gone and unknown apart', async () => {
    expect(await of([A])).toBe('firing')
    expect(await of([{ ...A, state: 'suppressed' }])).toBe('suppressed')
    expect(await of([{ ...A, fingerprint: 'other' }])).toBe('gone')
    expect(await of([A], { fails: 'down' })).toMatchObject({ unknown: expect.any(String) })
  })
  it('asks only for alerts of that name and namespace', async () => {
    const one = peer('http://am', [A])
    await makeAlertmanager({ peers: [one], timers: handTimers().timers }).firing({ ...A, labels: { ...A.labels, pod: 'x' } })
    expect(new URL(one.requests[0]?.url ?? '').searchParams.getAll('filter')).toEqual(['alertname="X"', 'namespace="team-a"'])
  })
})

describe('post', () => {
  const own = { labels: { alertname: 'SlmNeedsYou' }, annotations: { summary: 's' }, startsAt: 0, endsAt: 60_000, generatorUrl: 'http://x' }
  it('goes to every peer in the form of the API and says which failed', async () => {
    const peers = [peer('http://am-0', []), peer('http://am-1', [], { says: () => ({ status: 500, text: '' }) })]
    expect(await makeAlertmanager({ peers, timers: handTimers().timers }).post([own])).toEqual({ taken: 1, failed: [{ peer: 'am-1', why: 'answered 500' }] })
    expect(peers.map(({ requests }) => requests.length)).toEqual([1, 1])
    expect(peers[0]?.requests[0]).toMatchObject({ method: 'POST', url: 'http://am-0/api/v2/alerts', headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(peers[0]?.requests[0]?.body ?? '')).toEqual([
      { labels: own.labels, annotations: own.annotations, startsAt: '1970-01-01T00:00:00.000Z', endsAt: '1970-01-01T00:01:00.000Z', generatorURL: 'http://x' },
    ])
  })
  it('is a fault when no peer takes it, without the credentials that the URL carries', async () => {
    const peers = [peer('http://user:hunter2@am-0', [], { fails: 'cannot reach http://user:hunter2@am-0' })]
    const posted = makeAlertmanager({ peers, timers: handTimers().timers }).post([own])
    await expect(posted).rejects.toMatchObject({ code: 'ALERTMANAGER_UNREACHABLE', message: expect.not.stringContaining('hunter2') })
  })
})

describe('authentication', () => {
  const sent = async (url: string, auth?: Parameters<typeof makeAlertmanager>[0]['auth']) => {
    const one = peer(url, [])
    await makeAlertmanager({ peers: [one], timers: handTimers().timers, ...(auth && { auth }) }).active()
    return one.requests[0]
  }
  it('is a bearer token, or basic by option or from the URL, which itself never carries it', async () => {
    expect((await sent('http://am', { bearer: () => 't0ken' }))?.headers).toEqual({ authorization: 'Bearer t0ken' })
    expect((await sent('http://am', { basic: () => ({ username: 'u', password: 'p:ä' }) }))?.headers).toEqual({ authorization: `Basic ${Buffer.from('u:p:ä').toString('base64')}` })
    const inUrl = await sent('http://u:p%40@am:9093')
    expect(inUrl?.headers).toEqual({ authorization: `Basic ${Buffer.from('u:p@').toString('base64')}` })
    expect(inUrl?.url).toMatch(/^http:\/\/am:9093\/api/)
    expect((await sent('http://am'))?.headers).toEqual({})
  })
})
