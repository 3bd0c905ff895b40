// What diagnostics may show of an object, and how much in all: no environment values, no bookkeeping, bounded, redacted.
import type { Json, JsonObject } from '../domain/json.ts'
import type { Artefact } from '../domain/plan.ts'
import { redact } from '../domain/redaction.ts'
import { asJson } from './json-copy.ts'
import { asYaml } from './yaml-text.ts'

/** Of all artefacts of a case together. */
const MOST_BYTES = 64 * 1024

const HIDDEN = ['managedFields', 'kubectl.kubernetes.io/last-applied-configuration']
const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Environment variables keep their names: which are set is often the point, what they hold never is. */
function shown(value: Json, key = ''): Json {
  if (Array.isArray(value)) return value.map((item: Json) => (key === 'env' && isObject(item) && 'value' in item ? { ...item, value: '(not shown)' } : shown(item)))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !HIDDEN.includes(name))
      .map(([name, inner]) => [name, shown(inner, name)]),
  )
}

export const describeObject = (object: object): string => asYaml(shown(asJson(object)))

const bytes = (text: string): number => new TextEncoder().encode(text).length

/** The first or last lines that fit; a line says what is missing. */
function cut(text: string, most: number, keep: 'first' | 'last'): string {
  if (bytes(text) <= most) return text
  const lines = text.split('\n')
  const kept: string[] = []
  let left = most - 40
  while (lines.length > 0) {
    const line = (keep === 'first' ? lines.shift() : lines.pop()) ?? ''
    left -= bytes(line) + 1
    if (left < 0) break
    kept.push(line)
  }
  const note = '(cut here: there was more)'
  return keep === 'first' ? [...kept, note].join('\n') : [note, ...kept.toReversed()].join('\n')
}

export interface Section {
  readonly name: string
  readonly mediaType: Artefact['mediaType']
  readonly text: string
  /** Its share of the whole. */
  readonly most: number
  readonly keep: 'first' | 'last'
}

/** Redacted before it is cut, so that half a secret at the edge cannot slip through. */
export function artefacts(sections: readonly Section[]): readonly Artefact[] {
  let left = MOST_BYTES
  return sections.flatMap(({ name, mediaType, text, most, keep }) => {
    if (text.trim() === '' || left < 256) return []
    const kept = cut(redact(text), Math.min(most, left), keep)
    left -= bytes(kept)
    return [{ name, mediaType, text: kept }]
  })
}
