// The real world behind the ports: the only file that reads the clock, sets timers, draws chance or opens client connections.
import api from 'undici/lib/api/index.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import type { Http, Ports, Tls } from './domain/ports.ts'

const headersOf = (raw: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(raw).map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : (value ?? '')]))

/** undici's `request` over one pool: no fetch, whose web streams cost memory that a sidecar does not have. */
function pooled(tls: Tls = {}): Http {
  const dispatcher = new Agent({
    connections: 16,
    keepAliveTimeout: 30_000,
    // Deadlines are the callers', through the timers port; a watch is silent for as long as nothing happens.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { ca: tls.ca, cert: tls.cert, key: tls.key, servername: tls.serverName, rejectUnauthorized: tls.skipVerify !== true },
  })
  return async ({ method, url, headers, body, signal }) => {
    const { origin, pathname, search } = new URL(url)
    const answer = await api.request.call(dispatcher, { origin, path: `${pathname}${search}`, method, headers: headers ?? {}, body: body ?? null, signal: signal ?? null })
    return {
      status: answer.statusCode,
      headers: headersOf(answer.headers),
      text: () => answer.body.text(),
      async *chunks() {
        const decoder = new TextDecoder()
        for await (const chunk of answer.body) yield decoder.decode(chunk, { stream: true })
      },
    }
  }
}

/** What a running program gets. */
export const realPorts: Ports = {
  clock: { now: () => Date.now(), elapsed: () => performance.now() },
  timers: {
    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds)
      timer.unref()
      return () => clearTimeout(timer)
    },
    soon: (run) => setImmediate(run),
  },
  random: { next: () => Math.random() },
  http: pooled,
}

/** Timers of the port keep no program alive, so whoever waits for the end of a command says so. */
export async function staysAlive<T>(work: Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, 60_000)
  try {
    return await work
  } finally {
    clearInterval(hold)
  }
}
