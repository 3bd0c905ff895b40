// `npm run gen`: writes everything that is made from the code; with --check it only compares, and names what is stale.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ACTIONS } from '../actions/catalogue.ts'
import { assetPath, packageRoot } from '../config/assets.ts'
import { ENVIRONMENT } from '../config/environment.ts'
import { configSchema } from '../config/schema.ts'
import { FAULTS, Fault } from '../domain/fault.ts'
import { CATALOGUES } from '../edges.ts'
import { factsTable, inCell, table } from '../facts/facts-table.ts'
import { generateRbac } from '../rights/generate.ts'
import { GATE_CODES } from '../rooms/gate/codes.ts'
import { compileLibrary } from '../rulebook/read-layer.ts'
import { ruleSchemaJson } from '../rulebook/schema.ts'

/** Texts by path below the root. */
type Files = Readonly<Record<string, string>>

const code = (text: string): string => `\`${text}\``
const rows = (head: readonly string[], lines: readonly (readonly string[])[]): string => table([head, ...lines.map((line) => line.map(inCell))]).join('\n')

/** What README.md has between `<!-- gen:NAME -->` and `<!-- /gen:NAME -->`. */
const TABLES: Files = {
  faults: rows(
    ['code', 'tried again', 'what to do'],
    Object.entries(FAULTS).map(([name, { retryable, hint }]) => [code(name), retryable ? 'yes' : 'no', hint]),
  ),
  'gate-codes': rows(
    ['code', 'why nothing is changed'],
    Object.entries(GATE_CODES).map(([name, why]) => [code(name), why]),
  ),
  environment: rows(
    ['variable', 'sets', 'what it is'],
    ENVIRONMENT.map(({ name, field, summary }) => [code(name), field === undefined ? '' : code(field), summary]),
  ),
  actions: rows(
    ['action', 'acts on', 'safety', 'what it does'],
    ACTIONS.map(({ name, targets, safety, summary }) => [code(name), targets.map((kind) => (kind === '*' ? 'anything' : kind)).join(', '), safety, summary]),
  ),
}

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** What people wrote stays: everything up to the first group of facts. */
function factsPage(root: string): string {
  const written = readText(join(root, 'src/facts/README.md')) ?? '# Facts\n\nMade by `npm run gen` from the code.\n'
  const [intro = ''] = written.split(/^## /m)
  return `${intro.trimEnd()}\n\n${factsTable().trimEnd()}\n`
}

/** A README that lost a marker would keep an old table for ever. */
function readme(root: string): Files {
  const written = readText(join(root, 'README.md'))
  if (written === undefined) return {}
  const text = Object.entries(TABLES).reduce((page, [name, content]) => {
    const [from, to] = [`<!-- gen:${name} -->`, `<!-- /gen:${name} -->`]
    const [start, end] = [page.indexOf(from), page.indexOf(to)]
    if (start < 0 || end < start) throw new Fault('INPUT_INVALID', `README.md has no ${start < 0 ? from : `${to} after ${from}`}: put both where the table of ${name} belongs`)
    return `${page.slice(0, start + from.length)}\n\n${content}\n\n${page.slice(end)}`
  }, written)
  return { 'README.md': text }
}

async function generated(root: string): Promise<Files> {
  return {
    'rules/library.json': await compileLibrary(assetPath('rules')),
    'rules/rule.schema.json': ruleSchemaJson(CATALOGUES),
    'deploy/config.schema.json': `${JSON.stringify({ ...configSchema(), title: 'alerts-slm configuration' }, undefined, 2)}\n`,
    ...generateRbac(),
    'src/facts/README.md': factsPage(root),
    ...readme(root),
  }
}

const RBAC = 'deploy/rbac'
/** Roles of actions that are gone would still be applied by `kubectl apply -f deploy/rbac`. */
function leftOver(root: string, files: Files): readonly string[] {
  return namesIn(join(root, RBAC))
    .map((name) => `${RBAC}/${name}`)
    .filter((path) => path.endsWith('.yaml') && files[path] === undefined)
}
const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function write(root: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    if (readText(join(root, path)) !== text) writeFileSync(join(root, path), text)
  }
  for (const path of leftOver(root, files)) rmSync(join(root, path))
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, root: { type: 'string' } } })
  const root = values.root ?? packageRoot()
  const files = await generated(root)
  const stale = [...Object.keys(files).filter((path) => readText(join(root, path)) !== files[path]), ...leftOver(root, files)]
  if (!values.check) write(root, files)
  for (const path of stale) process.stdout.write(`${path}: ${values.check ? 'is not what the code says' : 'written'}\n`)
  if (values.check && stale.length > 0) process.stderr.write('run `npm run gen` and commit what it writes\n')
  return values.check && stale.length > 0 ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof Fault)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
