// Label matchers as Alertmanager's API takes them: `alertname="X"`, `severity!="info"`, `pod=~"web-.*"`.
import * as z from 'zod'
import type { Labels } from '../../domain/alert.ts'

export const matcherSchema = z.object({ name: z.string().min(1), value: z.string(), isRegex: z.boolean().default(false), isEqual: z.boolean().default(true) })
export type Matcher = z.output<typeof matcherSchema>

const WRITTEN = /^\s*"?([a-zA-Z_][a-zA-Z0-9_.]*)"?\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{},]*?))\s*$/

/** undefined when it is no matcher. */
export function parseMatcher(text: string): Matcher | undefined {
  const found = WRITTEN.exec(text.replace(/^\{|\}$/g, ''))
  if (!found) return undefined
  const [, name = '', operator = '=', quoted, bare = ''] = found
  const value = quoted === undefined ? bare : quoted.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
  const isRegex = operator.endsWith('~')
  return isRegex && !isPattern(value) ? undefined : { name, value, isRegex, isEqual: !operator.startsWith('!') }
}
function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}

/** A label that is not there counts as empty. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every(({ name, value, isRegex, isEqual }) => {
    const found = labels[name] ?? ''
    return (isRegex ? new RegExp(`^(?:${value})$`).test(found) : found === value) === isEqual
  })
}
