// `alerts-slm rules lint`: what keeps rules from loading, and what loads but cannot be meant, each with its line and a caret.
import { CATALOGUES } from '../edges.ts'
import { lint } from '../rulebook/lint.ts'
import { type Problem, renderProblem } from '../rulebook/problem.ts'
import { paint, print, printJson } from './output.ts'
import { isSelected, type RuleOptions, selections } from './rule-folders.ts'

/** Errors anywhere keep the book from loading; warnings only where they were asked for. */
export async function lintRules(paths: readonly string[], options: RuleOptions & { readonly json?: boolean }): Promise<void> {
  const problems: Problem[] = []
  const sources = new Map<string, string>()
  for (const selection of await selections(paths, options)) {
    const linted = await lint(selection.layers, CATALOGUES)
    problems.push(...linted.problems.filter((problem) => problem.severity === 'error' || isSelected(problem.file, selection)))
    for (const [file, text] of linted.sources) sources.set(file, text)
  }
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (options.json) printJson({ ok: errors === 0, errors, warnings: problems.length - errors, problems })
  else report(problems, sources, errors)
  if (errors > 0) process.exitCode = 1
}

function report(problems: readonly Problem[], sources: ReadonlyMap<string, string>, errors: number): void {
  for (const problem of problems)
    print(renderProblem(problem, sources.get(problem.file)).replace(/: (error|warning): /, (word) => paint(word.includes('error') ? 'red' : 'yellow', word)))
  print(problems.length === 0 ? paint('green', 'no problems') : `\n${counted(errors, 'error')}, ${counted(problems.length - errors, 'warning')}`)
}
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
