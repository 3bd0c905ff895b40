// Careful reading of JSON that may be incomplete or odd: what does not fit is absent, and nothing throws.

/** The entries of a list; none when it is no list. */
export function each<T>(list: readonly T[] | null | undefined): readonly NonNullable<T>[] {
  return Array.isArray(list) ? list.filter((entry: T): entry is NonNullable<T> => entry !== null && entry !== undefined) : []
}

export const str = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
export const num = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
/** A count of a status: absent means none, as the API omits zero. */
export const tally = (value: unknown): number => Math.max(0, Math.trunc(num(value) ?? 0))

/** Milliseconds since the epoch of an RFC 3339 time. */
export function when(value: unknown): number | undefined {
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(parsed) ? undefined : parsed
}
/** Whole seconds between two moments; clocks that differ give 0, never a negative age. */
export const secondsBetween = (from: number, to: number): number => Math.max(0, Math.round((to - from) / 1_000))

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** One field of something that may have it. */
export const field = (value: unknown, key: string): unknown => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined)

/** Labels and annotations: only the text values, read without the prototype. */
export function lookup(map: unknown, key: string): string | undefined {
  return isRecord(map) && Object.hasOwn(map, key) && typeof map[key] === 'string' ? map[key] : undefined
}

/** Equal as JSON, whatever the order of keys; an absent field equals null and an empty list or map. */
export const sameJson = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)
function canonical(value: unknown): string {
  if (Array.isArray(value)) return value.length ? `[${value.map(canonical).join()}]` : 'null'
  if (!isRecord(value)) return JSON.stringify(value ?? null)
  const filled = Object.keys(value)
    .filter((key) => canonical(value[key]) !== 'null')
    .sort()
  return filled.length ? `{${filled.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}` : 'null'
}
