// Ledger: the cluster's own memory of what was attempted here. No entry, no write; it outlives our file and a change of leader.
import { Fault, isFault } from '../domain/fault.ts'
import type { Outcome } from '../domain/outcome.ts'
import { pause } from '../domain/ports.ts'
import { pathOf } from './discovery.ts'
import { isRecord } from './getter.ts'
import { type LedgerEntry, parseEntry } from './ledger-entry.ts'
import { FIELD_MANAGER } from './step-request.ts'
import type { Transport } from './transport.ts'
import { ADDRESSES } from './wire.ts'

export const LEDGER_NAME = 'alerts-slm-ledger'
export const LEDGER_LIMITS = { entries: 100, bytes: 256 * 1024 } as const

export interface Ledger {
  /** Oldest first. */
  entries(): Promise<readonly LedgerEntry[]>
  /**
   * Resolves only when the entry lies in the cluster; every other end is a Fault, and then nothing may be written.
   * Entering the same plan of an open case again changes nothing; another plan takes the entry's place.
   */
  enter(entry: Omit<LedgerEntry, 'at'>): Promise<void>
  /** Afterwards no entry of this case is open, also when somebody removed it; what would have undone it is forgotten. */
  complete(caseId: string, outcome: Outcome): Promise<void>
}

/** Keys to set, and keys to remove (null). */
type Changes = Readonly<Record<string, string | null>>
interface Parsed {
  readonly text: string
  readonly entry: LedgerEntry
}
interface Kept {
  readonly entries: readonly LedgerEntry[]
  /** undefined: there is no ConfigMap yet. */
  readonly version: string | undefined
}

const RETRIES = 5
const FIRST_WAIT_MS = 40

export function makeLedger(transport: Transport, namespace: string): Ledger {
  const { timers, random } = transport.ports
  const path = pathOf(ADDRESSES.ConfigMap, namespace, LEDGER_NAME)

  // An entry carries whole templates to put back; a hundred of them parsed at every look would take longer than all the rest of a case.
  let parsed: ReadonlyMap<string, Parsed> = new Map()
  /** As last seen; it may be stale, which the precondition of a write finds out. */
  let last: Kept | undefined

  async function read(): Promise<Kept> {
    try {
      return seen((await transport.send({ method: 'GET', path })).body)
    } catch (error) {
      if (!isFault(error, 'CLUSTER_NOT_FOUND')) throw error
      last = { entries: [], version: undefined }
      return last
    }
  }
  function seen(body: unknown): Kept {
    const kept = keptIn(body, parsed)
    parsed = kept.parsed
    last = kept
    return kept
  }

  async function write(changes: Changes, version: string | undefined): Promise<void> {
    const query = { fieldManager: FIELD_MANAGER }
    if (version === undefined) {
      seen((await transport.send({ method: 'POST', path: pathOf(ADDRESSES.ConfigMap, namespace), query, body: manifest(namespace, changes) })).body)
      return
    }
    // The resourceVersion in a merge patch is a precondition: 409 when somebody else wrote in between.
    const body = { metadata: { resourceVersion: version }, data: changes }
    seen((await transport.send({ method: 'PATCH', path, query, contentType: 'application/merge-patch+json', body })).body)
  }

  /** Edits what was last seen, and writes; reads when somebody was faster or an answer got lost, since the precondition makes that safe. */
  async function edit(change: (entries: readonly LedgerEntry[]) => Changes | undefined): Promise<void> {
    for (let retries = 0; ; retries++) {
      const stale = last
      let kept = stale ?? (await read())
      let changes = change(kept.entries)
      // That there is nothing to do is believed only of what is there now.
      if (!changes && stale) {
        kept = await read()
        changes = change(kept.entries)
      }
      if (!changes) return
      last = undefined
      try {
        return await write(changes, kept.version)
      } catch (error) {
        const vanished = isFault(error, 'CLUSTER_NOT_FOUND') && kept.version !== undefined
        // What was seen is outdated: that is no contest, so nothing is waited for.
        if (stale && (vanished || isFault(error, 'CLUSTER_CONFLICT'))) continue
        if (retries === RETRIES || !(vanished || isFault(error, 'CLUSTER_CONFLICT', 'CLUSTER_ANSWER_UNKNOWN'))) throw error
      }
      await pause(timers, FIRST_WAIT_MS * 2 ** retries * (0.5 + random.next()))
    }
  }

  /** After the read of the same turn, so it is as fresh as one round trip. */
  function now(): number {
    const at = transport.serverTime()
    if (at === undefined) throw new Fault('LEDGER_UNUSABLE', 'the API server sends no Date header, so no entry can be dated')
    return at
  }

  return {
    entries: async () => (await read()).entries,
    enter: (entry) =>
      edit((entries) => {
        const before = entries.find(({ caseId }) => caseId === entry.caseId)
        if (before && before.outcome === undefined && before.planHash === entry.planHash && before.term === entry.term) return undefined
        return withinLimits([...entries.filter((one) => one !== before), { ...entry, at: now() }], entry.caseId, parsed)
      }),
    complete: (caseId, outcome) =>
      edit((entries) => {
        const before = entries.find((one) => one.caseId === caseId)
        // What would undo it is of use while the case is open; kept for a hundred cases it would make every look at the ledger slow.
        return before && before.outcome !== outcome ? { [caseId]: JSON.stringify({ ...before, undo: [], outcome }) } : undefined
      }),
  }
}

