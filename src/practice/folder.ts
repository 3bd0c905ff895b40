// A cluster as a folder: manifests with their status, pod logs, other firing alerts, earlier attempts.
import { readdir, readFile } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'
import * as z from 'zod'
import { Fault } from '../domain/fault.ts'
import { isPlain, textAt } from './fields.ts'

const alertSchema = z.looseObject({
  status: z.enum(['firing', 'resolved']).default('firing'),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).default({}),
  startsAt: z.string().exactOptional(),
  endsAt: z.string().exactOptional(),
  fingerprint: z.string().exactOptional(),
})
/** What a snapshot says of itself: when it was taken, and the kinds that could not be read and are no emptier for it. */
const snapshotSchema = z.looseObject({ takenAt: z.iso.datetime({ offset: true }), unreadable: z.array(z.string()).default([]) })
/** The outcome of one that was still being verified is null. */
const attemptSchema = z.looseObject({
  at: z.union([z.string(), z.number()]),
  alert: z.string(),
  target: z.union([z.string(), z.looseObject({ kind: z.string(), name: z.string() })]),
  action: z.string(),
  outcome: z.string().nullish(),
})

type FolderAlert = z.output<typeof alertSchema>
type FolderAttempt = z.output<typeof attemptSchema>
interface FolderLog {
  readonly pod: string
  readonly container: string
  readonly previous: boolean
  readonly text: string
}
export interface Folder {
  readonly manifests: readonly unknown[]
  readonly logs: readonly FolderLog[]
  readonly activeAlerts: readonly FolderAlert[]
  readonly history: readonly FolderAttempt[]
  /** The folder was a namespace once; absent where somebody wrote it by hand. */
  readonly snapshot?: z.output<typeof snapshotSchema>
}

interface Problem {
  readonly file: string
  readonly what: string
}
/** What one file gave: its share of the folder, or what is wrong with it. */
type Found = Partial<{ -readonly [K in keyof Folder]: Folder[K] }> & { readonly problems?: readonly Problem[] }

const LISTS = { 'active-alerts.json': z.array(alertSchema), 'history.json': z.array(attemptSchema) }

async function filesOf(dir: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter(
        (file) =>
          !relative(dir, file)
            .split('/')
            .some((part) => part.startsWith('.')),
      )
      .sort()
  } catch (cause) {
    throw new Fault('INPUT_INVALID', `${dir} cannot be read as a folder: ${reasonOf(cause)}`, { cause })
  }
}
const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Reads everything, and only then complains: about every file at once, each with what to do. */
export async function readFolder(dir: string): Promise<Folder> {
  const found = await Promise.all((await filesOf(dir)).map((file) => readOne(dir, file)))
  const problems = found.flatMap((each) => each.problems ?? [])
  if (problems.length > 0) throw new Fault('INPUT_INVALID', problems.map(({ file, what }) => `${file}: ${what}`).join('\n'))
  const snapshot = found.find((each) => each.snapshot)?.snapshot
  return {
    manifests: found.flatMap((each) => each.manifests ?? []),
    logs: found.flatMap((each) => each.logs ?? []),
    activeAlerts: found.flatMap((each) => each.activeAlerts ?? []),
    history: found.flatMap((each) => each.history ?? []),
    ...(snapshot && { snapshot }),
  }
}

async function readOne(dir: string, path: string): Promise<Found> {
  const file = relative(dir, path)
  try {
    const text = await readFile(path, 'utf8')
    if (file === 'active-alerts.json') return read(file, text, LISTS[file], (activeAlerts) => ({ activeAlerts }))
    if (file === 'history.json') return read(file, text, LISTS[file], (history) => ({ history }))
    if (file === 'snapshot.json') return read(file, text, snapshotSchema, (snapshot) => ({ snapshot }))
    if (extname(file) === '.log') return readLog(file, text)
    if (extname(file) === '.json') return manifestsOf(file, [JSON.parse(text)])
    if (['.yaml', '.yml'].includes(extname(file))) return await readYaml(file, text)
    return {}
  } catch (cause) {
    return { problems: [{ file, what: `${reasonOf(cause)}; correct the file or take it out of the folder` }] }
  }
}

function read<S extends z.ZodType>(file: string, text: string, schema: S, give: (value: z.output<S>) => Found): Found {
  const parsed = schema.safeParse(JSON.parse(text))
  if (parsed.success) return give(parsed.data)
  return { problems: parsed.error.issues.map((issue) => ({ file, what: `${issue.path.join('.') || 'the whole file'}: ${issue.message}` })) }
}

/** `<pod>.<container>.log`; a pod's name may have dots, a container's has none. */
function readLog(file: string, text: string): Found {
  const previous = file.endsWith('.previous.log')
  const stem = basename(file).slice(0, previous ? -'.previous.log'.length : -'.log'.length)
  const dot = stem.lastIndexOf('.')
  if (dot <= 0 || dot === stem.length - 1) return { problems: [{ file, what: 'is no pod log; name it <pod>.<container>.log or <pod>.<container>.previous.log' }] }
  return { logs: [{ pod: stem.slice(0, dot), container: stem.slice(dot + 1), previous, text }] }
}

async function readYaml(file: string, text: string): Promise<Found> {
  const { LineCounter, parseAllDocuments } = await import('yaml')
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines })
  const documents = Array.isArray(parsed) ? parsed : []
  const problems = documents.flatMap(({ errors }) =>
    errors.map((error) => {
      const { line, col } = lines.linePos(error.pos[0])
      return { file, what: `line ${line}, column ${col}: ${error.message.split('\n')[0]}` }
    }),
  )
  if (problems.length > 0) return { problems }
  return manifestsOf(
    file,
    documents.map((document): unknown => document.toJS()).filter((value) => value !== null),
  )
}

/** Each must say what it is and how it is called, or nothing can be done with it. */
function manifestsOf(file: string, manifests: readonly unknown[]): Found {
  const problems = manifests.flatMap((manifest, index) => {
    const where = manifests.length > 1 ? `document ${index + 1} ` : ''
    const lack = lackOf(manifest)
    return lack === undefined ? [] : [{ file, what: `${where}${lack}` }]
  })
  return problems.length > 0 ? { problems } : { manifests }
}
function lackOf(manifest: unknown): string | undefined {
  if (!isPlain(manifest)) return 'is no Kubernetes manifest; give an object with apiVersion, kind and metadata.name'
  if (!textAt(manifest, 'apiVersion')) return 'has no apiVersion; add one, such as v1 or apps/v1'
  const kind = textAt(manifest, 'kind')
  if (!kind) return 'has no kind; add one, such as Pod or Deployment'
  if (!kind.endsWith('List')) return textAt(manifest, 'metadata', 'name') ? undefined : `is a ${kind} without metadata.name; name it`
  return Array.isArray(manifest['items']) ? undefined : `is a ${kind} without items`
}
