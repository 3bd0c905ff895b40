// The incidents of the practice world: plain manifests with the ending that is expected of them. Nothing but the comparison reads what is expected.
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { Fault } from '../domain/fault.ts'
import type { Outcome } from '../domain/outcome.ts'
import { checkBehaviour } from './behaviour.ts'

const OUTCOMES = ['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed'] as const satisfies readonly Outcome[]

const expectation = z.strictObject({
  alert: z.union([z.string(), z.array(z.string()).min(1)]).describe('of the alert that opened the case; several where it is chance which of them comes first'),
  outcome: z.enum(OUTCOMES),
  action: z.string().exactOptional(),
  reason: z.string().exactOptional(),
})
type Expectation = z.output<typeof expectation>

const incidentSchema = z.strictObject({
  apiVersion: z.literal('practice.alerts-slm.io/v1'),
  kind: z.literal('Incident'),
  metadata: z.strictObject({ name: z.string() }),
  spec: z.strictObject({
    title: z.string(),
    expect: z.array(expectation).min(1).describe('in the order in which the cases end'),
    deliveredBy: z
      .union([z.literal(1), z.literal(2)])
      .default(1)
      .describe('how many Alertmanagers deliver its alerts'),
    pauseSeconds: z.array(z.number().min(0)).default([]).describe('how long all has to be well before the next version of an object is applied; one number a change'),
  }),
})
const manifestSchema = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string(), namespace: z.string().exactOptional() }) })
export type Manifest = z.output<typeof manifestSchema>

export interface Incident {
  readonly name: string
  readonly title: string
  readonly expect: readonly Expectation[]
  readonly deliveredBy: 1 | 2
  /** What is applied at once, then what is applied when all is well: an object that is declared again begins a new stage. */
  readonly stages: readonly (readonly Manifest[])[]
  readonly pauseSeconds: readonly number[]
  /** Names of the objects that its cases are about. */
  readonly workloads: readonly string[]
}

const FOLDER = fileURLToPath(new URL('./incidents/', import.meta.url))

/** All incidents of a folder by file name, or only those named. */
export async function readIncidents(names?: readonly string[], folder: string = FOLDER): Promise<readonly Incident[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort()
  const all = await Promise.all(files.map(async (file) => parseIncident(await readFile(`${folder}/${file}`, 'utf8'), file)))
  const missing = (names ?? []).filter((name) => !all.some((incident) => incident.name === name))
  if (missing.length > 0) throw new Fault('INPUT_INVALID', `no incident is named ${missing.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`)
  return names ? all.filter(({ name }) => names.includes(name)) : all
}

export async function parseIncident(text: string, file: string): Promise<Incident> {
  const { parseAllDocuments } = await import('yaml')
  const documents = parseAllDocuments(text)
  const wrong = (why: string): Fault => new Fault('INPUT_INVALID', `${file}: ${why}`)
  if (!Array.isArray(documents)) throw wrong('the file is empty')
  const broken = documents.flatMap(({ errors }) => errors)[0]
  if (broken) throw wrong(broken.message)
  const [header, ...rest] = documents.map((document): unknown => document.toJS())
  const incident = incidentSchema.safeParse(header)
  if (!incident.success) throw wrong(`the first document is no Incident: ${z.prettifyError(incident.error)}`)
  const manifests = rest.map((raw) => {
    const manifest = manifestSchema.safeParse(raw)
    if (!manifest.success) throw wrong(z.prettifyError(manifest.error))
    const flaw = manifest.data.kind === 'Behaviour' ? checkBehaviour(raw) : undefined
    if (flaw !== undefined) throw wrong(`Behaviour ${manifest.data.metadata.name}: ${flaw}`)
    return manifest.data
  })
  const { metadata, spec } = incident.data
  const workloads = [...new Set(manifests.filter(({ kind }) => kind !== 'Behaviour').map((manifest) => manifest.metadata.name))]
  return { name: metadata.name, ...spec, stages: stagesOf(manifests), workloads }
}

const identity = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`
function stagesOf(manifests: readonly Manifest[]): readonly (readonly Manifest[])[] {
  const stages: Manifest[][] = [[]]
  for (const manifest of manifests) {
    const present = stages.at(-1)
    if (present?.some((other) => identity(other) === identity(manifest))) stages.push([manifest])
    else present?.push(manifest)
  }
  return stages
}

/** How a case ended, as whoever runs the world saw it. */
export interface Ending {
  /** Name of the top owner. */
  readonly workload: string
  readonly alert: string
  readonly outcome: Outcome
  readonly action?: string | undefined
  readonly reason: string
}
export interface Difference {
  readonly incident: string
  readonly problem: string
}

const ACTED: readonly Outcome[] = ['fixed', 'unproven', 'undone']
const fits = (wanted: Expectation, ending: Ending): boolean =>
  [wanted.alert].flat().includes(ending.alert) &&
  wanted.outcome === ending.outcome &&
  (wanted.action ?? ending.action) === ending.action &&
  (wanted.reason ?? ending.reason) === ending.reason
const written = ({ alert, outcome, action, reason }: Expectation | Ending): string =>
  [[alert].flat().join(' or '), outcome, action, reason].filter((part) => part !== undefined).join(' ')

/**
 * What differs from what is expected; `endings` in the order in which the cases closed. Each expected ending has to be there, in order.
 * Further cases (another alert of the same trouble) may be told, refused or cancelled; one that acted and is not expected is a difference.
 */
export function differences(incidents: readonly Incident[], endings: readonly Ending[]): readonly Difference[] {
  return incidents.flatMap(({ name, workloads, expect }) => {
    const own = endings.filter(({ workload }) => workloads.includes(workload))
    const used = new Set<Ending>()
    let from = 0
    const missing = expect.filter((wanted) => {
      const at = own.findIndex((ending, i) => i >= from && fits(wanted, ending))
      const found = own[at]
      if (found) used.add(found)
      if (found) from = at + 1
      return !found
    })
    const unasked = own.filter((ending) => ACTED.includes(ending.outcome) && !used.has(ending))
    return [
      ...missing.map((wanted) => ({ incident: name, problem: `expected ${written(wanted)}; there is ${own.map(written).join(', ') || 'no case'}` })),
      ...unasked.map((ending) => ({ incident: name, problem: `not expected: ${written(ending)}` })),
    ]
  })
}
