// `alerts-slm rules test`: runs the tests that lie beside rules, and names rules that no test lets hit or nearly hit.
import { existsSync } from 'node:fs'
import { Fault } from '../domain/fault.ts'
import { CATALOGUES } from '../edges.ts'
import { FACTS } from '../facts/catalogue.ts'
import { locate } from '../rooms/locate/locate.ts'
import { type LayerPaths, type LoadedBook, loadBook } from '../rulebook/load.ts'
import { renderProblems } from '../rulebook/problem.ts'
import { testFiles } from '../rulebook/read-layer.ts'
import type { TestFileProblem } from '../simulate/rule-test-file.ts'
import { type RuleTestResult, runRuleTests, type Uncovered, uncovered } from '../simulate/rule-tests.ts'
import { paint, print, printJson, printTable } from './output.ts'
import { isSelected, type RuleOptions, type Selection, selections } from './rule-folders.ts'

interface Tested {
  readonly results: readonly RuleTestResult[]
  readonly problems: readonly TestFileProblem[]
  readonly uncovered: readonly Uncovered[]
}

export async function testRules(paths: readonly string[], options: RuleOptions & { readonly json?: boolean }): Promise<void> {
  const runs: Tested[] = []
  for (const selection of await selections(paths, options)) runs.push(await run(selection))
  const tested: Tested = { results: runs.flatMap((one) => one.results), problems: runs.flatMap((one) => one.problems), uncovered: runs.flatMap((one) => one.uncovered) }
  if (tested.results.length + tested.problems.length === 0) throw new Fault('INPUT_INVALID', 'there is no test here: tests lie beside rules, as NAME.test.yaml beside NAME.yaml')
  const failed = tested.results.filter(({ passed }) => !passed)
  if (options.json) printJson(asJson(tested))
  else report(tested, failed)
  if (failed.length + tested.problems.length > 0) process.exitCode = 1
}

export async function bookOf(layers: LayerPaths): Promise<LoadedBook> {
  const loaded = await loadBook(layers, CATALOGUES)
  if (loaded.ok) return loaded
  throw new Fault('RULES_INVALID', renderProblems(loaded.problems, loaded.sources))
}

async function run(selection: Selection): Promise<Tested> {
  const { book, sources } = await bookOf(selection.layers)
  const found = await Promise.all(foldersOf(selection).map(testFiles))
  const files = [...new Set(found.flat())]
  const { results, problems } = await runRuleTests(files, { book, facts: FACTS, locate: (read, namespace) => locate({ read, namespace }) })
  const asked = { ...book, rules: book.rules.filter(({ file }) => sources.has(file) && isSelected(file, selection)) }
  return { results, problems, uncovered: uncovered(asked, results) }
}

/** A rule file is tested by the file beside it. */
function foldersOf({ layers, paths }: Selection): readonly string[] {
  const all = [layers.library, layers.operatorDir, layers.tenantDir].filter((folder) => folder !== undefined && !folder.endsWith('.json'))
  return (paths.length > 0 ? paths : all).flatMap((path) => (path === undefined ? [] : [path.replace(/(?<!\.test)(\.ya?ml)$/, '.test$1')])).filter((path) => existsSync(path))
}

const asJson = ({ results, problems, uncovered: missing }: Tested) => ({
  ok: problems.length === 0 && results.every(({ passed }) => passed),
  passed: results.filter(({ passed }) => passed).length,
  failed: results.filter(({ passed }) => !passed).length,
  tests: results.map(({ file, line, name, passed, differences }) => ({ file, line, name, passed, differences })),
  problems,
  uncovered: missing,
})

function report({ results, problems, uncovered: missing }: Tested, failed: readonly RuleTestResult[]): void {
  const files = [...new Set(results.map(({ file }) => file))]
  const of = (file: string, list: readonly RuleTestResult[]) => list.filter((one) => one.file === file).length
  printTable(
    ['FILE', 'TESTS', 'FAILED'],
    files.map((file) => [file, `${of(file, results)}`, of(file, failed) > 0 ? paint('red', `${of(file, failed)}`) : '0']),
  )
  for (const { file, line, message } of problems) print(`\n${paint('red', 'unreadable')} ${file}:${line}: ${message}`)
  for (const { file, line, name, differences } of failed) print(`\n${paint('red', 'failed')} ${file}:${line} ${name}${differences.map((each) => `\n    ${each}`).join('')}`)
  for (const { rule, file, missing: lacks } of missing) print(`\n${paint('yellow', 'not tested')} ${rule} (${file}): no test is a ${lacks}`)
  print(`\n${results.length - failed.length} of ${results.length} tests passed`)
}
