// Tests of rules as they are written beside them: an alert, a cluster as plain manifests, and what must be decided.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { fingerprint } from '../alertmanager/fingerprint.ts'
import type { Alert } from '../domain/alert.ts'
import type { Json } from '../domain/json.ts'
import { PAST } from './past.ts'

const labels = z.record(z.string(), z.string())
/** `{ alertname, labels }`, or as a webhook has it. */
const ALERT = z
  .strictObject({
    alertname: z.string().exactOptional(),
    labels: labels.default({}),
    annotations: labels.default({}),
    startsAt: z.iso.datetime({ offset: true }).exactOptional(),
  })
  .refine((alert) => alert.alertname !== undefined || alert.labels['alertname'] !== undefined, 'it needs an alertname')
const EXPECT = z.strictObject({
  decision: z.enum(['act', 'ambiguous', 'notify', 'ignore']).exactOptional(),
  rule: z.string().nullable().exactOptional(),
  action: z.string().exactOptional(),
  /** Those that are named must be as they are here; others are free. */
  parameters: z.record(z.string(), z.json()).exactOptional(),
  confidence: z.number().exactOptional(),
  candidates: z.array(z.string()).exactOptional(),
  why: z.enum(['unknown', 'conflict', 'asked']).exactOptional(),
  target: z.string().exactOptional().describe('`Deployment/shop/web`: the top owner'),
  unknownFacts: z.array(z.string()).exactOptional(),
})
const CASE = z.strictObject({
  name: z.string().min(1),
  alert: ALERT,
  /** Other alerts of the same case. */
  also: z.array(ALERT).default([]),
  /** Manifests, or the path of a YAML file or a folder of them, from this file. */
  cluster: z.union([z.string(), z.array(z.unknown())]).default([]),
  logs: z.record(z.string(), z.string()).default({}),
  /** null: Alertmanager cannot be asked. */
  activeAlerts: z.array(ALERT).nullable().default([]),
  history: PAST.default([]),
  now: z.iso.datetime({ offset: true }).exactOptional(),
  /** Kinds, and `logs`, that may not be read: what depends on them is unknown. */
  forbidden: z.array(z.string()).default([]),
  expect: EXPECT,
})
/** Keys that begin with `x-` are for anchors. */
const FILE = z.looseObject({ tests: z.array(CASE) }).superRefine((file, context) => {
  for (const key of Object.keys(file)) if (key !== 'tests' && !key.startsWith('x-')) context.addIssue({ code: 'unrecognized_keys', keys: [key], input: file })
})

export type Expected = z.output<typeof EXPECT>
export interface RuleTest extends Omit<z.output<typeof CASE>, 'alert' | 'also' | 'activeAlerts' | 'now' | 'cluster' | 'logs'> {
  readonly file: string
  readonly line: number
  readonly alerts: readonly [Alert, ...Alert[]]
  readonly activeAlerts: readonly Alert[] | null
  readonly now: number
  readonly manifests: readonly unknown[]
  readonly logs: ReadonlyMap<string, string>
}
export interface TestFileProblem {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** Ages in tests are counted from here unless a test says otherwise: the same on every day. */
export const TEST_NOW = Date.parse('2026-01-15T12:00:00Z')
const MAX_ALIASES = 10_000

/** What a path in `cluster:` leads to. */
export type ReadFolder = (folder: string) => Promise<{ readonly manifests: readonly unknown[]; readonly logs: ReadonlyMap<string, string> }>

export async function readTests(file: string, readFolder: ReadFolder): Promise<{ readonly tests: readonly RuleTest[]; readonly problems: readonly TestFileProblem[] }> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(await readFile(file, 'utf8'), { lineCounter: lines, prettyErrors: false, schema: 'core', merge: true })
  if (document.errors.length > 0) return { tests: [], problems: document.errors.map((error) => ({ file, line: lines.linePos(error.pos[0]).line, message: error.message })) }
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true)
      if (yaml.isNode(node) && node.range) return lines.linePos(node.range[0]).line
    }
    return 1
  }
  const parsed = FILE.safeParse(document.toJS({ maxAliasCount: MAX_ALIASES }))
  if (!parsed.success)
    return { tests: [], problems: parsed.error.issues.map((issue) => ({ file, line: lineOf(issue.path), message: `${issue.path.join('.')}: ${issue.message}` })) }
  const tests = await Promise.all(parsed.data.tests.map((written, at) => prepare(written, { file, line: lineOf(['tests', at]), readFolder })))
  return { tests, problems: [] }
}

interface Around {
  readonly file: string
  readonly line: number
  readonly readFolder: ReadFolder
}
async function prepare({ alert, also, activeAlerts, now, cluster, logs, ...rest }: z.output<typeof CASE>, { file, line, readFolder }: Around): Promise<RuleTest> {
  const at = now === undefined ? TEST_NOW : Date.parse(now)
  const loaded = typeof cluster === 'string' ? await load(join(dirname(file), cluster), readFolder) : { manifests: cluster, logs: new Map<string, string>() }
  return {
    ...rest,
    file,
    line,
    alerts: [alertOf(alert, at), ...also.map((other) => alertOf(other, at))],
    activeAlerts: activeAlerts?.map((other) => alertOf(other, at)) ?? null,
    now: at,
    manifests: loaded.manifests,
    logs: new Map([...loaded.logs, ...Object.entries(logs)]),
  }
}
async function load(path: string, readFolder: ReadFolder): ReturnType<ReadFolder> {
  if (!/\.ya?ml$/.test(path)) return readFolder(path)
  const yaml = await import('yaml')
  const documents = yaml.parseAllDocuments(await readFile(path, 'utf8'), { schema: 'core' })
  return { manifests: documents.map((document): unknown => document.toJS()).filter((manifest) => manifest !== null), logs: new Map() }
}

function alertOf({ alertname, labels: given, annotations, startsAt }: z.output<typeof ALERT>, now: number): Alert {
  const all = alertname === undefined ? given : { ...given, alertname }
  return {
    fingerprint: fingerprint(all),
    status: 'firing',
    labels: all,
    annotations,
    startsAt: startsAt === undefined ? now - 300_000 : Date.parse(startsAt),
    endsAt: undefined,
    generatorUrl: undefined,
  }
}

/** Everything that the expectation names is in what was found. */
export function fits(expected: Json | undefined, found: Json | undefined): boolean {
  if (expected === undefined) return true
  if (typeof expected !== 'object' || expected === null || typeof found !== 'object' || found === null) return expected === found
  if (Array.isArray(expected)) return Array.isArray(found) && expected.length === found.length && expected.every((one: Json, at) => fits(one, found[at]))
  return Object.entries(expected).every(([key, value]) => Object.hasOwn(found, key) && fits(value, Reflect.get(found, key)))
}
