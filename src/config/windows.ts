// Maintenance windows: single ones and weekly ones, as the moments that gates compare with.
import type { Policy } from '../domain/policy.ts'
import type { Config } from './schema.ts'

type Window = Config['actions']['maintenance'][number]
type Weekly = Extract<Window, { days: readonly string[] }>
type Moments = Policy['maintenance'][number]

const DAY_MS = 86_400_000
/** The epoch began on a Thursday. */
const DAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const

const timeOfDay = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return (hours * 60 + minutes) * 60_000
}

function onDay({ days, from, to, why }: Weekly, day: number): readonly Moments[] {
  const name = DAYS[((day % 7) + 7) % 7]
  if (!days.some((wanted) => wanted === name)) return []
  const begins = day * DAY_MS + timeOfDay(from)
  const ends = day * DAY_MS + timeOfDay(to)
  return [{ from: begins, to: ends > begins ? ends : ends + DAY_MS, why }]
}

/** All windows that are open within the span around now; weekly ones repeat in UTC. */
export function windowsAround(windows: readonly Window[], now: number, spanMs: number): Policy['maintenance'] {
  const today = Math.floor(now / DAY_MS)
  const days = Array.from({ length: Math.ceil(spanMs / DAY_MS) + 2 }, (_, place) => today - 1 + place)
  const all = windows.flatMap((window): readonly Moments[] =>
    'days' in window ? days.flatMap((day) => onDay(window, day)) : [{ from: Date.parse(window.from), to: Date.parse(window.to), why: window.why }],
  )
  return all.filter(({ from, to }) => to > now && from < now + spanMs)
}
