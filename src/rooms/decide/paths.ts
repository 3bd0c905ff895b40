// Plain dotted paths into facts: checked against the fact's schema when the book is compiled, own properties only when it is read.
import * as z from 'zod'
import type { Json } from '../../domain/json.ts'
import { isUnknown, type Unknown, unknown } from '../../domain/unknown.ts'

/** `missing`: what it means when the key is not there. A label that an alert does not have is absent; a field that was not filled is unknown. */
interface Stride {
  readonly key: string
  readonly missing: 'absent' | 'unknown'
}
export interface Path {
  /** Without `$.`, as people are shown. */
  readonly text: string
  readonly strides: readonly Stride[]
  /** What may stand at its end. */
  readonly ends: readonly z.core.$ZodType[]
}

/** `$.a.b`, `a.b` and `.a.b` mean the same; `$`, and none, the whole fact. */
const keysOf = (path: string | undefined): readonly string[] =>
  (path ?? '')
    .replace(/^\$/, '')
    .split('.')
    .filter((key, at) => key !== '' || at > 0)

/** The path through the schema, or a sentence why there is none. */
export function compilePath(schema: z.core.$ZodType, path: string | undefined): Path | { readonly problem: string; readonly known: readonly string[] } {
  let ends = shapesOf(schema)
  const strides: Stride[] = []
  for (const key of keysOf(path)) {
    const next = ends.flatMap((shape) => below(shape, key))
    if (next.length === 0) {
      const known = [...new Set(ends.flatMap((shape) => (shape instanceof z.core.$ZodObject ? Object.keys(shape._zod.def.shape) : [])))]
      const where = strides.map((stride) => stride.key).join('.')
      return { problem: known.length ? `there is no ${key} in ${where || 'it'}` : `there is nothing below ${where || 'it'}, so no ${key}`, known }
    }
    strides.push({ key, missing: next.every((found) => found.missing === 'absent') ? 'absent' : 'unknown' })
    ends = next.flatMap((found) => shapesOf(found.schema))
  }
  return { text: strides.map((stride) => stride.key).join('.'), strides, ends }
}

interface Below {
  readonly schema: z.core.$ZodType
  readonly missing: Stride['missing']
}
function below(shape: z.core.$ZodType, key: string): readonly Below[] {
  if (shape instanceof z.core.$ZodObject) {
    const fields = shape._zod.def.shape
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    return field ? [{ schema: field, missing: 'unknown' }] : []
  }
  if (shape instanceof z.core.$ZodRecord) return [{ schema: shape._zod.def.valueType, missing: 'absent' }]
  if (shape instanceof z.core.$ZodArray && /^\d+$/.test(key)) return [{ schema: shape._zod.def.element, missing: 'absent' }]
  return []
}

/** What a schema allows, without its wrappers; a part that may be Unknown adds nothing to look into. */
export function shapesOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.core.$ZodUnion) return schema._zod.def.options.filter((option) => !isUnknownShape(option)).flatMap(shapesOf)
  if (schema instanceof z.core.$ZodNullable) return [...shapesOf(schema._zod.def.innerType), z.null()]
  if (schema instanceof z.core.$ZodOptional || schema instanceof z.core.$ZodDefault || schema instanceof z.core.$ZodReadonly) return shapesOf(schema._zod.def.innerType)
  if (schema instanceof z.core.$ZodLazy) return shapesOf(schema._zod.def.getter())
  if (schema instanceof z.core.$ZodPipe) return shapesOf(schema._zod.def.out)
  return [schema]
}
const isUnknownShape = (schema: z.core.$ZodType): boolean => schema instanceof z.core.$ZodObject && Object.keys(schema._zod.def.shape).join() === 'unknown'

/** Below an absent value everything is absent; below an unknown one everything is unknown for the same reason. */
export function readPath(value: Json | Unknown | undefined, path: Path): Json | Unknown {
  let at: unknown = value
  for (const { key, missing } of path.strides) {
    if (at === null || isUnknown(at)) break
    if (typeof at !== 'object' || !Object.hasOwn(at, key)) at = missing === 'absent' ? null : undefined
    else at = Reflect.get(at, key)
    if (at === undefined) return unknown(`nothing at ${path.text}`)
  }
  return isJsonOrUnknown(at) ? at : unknown(path.text ? `nothing at ${path.text}` : 'it was not read')
}
/** Facts are JSON by contract; only what is not there at all has to be told apart. */
const isJsonOrUnknown = (value: unknown): value is Json | Unknown => value !== undefined
