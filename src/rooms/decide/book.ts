// The compiled book: rules checked and ready, found by alert name and exact labels, so that an alert costs the same in a book of 50 or 5,000 rules.
import { type Alert, alertName, type Labels } from '../../domain/alert.ts'
import { parseDuration } from '../../domain/duration.ts'
import { Fault } from '../../domain/fault.ts'
import { compileCondition } from './compile.ts'
import { didYouMean } from './nearest.ts'
import { compileParameters, type Parameters } from './parameters.ts'
import { Judged } from './three-valued.ts'
import type { Finding, Ground, Otherwise, RuleFile, WrittenRule } from './written.ts'

export interface BookRule {
  readonly id: string
  readonly file: string
  readonly priority: number
  readonly action: string
  readonly parameters: Parameters
  readonly confidence: number
  readonly because: string
  readonly settleMs: number | undefined
  readonly judged: Judged
}
interface BookFile {
  readonly path: string
  readonly rank: number
  readonly written: RuleFile
  readonly rules: readonly BookRule[]
}

/** Rules of one priority and layer. Within a line (a file) the first yes wins; two lines that say different things are a conflict. */
interface Stage {
  readonly lines: readonly (readonly BookRule[])[]
}
/** All that answers for one alert, in the order in which it is judged. */
export interface Bench {
  readonly stages: readonly Stage[]
  readonly files: readonly string[]
  /** Actions that may be asked for when no rule decides. */
  readonly asks: readonly string[]
}
export interface Book {
  /** Hash of everything that it was made of. */
  readonly version: string
  readonly rules: readonly BookRule[]
  /** Some rule matches regular expressions, whose engine is loaded only then. */
  readonly usesPatterns: boolean
  bench(alert: Alert): Bench
}
export interface FileFinding extends Finding {
  readonly file: string
}

/** Compiles, or throws with every finding: for callers that have no document to point into. */
export function compileBook(files: readonly RuleFile[], ground: Ground, version = 'unnamed'): Book {
  const made = tryBook(files, ground, version)
  if ('book' in made) return made.book
  throw new Fault('RULES_INVALID', made.findings.map(({ file, at, message }) => `${file}: ${at.join('.')}: ${message}`).join('\n'))
}

export function tryBook(files: readonly RuleFile[], ground: Ground, version: string): { readonly book: Book } | { readonly findings: readonly FileFinding[] } {
  const findings: FileFinding[] = []
  const compiled = files.map((file) => compileFile(file, ground, findings))
  findings.push(...sameIds(files), ...wrongDisables(files))
  return findings.length > 0 ? { findings } : { book: bind(compiled, version) }
}

function compileFile(file: RuleFile, ground: Ground, all: FileFinding[]): BookFile {
  const findings: Finding[] = []
  const rules = file.rules.map((rule, at) => compileRule({ rule, file, at: ['rules', at], ground, findings })).filter((rule) => rule !== undefined)
  const asked = file.otherwise === undefined || file.otherwise === 'notify' ? [] : file.otherwise.ask
  asked.forEach((action, at) => {
    if (!ground.actions.has(action)) findings.push({ at: ['otherwise', 'ask', at], message: `there is no action named ${action}`, ...didYouMean(action, ground.actions.keys()) })
  })
  all.push(...findings.map((finding) => ({ ...finding, file: file.path })))
  return { path: file.path, rank: file.rank, written: file, rules }
}

interface Compiling {
  readonly rule: WrittenRule
  readonly file: RuleFile
  readonly at: Finding['at']
  readonly ground: Ground
  readonly findings: Finding[]
}
function compileRule({ rule, file, at, ground, findings }: Compiling): BookRule | undefined {
  const condition = compileCondition(rule.when, ground, [...at, 'when'], findings)
  const parameters = compileParameters(rule.then, ground, [...at, 'then'], findings)
  const settleMs = rule.then.settle === undefined ? undefined : parseDuration(rule.then.settle)
  if (rule.then.settle !== undefined && settleMs === undefined) findings.push({ at: [...at, 'then', 'settle'], message: 'it is a duration such as 5m' })
  if (!condition) return undefined
  return {
    id: rule.id,
    file: file.path,
    priority: rule.priority ?? 0,
    action: rule.then.action,
    parameters,
    confidence: rule.then.confidence ?? 1,
    because: rule.because ?? `rule ${rule.id} holds`,
    settleMs,
    judged: new Judged(condition.root, condition.tests),
  }
}

/** Budgets and scores count per rule, so an id means one rule in the whole book. */
function sameIds(files: readonly RuleFile[]): readonly FileFinding[] {
  const first = new Map<string, string>()
  return files.flatMap((file) =>
    file.rules.flatMap((rule, at) => {
      const other = first.get(rule.id)
      if (other === undefined) first.set(rule.id, file.path)
      return other === undefined
        ? []
        : [{ file: file.path, at: ['rules', at, 'id'], message: `rule ${rule.id} exists already, in ${other}`, hint: 'an id names one rule of the whole book' }]
    }),
  )
}

