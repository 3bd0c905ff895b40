// JSON written as YAML that people like to read. Only for reading: whatever might be taken for something else is quoted.
import type { Json } from '../domain/json.ts'

// No leading sign, digit or indicator, nothing that YAML takes for a comment, a mapping or a document's end.
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./@=-]*$/
const TAKEN = /^(?:true|false|null|yes|no|on|off|y|n)$/i

const scalar = (value: Json): string => (typeof value === 'string' && PLAIN.test(value) && !TAKEN.test(value) ? value : JSON.stringify(value))
const isEmpty = (value: object): boolean => Object.keys(value).length === 0

/** Ends without a newline. */
export function asYaml(value: Json, indent = ''): string {
  if (typeof value !== 'object' || value === null) return scalar(value)
  if (isEmpty(value)) return Array.isArray(value) ? '[]' : '{}'
  const inner = `${indent}  `
  if (Array.isArray(value)) return value.map((item: Json) => `${indent}- ${asYaml(item, inner).trimStart()}`).join('\n')
  return Object.entries(value)
    .map(([key, item]) => `${indent}${scalar(key)}:${nested(item) ? `\n${asYaml(item, inner)}` : ` ${asYaml(item)}`}`)
    .join('\n')
}
const nested = (value: Json): boolean => typeof value === 'object' && value !== null && !isEmpty(value)
