// Reading fields of JSON whose shape nobody promised, and comparing and copying it.

export type Plain = { readonly [key: string]: unknown }
type Key = string | number

export const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a path, or undefined as soon as something on the way is missing. Only own fields count. */
export function at(value: unknown, ...path: readonly Key[]): unknown {
  let here = value
  for (const key of path) {
    if (Array.isArray(here) && typeof key === 'number') here = here[key]
    else if (isPlain(here) && Object.hasOwn(here, key)) here = here[key]
    else return undefined
  }
  return here
}
export function textAt(value: unknown, ...path: readonly Key[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : undefined
}
export function numberAt(value: unknown, ...path: readonly Key[]): number | undefined {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : undefined
}
export function listAt(value: unknown, ...path: readonly Key[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}
export function plainAt(value: unknown, ...path: readonly Key[]): Plain {
  const found = at(value, ...path)
  return isPlain(found) ? found : {}
}
export const textsAt = (value: unknown, ...path: readonly Key[]): readonly string[] => listAt(value, ...path).filter((item) => typeof item === 'string')
/** A map of texts, such as labels. */
export const mapAt = (value: unknown, ...path: readonly Key[]): Record<string, string> =>
  Object.fromEntries(Object.entries(plainAt(value, ...path)).flatMap(([key, item]) => (typeof item === 'string' ? [[key, item]] : [])))

/** A copy as JSON would carry it: fields that are undefined disappear. */
export function copyOf<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value))
}

/** Equal as JSON: the order of fields does not matter, and an undefined field is an absent one. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (!isPlain(a) || !isPlain(b)) return false
  const present = (value: Plain) => Object.keys(value).filter((key) => value[key] !== undefined)
  const keys = present(a)
  return keys.length === present(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
}

/** A copy with one field set, made where it is missing; undefined takes the field away. */
export function withField(value: unknown, path: readonly string[], field: unknown): Plain {
  const [key, ...rest] = path
  const plain = isPlain(value) ? value : {}
  if (key === undefined) return plain
  if (rest.length > 0) return { ...plain, [key]: withField(plain[key], rest, field) }
  const { [key]: _, ...others } = plain
  return field === undefined ? others : { ...plain, [key]: field }
}
