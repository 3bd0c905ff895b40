// Something wrong in a rule file, with the place where it stands: for people with the line and a caret, for programs as data.

export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** From 1; 0 when the place is not known (the compiled library, a file that is missing). */
  readonly line: number
  readonly column: number
  /** Place within the document: `rules.0.when.path`. */
  readonly path: string
  readonly message: string
  readonly hint?: string
}

/** `file:line:column: error: message`, the line itself and a caret below it. */
export function renderProblem(problem: Problem, source?: string): string {
  const { file, line, column, severity, message, hint, path } = problem
  const place = line > 0 ? `${file}:${line}:${column}` : path ? `${file}: ${path}` : file
  const shown = line > 0 && source !== undefined ? source.split(/\r?\n/)[line - 1] : undefined
  const margin = `${line}`.padStart(5)
  const excerpt = shown === undefined ? [] : [`${margin} | ${visible(shown)}`, `${' '.repeat(5)} | ${' '.repeat(Math.max(0, Math.min(column, WIDTH) - 1))}^`]
  return [`${place}: ${severity}: ${visible(message)}`, ...excerpt, ...(hint ? [`      ${visible(hint)}`] : [])].join('\n')
}

const WIDTH = 200
/** Rule files are written by tenants and read in terminals. */
const visible = (text: string): string => text.slice(0, WIDTH * 4).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')

export function renderProblems(problems: readonly Problem[], sources: ReadonlyMap<string, string> = new Map()): string {
  return problems.map((problem) => renderProblem(problem, sources.get(problem.file))).join('\n')
}
