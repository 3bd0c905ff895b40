// Tests of rules as they are written beside them: an alert, a cluster as plain manifests, and what must be decided.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import * as z from 'zod'
import { fingerprint } from '../alertmanager/fingerprint.ts'
import type { Alert } from '../domain/alert.ts'
import type { Json } from '../domain/json.ts'
import { ACTIVE_ALERTS, type FolderParts, readParts } from './folder.ts'
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
  /** Manifests, or the path from this file to a YAML file of them or to a folder with logs, active-alerts.json and history.json too. */
  cluster: z.union([z.string(), z.array(z.unknown())]).default([]),
  logs: z.record(z.string(), z.string()).default({}),
  /** null: Alertmanager cannot be asked. */
  activeAlerts: z.array(ALERT).nullable().exactOptional(),
  history: PAST.exactOptional(),
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
export interface RuleTest extends FolderParts, Pick<z.output<typeof CASE>, 'name' | 'forbidden' | 'expect'> {
  readonly file: string
  readonly line: number
  readonly alerts: readonly [Alert, ...Alert[]]
  readonly now: number
  /** Alertmanager cannot be asked: what else fires is unknown. */
  readonly noAlertmanager: boolean
}
export interface TestFileProblem {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** Ages in tests are counted from here unless a test says otherwise: the same on every day. */
const TEST_NOW = Date.parse('2026-01-15T12:00:00Z')
const MAX_ALIASES = 10_000

export async function readTests(file: string): Promise<{ readonly tests: readonly RuleTest[]; readonly problems: readonly TestFileProblem[] }> {
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
  const tests = await Promise.all(parsed.data.tests.map((written, at) => prepare(written, file, lineOf(['tests', at]))))
  return { tests, problems: [] }
}

/** What the test says itself stands; a folder gives the rest. */
async function prepare({ alert, also, activeAlerts, now, cluster, logs, history, name, forbidden, expect }: z.output<typeof CASE>, file: string, line: number): Promise<RuleTest> {
  const given = typeof cluster === 'string' ? await load(resolve(dirname(file), cluster), now === undefined ? TEST_NOW : Date.parse(now)) : { ...NOTHING, manifests: cluster }
  const at = now === undefined ? (given.snapshot?.takenAt ?? TEST_NOW) : Date.parse(now)
  const unreadable = given.snapshot?.unreadable ?? []
  return {
    name,
    forbidden: [...forbidden, ...unreadable],
    expect,
    file,
    line,
    alerts: [alertOf(alert, at), ...also.map((other) => alertOf(other, at))],
    now: at,
    manifests: given.manifests,
    logs: new Map([...given.logs, ...Object.entries(logs)]),
    activeAlerts: activeAlerts?.map((other) => alertOf(other, at)) ?? given.activeAlerts,
    noAlertmanager: activeAlerts === null || (activeAlerts === undefined && unreadable.includes(ACTIVE_ALERTS)),
    history: history ?? given.history,
  }
}
const NOTHING: FolderParts = { manifests: [], logs: new Map(), activeAlerts: [], history: [] }

async function load(path: string, now: number): Promise<FolderParts> {
  if (!/\.ya?ml$/.test(path)) return readParts(path, now)
  const yaml = await import('yaml')
  const documents = yaml.parseAllDocuments(await readFile(path, 'utf8'), { schema: 'core' })
  return { ...NOTHING, manifests: documents.map((document): unknown => document.toJS()).filter((manifest) => manifest !== null) }
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
