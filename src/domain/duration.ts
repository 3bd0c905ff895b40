// Durations as Prometheus writes them: `90s`, `5m`, `1h30m`, `7d`, `250ms`, `2w`, `1y`.
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }
const DURATION = /^(?:\d+(?:ms|[smhdwy]))+$/

/** Milliseconds; undefined when it is not a duration. `0` is allowed without a unit. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === '0') return 0
  if (!DURATION.test(trimmed)) return undefined
  return [...trimmed.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0)
}

/** The two largest units that matter, for people: `1h30m`, `45s`, `1.5s`, `350ms`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.max(0, Math.round(milliseconds))}ms`
  if (milliseconds < 10_000) return `${Number((milliseconds / 1_000).toFixed(1))}s`
  let rest = Math.round(milliseconds / 1_000) * 1_000
  const parts: string[] = []
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNIT_MS[unit] ?? 1
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count}${unit}`)
  }
  return parts.slice(0, 2).join('')
}