/** A disabled rule that is not there would be one that somebody believes to be switched off. */
function wrongDisables(files: readonly RuleFile[]): readonly FileFinding[] {
  return files.flatMap((file) =>
    (file.disable ?? []).flatMap((id, at) => {
      const below = files.filter((other) => other.rank < file.rank && overlap(file, other))
      const ids = below.flatMap((other) => other.rules.map((rule) => rule.id))
      return ids.includes(id) ? [] : [{ file: file.path, at: ['disable', at], message: `no lower layer has a rule ${id} for these alerts`, ...didYouMean(id, ids) }]
    }),
  )
}
export const overlap = (a: RuleFile, b: RuleFile): boolean => (a.alerts === 'any' || b.alerts === 'any' ? a.alerts === b.alerts : a.alerts.some((name) => b.alerts.includes(name)))

/** Files by exact labels: one look-up for each set of label names that files of this alert use. */
class Index {
  readonly #byKeys = new Map<string, { readonly keys: readonly string[]; readonly byValues: Map<string, number[]> }>()
  add(labels: Labels, file: number): void {
    const keys = Object.keys(labels).sort()
    const group = this.#byKeys.get(keys.join('\n')) ?? { keys, byValues: new Map<string, number[]>() }
    this.#byKeys.set(keys.join('\n'), group)
    const values = JSON.stringify(keys.map((key) => labels[key]))
    group.byValues.set(values, [...(group.byValues.get(values) ?? []), file])
  }
  find(labels: Labels): readonly number[] {
    const found: number[] = []
    for (const { keys, byValues } of this.#byKeys.values())
      found.push(...(byValues.get(JSON.stringify(keys.map((key) => (Object.hasOwn(labels, key) ? labels[key] : null)))) ?? []))
    return found.sort((a, b) => a - b)
  }
}

/** Combinations of files that were asked for; label values that no file names make none. */
const BENCHES = 10_000

function bind(files: readonly BookFile[], version: string): Book {
  const named = new Map<string, Index>()
  const generic = new Index()
  files.forEach(({ written }, at) => {
    for (const name of written.alerts === 'any' ? [] : new Set(written.alerts)) {
      const index = named.get(name) ?? new Index()
      index.add(written.labels ?? {}, at)
      named.set(name, index)
    }
    if (written.alerts === 'any') generic.add(written.labels ?? {}, at)
  })
  const benches = new Map<string, Bench>()
  const rules = files.flatMap((file) => file.rules)
  return {
    version,
    rules,
    usesPatterns: rules.some((rule) => rule.judged.tests.some((test) => test.operator.name.endsWith('matches'))),
    bench(alert) {
      const byName = named.get(alertName(alert))?.find(alert.labels) ?? []
      const found = byName.length > 0 ? byName : generic.find(alert.labels)
      const key = found.join()
      const known = benches.get(key)
      if (known) return known
      if (benches.size >= BENCHES) benches.clear()
      const made = makeBench(found.flatMap((at) => files[at] ?? []))
      benches.set(key, made)
      return made
    },
  }
}

function makeBench(found: readonly BookFile[]): Bench {
  const replaces = Math.max(0, ...found.filter((file) => file.written.layer === 'replace').map((file) => file.rank))
  const files = found.filter((file) => file.rank >= replaces)
  const off = (rule: BookRule, rank: number) => files.some((file) => file.rank > rank && file.written.disable?.includes(rule.id))
  const standing = files.map((file) => ({ rank: file.rank, rules: file.rules.filter((rule) => !off(rule, file.rank)) }))
  const places = [...new Set(standing.flatMap(({ rank, rules }) => rules.map((rule) => JSON.stringify([rule.priority, rank]))))]
  const stages = places
    .map((place): readonly [number, number] => {
      const [priority, rank] = JSON.parse(place)
      return [Number(priority), Number(rank)]
    })
    .sort((a, b) => b[0] - a[0] || b[1] - a[1])
    .map(([priority, rank]) => ({
      lines: standing
        .filter((file) => file.rank === rank)
        .map((file) => file.rules.filter((rule) => rule.priority === priority))
        .filter((line) => line.length > 0),
    }))
  return { stages, files: files.map((file) => file.path), asks: asksOf(files) }
}

/** The highest layer that says what else to do is heard; its files may each add to the question. */
function asksOf(files: readonly BookFile[]): readonly string[] {
  const speaking = files.filter((file) => file.written.otherwise !== undefined)
  const top = Math.max(...speaking.map((file) => file.rank))
  const asked = (otherwise: Otherwise | undefined) => (otherwise === undefined || otherwise === 'notify' ? [] : otherwise.ask)
  return [...new Set(speaking.filter((file) => file.rank === top).flatMap((file) => asked(file.written.otherwise)))]
}
