// The configuration that is in force: defaults, then the file, then the environment. Parsed once, frozen, and every problem told at once.
import { readFileSync } from 'node:fs'
import type * as z from 'zod'
import { Fault } from '../domain/fault.ts'
import { ENVIRONMENT, type Environment, variable } from './environment.ts'
import { CONFIG, type Config, configSchema } from './schema.ts'
import { below, isTree, mapScalars, type Tree, wantsBoolean, wantsNumber, withoutValue, withValue } from './tree.ts'

export interface ConfigProblem {
  /** Dotted, as the file has it: `webhook.auth.token`. */
  readonly path: string
  readonly problem: string
  readonly remedy: string
}
export interface LoadOptions {
  /** Without it ALERTS_SLM_CONFIG; without either, defaults and environment only. */
  readonly file?: string
  readonly environment: Environment
  /** What holds where neither file nor environment say otherwise: practice has other defaults than a cluster. */
  readonly defaults?: Tree
}

/** The configuration, or a Fault CONFIG_INVALID whose message lists every problem. */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const checked = await checkConfig(options)
  if ('problems' in checked) throw new Fault('CONFIG_INVALID', listed(checked.problems))
  return checked.config
}

const listed = (problems: readonly ConfigProblem[]): string =>
  [
    `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:`,
    ...problems.map(({ path, problem, remedy }) => `  ${path || '(file)'}: ${problem}; ${remedy}`),
  ].join('\n')

export async function checkConfig({ file, environment, defaults = {} }: LoadOptions): Promise<{ readonly config: Config } | { readonly problems: readonly ConfigProblem[] }> {
  const problems: ConfigProblem[] = []
  const written = await readFile(file ?? variable(environment, 'ALERTS_SLM_CONFIG'), problems)
  const nodes = [schemaTree()]
  const filled = mapScalars(written, nodes, (scalar, at, path) => (typeof scalar === 'string' ? fill(scalar, { environment, nodes: at, path: path.join('.'), problems }) : scalar))
  const merged = fromEnvironment(overlay(defaults, isTree(filled) ? filled : {}), environment, nodes)
  const parsed = CONFIG.safeParse(merged)
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => told(issue)))
  const config = parsed.data
  return config && problems.length === 0 ? { config: freeze(config) } : { problems }
}

function schemaTree(): Tree {
  const schema: unknown = configSchema()
  return isTree(schema) ? schema : {}
}

async function readFile(file: string | undefined, problems: ConfigProblem[]): Promise<Tree> {
  if (file === undefined) return {}
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    problems.push({ path: '', problem: `${file} cannot be read: ${cause instanceof Error ? cause.message : 'unreadable'}`, remedy: 'correct --config or ALERTS_SLM_CONFIG' })
    return {}
  }
  const { parseDocument } = await import('yaml')
  // The merge of anchors is off and aliases are bounded: a configuration has no need to explode.
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true })
  problems.push(...document.errors.map(({ message }) => ({ path: '', problem: `${file} is no YAML: ${message.split('\n')[0]}`, remedy: 'correct the named line' })))
  if (document.errors.length > 0) return {}
  const content: unknown = document.toJS({ maxAliasCount: 100 })
  if (isTree(content)) return content
  if (content !== null && content !== undefined) problems.push({ path: '', problem: `${file} is not a map of sections`, remedy: 'begin with a section such as `webhook:`' })
  return {}
}

interface Filling {
  readonly environment: Environment
  readonly nodes: readonly Tree[]
  readonly path: string
  readonly problems: ConfigProblem[]
}
const VARIABLE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** `${NAME}` in a scalar of the file, never in its raw text: a value cannot add keys. `$${` stands for a literal `${`. */
function fill(text: string, { environment, nodes, path, problems }: Filling): unknown {
  if (!text.includes('${')) return text
  const filled = text.replace(VARIABLE, (whole, name: string | undefined) => {
    if (name === undefined) return '${'
    const value = environment[name]
    if (value === undefined) problems.push({ path, problem: `the environment variable ${name} is not set`, remedy: `set ${name}, or write $\${${name}} for the literal text` })
    return value ?? whole
  })
  return typed(filled, nodes)
}

/** Variables are text; where the schema wants a number or a truth value, text that is one becomes one. */
function typed(text: string, nodes: readonly Tree[]): unknown {
  const trimmed = text.trim()
  if (wantsBoolean(nodes) && /^(?:true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === 'true'
  if (wantsBoolean(nodes) && /^[01]$/.test(trimmed)) return trimmed === '1'
  return wantsNumber(nodes) && trimmed !== '' && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text
}

/** Sections over sections; everything that is no section is replaced as a whole. */
function overlay(under: Tree, over: Tree): Tree {
  const names = Object.keys({ ...under, ...over })
  return Object.fromEntries(
    names.map((name) => {
      const [low, high] = [under[name], Object.hasOwn(over, name) ? over[name] : undefined]
      // A section with nothing in it (`webhook:`) says nothing.
      if (high === undefined || high === null) return [name, low ?? {}]
      return [name, isTree(low) && isTree(high) ? overlay(low, high) : high]
    }),
  )
}

function fromEnvironment(tree: Tree, environment: Environment, nodes: readonly Tree[]): Tree {
  return ENVIRONMENT.reduce((config, { name, field }) => {
    const value = variable(environment, name)
    if (field === undefined || value === undefined) return config
    const path = field.split('.')
    const at = path.reduce<readonly Tree[]>((all, step) => below(all, step), nodes)
    // The environment's secret takes the place of the file that the configuration names.
    return withValue(withoutValue(config, field.split('.').with(-1, `${path.at(-1)}_file`)), path, typed(value, at))
  }, tree)
}

const asPath = (path: readonly PropertyKey[]): string => path.map(String).join('.')

function told(issue: z.core.$ZodIssue): readonly ConfigProblem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: asPath([...issue.path, key]),
      problem: 'there is no such field',
      remedy: 'correct its name or remove it; `alerts-slm config schema` lists all',
    }))
  const field = asPath(issue.path)
  const variables = ENVIRONMENT.filter((row) => row.field === field).map(({ name }) => name)
  return [{ path: field, problem: issue.message, remedy: `correct it in the file${variables.length > 0 ? ` or in ${variables.join(', ')}` : ''}` }]
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const each of Object.values(value)) freeze(each)
  }
  return value
}
