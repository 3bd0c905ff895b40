// Times as Go writes them: RFC 3339, up to nanoseconds, with an offset. Date.parse alone would also take `2026` and `Nov 5`.
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Go's zero time: `not set`. */
export const ZERO_TIME = -62_135_596_800_000

/** Milliseconds since the epoch, finer parts cut off; undefined when it is not a time. */
export function parseTime(text: string): number | undefined {
  const found = RFC3339.exec(text)
  if (!found) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number)
  const offset = offsetMinutes(found[8], Number(found[9] ?? 0), Number(found[10] ?? 0))
  if (hour > 23 || minute > 59 || second > 59 || offset === undefined) return undefined
  // setUTCFullYear, because Date.UTC reads the years 0 to 99 as 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // A day that the month does not have rolls over: February 30th is no time.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const fraction = Number((found[7] ?? '').slice(0, 3).padEnd(3, '0'))
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1_000 + fraction
}

function offsetMinutes(sign: string | undefined, hours: number, minutes: number): number | undefined {
  if (hours > 23 || minutes > 59) return undefined
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes)
}
