// Label matchers as Alertmanager writes them: `severity=~"warning|critical"`, `team!="db"`. Regular expressions run in linear time.
import { RE2JS } from 're2js'
import type { Labels } from '../../domain/alert.ts'

export interface LabelMatcher {
  /** As it was written: people read it in the reason. */
  readonly text: string
  readonly matches: (labels: Labels) => boolean
}

const MATCHER = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))\s*$/

/** Undefined when it is no matcher, or its regular expression does not compile. A missing label is the empty text, as in Prometheus. */
export function parseMatcher(text: string): LabelMatcher | undefined {
  const [, label = '', operator = '', quoted, bare = ''] = MATCHER.exec(text) ?? []
  if (label === '') return undefined
  const value = quoted?.replace(/\\(.)/g, '$1') ?? bare
  const test = operator.endsWith('~') ? anchored(value) : (found: string) => found === value
  if (!test) return undefined
  const wanted = !operator.startsWith('!')
  return { text: text.trim(), matches: (labels) => test(Object.hasOwn(labels, label) ? (labels[label] ?? '') : '') === wanted }
}

function anchored(expression: string): ((text: string) => boolean) | undefined {
  try {
    const compiled = RE2JS.compile(`^(?:${expression})$`, RE2JS.DOTALL)
    return (text) => compiled.matches(text)
  } catch {
    return undefined
  }
}
