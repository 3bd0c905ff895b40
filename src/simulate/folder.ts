// A folder as the world of one case: its cluster, the other alerts that fire, and what was tried before.
import { parseAlertFile } from '../alertmanager/payload.ts'
import type { Alert } from '../domain/alert.ts'
import { Fault } from '../domain/fault.ts'
import type { AlertCounts, Attempts } from '../domain/history.ts'
import { type Unknown, unknown } from '../domain/unknown.ts'
import type { Reader } from '../kube/wire.ts'
import { type FolderView, folderReader, forbidding } from './folder-reader.ts'
import { PAST, pastOf } from './past.ts'

export interface FolderWorld {
  readonly read: Reader
  readonly attempts: Attempts
  readonly counts: AlertCounts
  readonly firing: () => Promise<readonly Alert[] | Unknown>
}
/** The parts, before a namespace and a time are chosen. */
export interface FolderParts {
  readonly manifests: readonly unknown[]
  readonly logs: ReadonlyMap<string, string>
  readonly activeAlerts: readonly Alert[]
  readonly history: ReturnType<typeof PAST.parse>
  /** When the folder was a namespace, ms, and what could not be read of it; absent where it was written by hand. */
  readonly snapshot?: { readonly takenAt: number; readonly unreadable: readonly string[] }
}

export async function readParts(folder: string, now: number): Promise<FolderParts> {
  const { readFolder } = await import('../practice/folder.ts')
  const found = await readFolder(folder)
  const { alerts, problems } = parseAlertFile(found.activeAlerts, now)
  const history = PAST.safeParse(found.history)
  const wrong = [
    ...problems.map(({ path, message }) => `active-alerts.json${path}: ${message}`),
    ...(history.error?.issues ?? []).map(({ path, message }) => `history.json: ${path.join('.')}: ${message}`),
  ]
  if (wrong.length > 0 || !history.success) throw new Fault('INPUT_INVALID', wrong.map((line) => `${folder}/${line}`).join('\n'))
  const logs = new Map(found.logs.map(({ pod, container, previous, text }) => [`${pod}.${container}${previous ? '.previous' : ''}`, text] as const))
  return {
    manifests: found.manifests,
    logs,
    activeAlerts: alerts,
    history: history.data,
    ...(found.snapshot && { snapshot: { ...found.snapshot, takenAt: Date.parse(found.snapshot.takenAt) } }),
  }
}

/** In `unreadable` beside kinds of objects: Alertmanager could not be asked. */
export const ACTIVE_ALERTS = 'active-alerts'

/** What `rules explain --cluster DIR` decides against, seen from one namespace at one time. */
export async function worldIn(parts: FolderParts, view: FolderView): Promise<FolderWorld> {
  const { unreadable = [] } = parts.snapshot ?? {}
  const firing = unreadable.includes(ACTIVE_ALERTS) ? unknown('Alertmanager could not be asked when the snapshot was taken') : parts.activeAlerts
  return { read: forbidding(await folderReader(parts, view), unreadable), ...pastOf(parts.history), firing: async () => firing }
}
