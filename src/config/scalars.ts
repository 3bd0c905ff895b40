// Scalars of the configuration as people write them, and the numbers that the program reads: durations in ms, quantities in bytes.
import * as z from 'zod'
import { parseDuration } from '../domain/duration.ts'
import { parseQuantity } from '../domain/quantity.ts'

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]
/** Exact, unlike the text for people: what is printed is read back as the same number. */
function writeDuration(milliseconds: number): string {
  let rest = milliseconds
  const parts = UNITS.map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count > 0 ? `${count}${unit}` : ''
  })
  return parts.join('') || '0s'
}

const BYTES: readonly (readonly [string, number])[] = [
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
]
const writeBytes = (bytes: number): string => {
  const unit = BYTES.find(([, size]) => bytes > 0 && bytes % size === 0)
  return unit ? `${bytes / unit[1]}${unit[0]}` : String(bytes)
}

const DURATION = 'must be a duration such as 90s, 5m or 1h30m'
/** `90s`, `5m`, `1h30m`, at least so long. */
export const duration = (least = '0s') => {
  const min = parseDuration(least) ?? 0
  return z.codec(z.string(DURATION).regex(/^\s*(?:0|(?:\d+(?:ms|[smhdwy]))+)\s*$/, DURATION), z.int().min(min, `must be at least ${least}`), {
    decode: (text) => parseDuration(text) ?? Number.NaN,
    encode: writeDuration,
  })
}

const QUANTITY = z.string().regex(/^\s*\+?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+|[kMGTPE]i?|Ki)?\s*$/, 'must be a quantity such as 512Mi or 1Gi')

/** `512Mi`, `1.5Gi`, `1000000`. */
export const bytes = () =>
  z.codec(z.union([QUANTITY, z.number()]), z.number().positive(), {
    decode: (written) => parseQuantity(written) ?? Number.NaN,
    encode: writeBytes,
  })

/** Never printed. The mark goes into the JSON schema, from which printing follows. */
export const secret = () => z.string().min(1).meta({ writeOnly: true })
export const path = () => z.string().min(1)
export const port = () => z.int().min(0).max(65_535)
export const url = (...schemes: readonly string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.replace(':', '')),
      `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    )
/** RFC 3339 with its zone: a time without one means another moment on another machine. */
export const moment = () => z.iso.datetime({ offset: true, message: 'must be a time such as 2026-01-15T22:00:00Z' })

/** At most one of the two: a secret and the file that holds it. */
export const notBoth =
  (...names: readonly string[]) =>
  (value: object): boolean =>
    Object.keys(value).filter((name) => names.includes(name)).length <= 1
export const bothMessage = (...names: readonly string[]) => ({ message: `give exactly one of ${names.join(' and ')}` })
