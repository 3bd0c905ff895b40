// The API of Alertmanager (v2), all peers at once. Peers share silences and what was sent, but not alerts: reading merges, posting goes to each.
import type { Alert, Labels } from '../domain/alert.ts'
import { Fault } from '../domain/fault.ts'
import { deadline, type Http, type HttpResponse, type Timers } from '../domain/ports.ts'
import { isUnknown, type Unknown, unknown } from '../domain/unknown.ts'
import { isObject, type Problem, readAlert } from './read-alert.ts'

/** An alert that fires now. Suppressed means silenced, inhibited or muted: people were not told. */
export interface ActiveAlert extends Alert {
  readonly suppressed: boolean
}

export interface Peer {
  readonly url: string
  readonly http: Http
}

/** An alert to be raised: without `endsAt` it ends by itself after Alertmanager's resolve_timeout. */
export interface OwnAlert {
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt?: number
  readonly endsAt?: number
  readonly generatorUrl?: string
}

export interface Posted {
  readonly taken: number
  readonly failed: readonly { readonly peer: string; readonly why: string }[]
}

export interface Alertmanager {
  /** Everything that fires and carries these labels; Unknown when no peer answers. */
  active(labels?: Labels): Promise<readonly ActiveAlert[] | Unknown>
  /** Whether this very alert still fires; `gone` when every peer that answered does not have it. */
  firing(alert: Pick<Alert, 'fingerprint' | 'labels'>): Promise<'firing' | 'suppressed' | 'gone' | Unknown>
  /** To every peer; throws ALERTMANAGER_UNREACHABLE only when none took it. */
  post(alerts: readonly OwnAlert[]): Promise<Posted>
}

export interface AlertmanagerOptions {
  readonly peers: readonly Peer[]
  readonly timers: Timers
  readonly timeoutMs?: number
  readonly auth?: Auth
}
/** Called per request, so that a rotated token is used at once. */
export type Auth = { readonly bearer: () => string } | { readonly basic: () => { readonly username: string; readonly password: string } }

const MAX_ANSWER = 64 * 2 ** 20
const PATH = '/api/v2/alerts'

export function makeAlertmanager({ peers, timers, timeoutMs = 10_000, auth }: AlertmanagerOptions): Alertmanager {
  const ask = async <T>(peer: Peer, path: string, body: string | undefined, read: (answer: HttpResponse) => Promise<T>): Promise<T> => {
    const { signal, cancel } = deadline(timers, timeoutMs, `Alertmanager at ${nameOf(peer)}`)
    const { base, headers } = addressOf(peer, auth)
    try {
      const answer = await peer.http({
        method: body === undefined ? 'GET' : 'POST',
        url: base + path,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        signal,
        ...(body !== undefined && { body }),
      })
      if (answer.status !== 200) throw new Fault('ALERTMANAGER_UNREACHABLE', `answered ${answer.status}`, { status: answer.status })
      return await read(answer)
    } finally {
      cancel()
    }
  }
  const everywhere = <T>(each: (peer: Peer) => Promise<T>): Promise<readonly Tried<T>[]> =>
    Promise.all(
      peers.map((peer) =>
        each(peer).then(
          (value) => ({ peer, value }),
          (error: unknown) => ({ peer, why: whyOf(error) }),
        ),
      ),
    )

  const active: Alertmanager['active'] = async (labels = {}) => {
    const tries = await everywhere((peer) => ask(peer, `${PATH}?${queryOf(labels)}`, undefined, async (answer) => alertsOf(await bounded(answer))))
    const answers = tries.flatMap((tried) => ('value' in tried ? [tried.value] : []))
    return answers.length > 0 ? merge(answers.flat()) : unknown(peers.length > 0 ? `no Alertmanager answered: ${describe(tries)}` : 'no Alertmanager is configured')
  }
  return {
    active,
    async firing({ fingerprint, labels }) {
      const found = await active(identifying(labels))
      if (isUnknown(found)) return found
      const same = found.find((alert) => alert.fingerprint === fingerprint)
      return same ? (same.suppressed ? 'suppressed' : 'firing') : 'gone'
    },
    async post(alerts) {
      const body = JSON.stringify(alerts.map(wireOf))
      const tries = await everywhere((peer) => ask(peer, PATH, body, bounded))
      const failed = tries.flatMap((tried) => ('why' in tried ? [{ peer: nameOf(tried.peer), why: tried.why }] : []))
      if (peers.length === 0) throw new Fault('ALERTMANAGER_UNREACHABLE', 'no Alertmanager is configured')
      if (failed.length === peers.length) throw new Fault('ALERTMANAGER_UNREACHABLE', `no Alertmanager took the alerts: ${describe(tries)}`)
      return { taken: peers.length - failed.length, failed }
    },
  }
}

