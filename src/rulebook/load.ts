// The book of this process: layers read, checked against the catalogues, compiled. All problems at once, or a book.
import { createHash } from 'node:crypto'
import { type Book, tryBook } from '../rooms/decide/book.ts'
import { compileCondition } from '../rooms/decide/compile.ts'
import { loadPatterns } from '../rooms/decide/patterns.ts'
import type { Finding, Ground, RuleFile } from '../rooms/decide/written.ts'
import { type Layer, type LayerConditions, locateOf, stack } from './layers.ts'
import { problemAt } from './parse.ts'
import type { Problem } from './problem.ts'
import { readLayer, readLibrary } from './read-layer.ts'

export interface LayerPaths {
  /** `rules/library.json`, or a folder of YAML. */
  readonly library: string
  readonly operatorDir?: string
  readonly tenantDir?: string
  /** What the operator allows a tenant's rules to do; every action when it is not said. */
  readonly tenantActions?: readonly string[]
}
export type Catalogues = Pick<Ground, 'facts' | 'actions'>

export interface LoadedBook {
  readonly ok: true
  readonly book: Book
  readonly layers: readonly Layer[]
  readonly files: readonly RuleFile[]
  readonly sources: ReadonlyMap<string, string>
}
export interface BrokenBook {
  readonly ok: false
  readonly problems: readonly Problem[]
  readonly sources: ReadonlyMap<string, string>
}

export async function loadBook(paths: LayerPaths, catalogues: Catalogues): Promise<LoadedBook | BrokenBook> {
  const read = await Promise.all([
    readLibrary(paths.library),
    ...(paths.operatorDir === undefined ? [] : [readLayer(paths.operatorDir, 'operator')]),
    ...(paths.tenantDir === undefined ? [] : [readLayer(paths.tenantDir, 'tenant')]),
  ])
  const sources = new Map(read.flatMap((layer) => [...layer.sources]))
  const unreadable = read.flatMap((layer) => layer.problems)
  if (unreadable.length > 0) return { ok: false, problems: unreadable, sources }
  const compiled = await compileLayers(
    read.map(({ layer }) => layer),
    catalogues,
    paths.tenantActions,
  )
  return compiled.ok ? { ...compiled, sources } : { ...compiled, sources }
}

async function compileLayers(
  layers: readonly Layer[],
  catalogues: Catalogues,
  tenantActions?: readonly string[],
): Promise<Omit<LoadedBook, 'sources'> | Omit<BrokenBook, 'sources'>> {
  const { files, conditions, problems } = stack(layers, tenantActions)
  const text = JSON.stringify({ files, conditions: [...conditions] })
  if (text.includes('matches"')) await loadPatterns()
  const ground: Ground = { ...catalogues, conditions }
  const named = layers.flatMap(({ conditions: written }) => (written ? conditionProblems(written, ground) : []))
  const made = tryBook(files, ground, createHash('sha256').update(text).digest('hex').slice(0, 16))
  const findings = 'book' in made ? [] : made.findings.map((finding) => problemAt(finding.file, locateOf(layers, finding.file), finding))
  const all = [...problems, ...named, ...findings]
  if ('book' in made && all.length === 0) return { ok: true, book: made.book, layers, files }
  return { ok: false, problems: all }
}

/** Named conditions are checked where they are written, also those that no rule uses yet. */
function conditionProblems({ path, written, locate }: LayerConditions, ground: Ground): readonly Problem[] {
  const findings: Finding[] = []
  for (const [name, condition] of Object.entries(written)) compileCondition(condition, ground, [name], findings)
  return findings.map((finding) => problemAt(path, locate, finding))
}