const manifest = (namespace: string, changes: Changes) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: LEDGER_NAME, namespace, labels: { 'app.kubernetes.io/managed-by': FIELD_MANAGER } },
  data: Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null)),
})

function keptIn(body: unknown, known: ReadonlyMap<string, Parsed>): Kept & { readonly parsed: ReadonlyMap<string, Parsed> } {
  const metadata = isRecord(body) && isRecord(body['metadata']) ? body['metadata'] : {}
  const data = isRecord(body) && isRecord(body['data']) ? body['data'] : {}
  if (typeof metadata['resourceVersion'] !== 'string') throw new Fault('LEDGER_UNUSABLE', `ConfigMap ${LEDGER_NAME} has no resourceVersion`)
  const parsed = new Map(
    Object.entries(data).map(([key, value]) => {
      const text = typeof value === 'string' ? value : ''
      const before = known.get(key)
      return [key, before?.text === text ? before : { text, entry: parseEntry(key, text) }] as const
    }),
  )
  const entries = [...parsed.values()].map(({ entry }) => entry).toSorted(inTime)
  return { entries, version: metadata['resourceVersion'], parsed }
}

/** The API server's clock is told in whole seconds; within one, ids of cases rise with time. */
const inTime = (a: LedgerEntry, b: LedgerEntry): number => a.at - b.at || (a.caseId < b.caseId ? -1 : 1)

const sizeOf = (key: string, text: string): number => Buffer.byteLength(key) + Buffer.byteLength(text)

/** Oldest completed entries fall out; an open one never does: it may be all that tells of a write. */
function withinLimits(entries: readonly LedgerEntry[], added: string, known: ReadonlyMap<string, Parsed>): Changes {
  const textOf = (entry: LedgerEntry): string => {
    const kept = known.get(entry.caseId)
    return kept?.entry === entry ? kept.text : JSON.stringify(entry)
  }
  const texts = new Map(entries.map((entry) => [entry.caseId, textOf(entry)]))
  let bytes = [...texts].reduce((sum, [key, text]) => sum + sizeOf(key, text), 0)
  const dropped: string[] = []
  for (const { caseId, outcome } of entries) {
    if (texts.size <= LEDGER_LIMITS.entries && bytes <= LEDGER_LIMITS.bytes) break
    if (outcome === undefined) continue
    bytes -= sizeOf(caseId, texts.get(caseId) ?? '')
    texts.delete(caseId)
    dropped.push(caseId)
  }
  if (texts.size > LEDGER_LIMITS.entries || bytes > LEDGER_LIMITS.bytes)
    throw new Fault('LEDGER_UNUSABLE', `the ledger is full: ${texts.size} entries of open cases, ${bytes} bytes (at most ${LEDGER_LIMITS.entries} and ${LEDGER_LIMITS.bytes})`)
  return { ...Object.fromEntries(dropped.map((key) => [key, null])), [added]: texts.get(added) ?? null }
}