type Tried<T> = { readonly peer: Peer; readonly value: T } | { readonly peer: Peer; readonly why: string }
const describe = (tries: readonly Tried<unknown>[]): string => tries.flatMap((tried) => ('why' in tried ? [`${nameOf(tried.peer)} ${tried.why}`] : [])).join('; ')

/** Nothing of a credential: an error of the transport may quote the URL. */
const whyOf = (error: unknown): string => (error instanceof Error ? error.message.replaceAll(/\/\/[^\s/@]*@/g, '//') : 'failed')
const nameOf = (peer: Peer): string => new URL(peer.url).host

/** Credentials in the URL become a header, so that they are in no message and no log of a request. */
function addressOf(peer: Peer, auth: Auth | undefined): { readonly base: string; readonly headers: Readonly<Record<string, string>> } {
  const url = new URL(peer.url)
  const inUrl = url.username !== '' ? { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } : undefined
  const base = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
  if (auth && 'bearer' in auth) return { base, headers: { authorization: `Bearer ${auth.bearer()}` } }
  const basic = auth?.basic() ?? inUrl
  return { base, headers: basic ? { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}` } : {} }
}

/** Silenced and inhibited ones too: that they are is what we want to know. */
const queryOf = (labels: Labels): string => {
  const query = new URLSearchParams({ active: 'true', silenced: 'true', inhibited: 'true', unprocessed: 'true' })
  for (const [name, value] of Object.entries(labels)) query.append('filter', `${name}="${escapeValue(value)}"`)
  return query.toString()
}
const escapeValue = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** Few alerts share these, so a peer need not send the namespace; only names that every version's matcher syntax takes. */
const identifying = (labels: Labels): Labels => Object.fromEntries(['alertname', 'namespace'].flatMap((name) => (labels[name] ? [[name, labels[name]]] : [])))

async function bounded(answer: HttpResponse): Promise<string> {
  let text = ''
  for await (const chunk of answer.chunks()) {
    text += chunk
    if (text.length > MAX_ANSWER) throw new Fault('ALERTMANAGER_UNREACHABLE', `answered more than ${MAX_ANSWER} bytes`)
  }
  return text
}

/** A list that we cannot read whole is no answer: half of it would be a wrong `gone`. */
function alertsOf(text: string): readonly ActiveAlert[] {
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list)) throw new Fault('ALERTMANAGER_UNREACHABLE', 'answered something that is no list of alerts')
  const problems: Problem[] = []
  const alerts = list.flatMap((raw, at) => {
    const alert = readAlert(raw, `/${at}`, problems, { status: 'firing' })
    return alert ? [{ ...alert, suppressed: isObject(raw) && isObject(raw['status']) && raw['status']['state'] === 'suppressed' }] : []
  })
  const first = problems[0]
  if (first) throw new Fault('ALERTMANAGER_UNREACHABLE', `answered an alert that cannot be read: ${first.path} ${first.message}`)
  return alerts
}

/** One per fingerprint, as Alertmanager itself merges two senders: the earliest start; suppressed only where every copy is. */
function merge(copies: readonly ActiveAlert[]): readonly ActiveAlert[] {
  const merged = new Map<string, ActiveAlert>()
  for (const copy of copies) {
    const known = merged.get(copy.fingerprint)
    merged.set(copy.fingerprint, known ? { ...known, startsAt: Math.min(known.startsAt, copy.startsAt), suppressed: known.suppressed && copy.suppressed } : copy)
  }
  return [...merged.values()]
}

const wireOf = ({ labels, annotations, startsAt, endsAt, generatorUrl }: OwnAlert) => ({
  labels,
  annotations,
  ...(startsAt !== undefined && { startsAt: new Date(startsAt).toISOString() }),
  ...(endsAt !== undefined && { endsAt: new Date(endsAt).toISOString() }),
  ...(generatorUrl !== undefined && { generatorURL: generatorUrl }),
})
