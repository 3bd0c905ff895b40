// A namespace as a folder of plain manifests, logs and firing alerts, from which `rules explain --cluster DIR` decides the same as the
// sidecar did. Nothing secret goes in: no Secret at all, values of the environment only as short hashes, logs redacted.
import type { ActiveAlert } from '../alertmanager/client.ts'
import { isFault } from '../domain/fault.ts'
import type { Attempt } from '../domain/history.ts'
import { redact } from '../domain/redaction.ts'
import { isUnknown, type Unknown } from '../domain/unknown.ts'
import { ADDRESSES, type AnyObject, type Kind, type Kinds, type Reader } from '../kube/wire.ts'
import { ACTIVE_ALERTS } from './folder.ts'

const KINDS = [
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'ControllerRevision',
  'Pod',
  'Job',
  'CronJob',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'Service',
  'PersistentVolumeClaim',
  'ResourceQuota',
  'LimitRange',
  'Event',
  'PodMetrics',
] as const satisfies readonly Kind[]

export interface SnapshotSources {
  readonly read: Reader
  readonly active: () => Promise<readonly ActiveAlert[] | Unknown>
  readonly attempts: readonly Attempt[]
  readonly toYaml: (documents: readonly object[]) => string
  readonly hash: (text: string) => string
}
export interface Snapshot {
  /** Paths below the folder, and their text. */
  readonly files: ReadonlyMap<string, string>
  /** What could not be read, in sentences. */
  readonly missing: readonly string[]
  /** The kinds among that: whoever reads the folder must not take them for empty. */
  readonly unreadable: readonly string[]
}

const LOG_LINES = 200
const LOG_BYTES = 64 * 1024

export async function takeSnapshot(sources: SnapshotSources): Promise<Snapshot> {
  const files = new Map<string, string>()
  const missing: string[] = []
  const reading = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read()
    } catch (error) {
      if (!isFault(error)) throw error
      missing.push(`${what}: ${error.message}`)
      return undefined
    }
  }
  const unreadable: string[] = []
  for (const kind of KINDS) {
    const objects = await reading(kind, () => sources.read.list(kind))
    if (!objects) unreadable.push(kind)
    if (objects && objects.length > 0) files.set(`${kind.toLowerCase()}.yaml`, sources.toYaml(objects.map((object) => withoutSecrets(kind, object, sources.hash))))
    if (kind === 'Pod' && objects) for (const pod of await sources.read.list('Pod')) await logsOf(pod, sources.read, files, reading)
  }
  const active = await sources.active()
  if (isUnknown(active)) {
    unreadable.push(ACTIVE_ALERTS)
    missing.push(`active alerts: ${active.unknown}`)
  } else files.set('active-alerts.json', `${JSON.stringify(active.map(asWebhookAlert), null, 2)}\n`)
  const history = sources.attempts.map(({ at, alert, owner, action, outcome, rule, direction }) => ({
    at: new Date(at).toISOString(),
    alert,
    target: owner,
    action,
    outcome: outcome ?? null,
    rule,
    direction,
  }))
  files.set('history.json', `${JSON.stringify(history, null, 2)}\n`)
  return { files, missing, unreadable }
}

type Reading = <T>(what: string, read: () => Promise<T>) => Promise<T | undefined>

async function logsOf(pod: Kinds['Pod'], read: Reader, files: Map<string, string>, reading: Reading): Promise<void> {
  const name = pod.metadata?.name ?? ''
  for (const { name: container, restartCount } of pod.status?.containerStatuses ?? []) {
    const tail = { container, tailLines: LOG_LINES, limitBytes: LOG_BYTES }
    const now = await reading(`log of ${name}/${container}`, () => read.logs(name, { ...tail, previous: false }))
    if (now !== undefined) files.set(`logs/${name}.${container}.log`, redact(now))
    const before = restartCount > 0 ? await reading(`previous log of ${name}/${container}`, () => read.logs(name, { ...tail, previous: true })) : undefined
    if (before !== undefined) files.set(`logs/${name}.${container}.previous.log`, redact(before))
  }
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Equal values keep equal hashes, so that a change of the environment between two revisions is still seen. */
function withoutSecrets(kind: Kind, object: AnyObject, hash: (text: string) => string): object {
  const clean = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((inner) => clean(key === 'env' ? hashed(inner, hash) : inner, ''))
    if (typeof value !== 'object' || value === null) return typeof value === 'string' && key === 'message' ? redact(value) : value
    return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => (name === LAST_APPLIED ? [] : [[name, clean(inner, name)]])))
  }
  const cleaned = clean(object, '')
  return { apiVersion: ADDRESSES[kind].apiVersion, kind, ...(typeof cleaned === 'object' ? cleaned : {}) }
}
const hashed = (variable: unknown, hash: (text: string) => string): unknown =>
  typeof variable === 'object' && variable !== null && 'value' in variable && typeof variable.value === 'string' ? { ...variable, value: `hash-${hash(variable.value)}` } : variable

const asWebhookAlert = ({ fingerprint, labels, annotations, startsAt, generatorUrl }: ActiveAlert) => ({
  status: 'firing',
  labels,
  annotations: Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, redact(text)])),
  startsAt: new Date(startsAt).toISOString(),
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: generatorUrl ?? '',
  fingerprint,
})
