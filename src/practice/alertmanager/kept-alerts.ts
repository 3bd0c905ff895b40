// The alerts that a small Alertmanager knows, and what mutes them: posted alerts are merged by fingerprint, silences and inhibition rules kept beside.
import * as z from 'zod'
import type { Labels } from '../../domain/alert.ts'
import type { Clock } from '../../domain/ports.ts'
import { fingerprint } from './fingerprint.ts'
import { type Matcher, matcherSchema, matches } from './matchers.ts'

const labelSet = z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'is no label name'), z.string())
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
/** The zero time means "not given", as everywhere in Alertmanager. */
const optionalTime = time.optional().transform((ms) => (ms === undefined || ms <= 0 ? undefined : ms))

export const postedSchema = z.array(
  z
    .object({
      labels: labelSet.refine((labels) => Object.values(labels).some((value) => value !== ''), 'at least one label pair required'),
      annotations: z.record(z.string(), z.string()).default({}),
      startsAt: optionalTime,
      endsAt: optionalTime,
      generatorURL: z.string().default(''),
    })
    .refine(({ startsAt, endsAt }) => startsAt === undefined || endsAt === undefined || startsAt <= endsAt, 'start time must be before end time'),
)
export type Posted = z.output<typeof postedSchema>[number]

export interface Kept {
  readonly fingerprint: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: number
  readonly endsAt: number
  readonly updatedAt: number
  readonly generatorURL: string
}
export const isResolved = (alert: Kept, now: number): boolean => alert.endsAt <= now

export const silenceSchema = z.object({
  matchers: z.array(matcherSchema).min(1),
  startsAt: time,
  endsAt: time,
  createdBy: z.string(),
  comment: z.string(),
  id: z.string().exactOptional(),
})
export interface Silence extends Omit<z.output<typeof silenceSchema>, 'id'> {
  readonly id: string
  readonly updatedAt: number
}
export interface InhibitRule {
  readonly source: readonly Matcher[]
  readonly target: readonly Matcher[]
  readonly equal: readonly string[]
}
export interface Muted {
  readonly silencedBy: readonly string[]
  readonly inhibitedBy: readonly string[]
}

interface Settings {
  readonly clock: Clock
  readonly resolveTimeoutMs: number
  readonly inhibitRules: readonly InhibitRule[]
}

export class KeptAlerts {
  readonly #alerts = new Map<string, Kept>()
  readonly #silences = new Map<string, Silence>()
  readonly #settings: Settings
  #ids = 0

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Takes an alert; a repeat of one that fires keeps its first start, one that had ended begins anew. */
  take(posted: Posted): Kept {
    const now = this.#settings.clock.now()
    const key = fingerprint(posted.labels)
    const before = this.#alerts.get(key)
    const endsAt = posted.endsAt ?? now + this.#settings.resolveTimeoutMs
    const startsAt = posted.startsAt ?? Math.min(now, endsAt)
    const goesOn = before !== undefined && before.endsAt > startsAt
    const { labels, annotations, generatorURL } = posted
    const kept: Kept = { fingerprint: key, labels, annotations, generatorURL, startsAt: goesOn ? Math.min(before.startsAt, startsAt) : startsAt, endsAt, updatedAt: now }
    this.#alerts.set(key, kept)
    return kept
  }
  get(key: string): Kept | undefined {
    return this.#alerts.get(key)
  }
  /** What fires now; what has ended is forgotten here (its group still tells of it). */
  firing(): readonly Kept[] {
    const now = this.#settings.clock.now()
    return [...this.#alerts.values()].filter((alert) => !isResolved(alert, now))
  }
  mutedBy(alert: Kept): Muted {
    const now = this.#settings.clock.now()
    const silencedBy = [...this.#silences.values()].filter((s) => s.startsAt <= now && now < s.endsAt && matches(s.matchers, alert.labels)).map(({ id }) => id)
    return { silencedBy, inhibitedBy: this.#inhibitors(alert) }
  }
  #inhibitors(alert: Kept): readonly string[] {
    const rules = this.#settings.inhibitRules.filter(({ target }) => matches(target, alert.labels))
    const same = (rule: InhibitRule, other: Kept): boolean => rule.equal.every((name) => (other.labels[name] ?? '') === (alert.labels[name] ?? ''))
    // An alert that matches both sides does not mute itself.
    return rules.flatMap((rule) =>
      this.firing()
        .filter((other) => other !== alert && matches(rule.source, other.labels) && !matches(rule.target, other.labels) && same(rule, other))
        .map((other) => other.fingerprint),
    )
  }

  silence(wanted: z.output<typeof silenceSchema>): string {
    const { id: given, ...rest } = wanted
    const id = given !== undefined && this.#silences.has(given) ? given : `00000000-0000-4000-9000-${(++this.#ids).toString(16).padStart(12, '0')}`
    this.#silences.set(id, { ...rest, id, updatedAt: this.#settings.clock.now() })
    return id
  }
  silences(): readonly Silence[] {
    return [...this.#silences.values()]
  }
  /** Ends a silence; false when there is none of that id. */
  expire(id: string): boolean {
    const silence = this.#silences.get(id)
    if (!silence) return false
    const now = this.#settings.clock.now()
    this.#silences.set(id, { ...silence, endsAt: Math.min(silence.endsAt, now), updatedAt: now })
    return true
  }
}
