// Room 1 of 10, a pipeline stage: is this delivery a new matter, one that is known, or none of ours? Pure: what is known comes in as a value.
import type { Alert } from '../../domain/alert.ts'
import { severity } from '../../domain/alert.ts'
import type { CaseId } from '../../domain/case-file.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { LabelMatcher } from './matcher.ts'

/** The label that our own notifications in Alertmanager carry. */
const OWN_LABEL = 'alerts_slm_case'

/** What is remembered of a fingerprint: its latest episode. */
export interface Known {
  readonly fingerprint: string
  /** Of the episode's first delivery. */
  readonly startsAt: number
  /** When we last heard that it fires, ms. */
  readonly lastSeenAt: number
  /** Its end, where we have heard of it. */
  readonly resolvedAt?: number
  /** The latest case of the episode. */
  readonly caseId: CaseId
  readonly caseOpen: boolean
  /** How that case ended. */
  readonly outcome?: Outcome
  /** When that case was opened. */
  readonly openedAt: number
}

/** Undefined lets everything pass. */
export interface ScreenRules {
  readonly severities?: readonly string[]
  readonly namespaces?: readonly string[]
  /** All must match. */
  readonly matchers?: readonly LabelMatcher[]
  /** After this long a repeat of a matter that we did not mend opens a case again. */
  readonly reconsiderMs: number
}

export type Screened =
  /** One of our own notifications came back. */
  | { readonly kind: 'own' }
  | { readonly kind: 'filtered'; readonly why: string }
  /** The first we hear of an episode. */
  | { readonly kind: 'new' }
  /** A known episode whose last case ended without mending it, some time ago. */
  | { readonly kind: 'reopen'; readonly formerCase: CaseId }
  | { readonly kind: 'repeat'; readonly caseId: CaseId }
  /** The end of the known episode. */
  | { readonly kind: 'resolved'; readonly caseId: CaseId; readonly resolvedAt: number }
  /** The end of an episode that is not the one we know: an older one, delivered late. */
  | { readonly kind: 'stale'; readonly caseId: CaseId }
  /** The end of an episode that we never saw begin. */
  | { readonly kind: 'unknown-resolved' }

/** Endings after which a matter that keeps firing deserves a second look. Fixed, undone and observed ones are only counted. */
const RECONSIDERED: ReadonlySet<Outcome> = new Set(['refused', 'told', 'cancelled', 'failed', 'unproven'])

export function screen(alert: Alert, known: Known | undefined, rules: ScreenRules, now: number): Screened {
  if (Object.hasOwn(alert.labels, OWN_LABEL)) return { kind: 'own' }
  if (alert.status === 'resolved') return known ? ending(alert, known, now) : { kind: 'unknown-resolved' }
  const why = filtered(alert, rules)
  // An end is never filtered: narrower filters after a reload must not keep a known episode open for ever.
  if (why !== undefined) return { kind: 'filtered', why }
  if (!known) return { kind: 'new' }
  return known.resolvedAt === undefined ? within(alert, known, rules, now) : afterEnd(alert, known, known.resolvedAt, rules, now)
}

function filtered(alert: Alert, rules: ScreenRules): string | undefined {
  const grade = severity(alert)
  if (rules.severities && !rules.severities.includes(grade)) return `severity ${grade} is not among ${rules.severities.join(', ')}`
  const namespace = alert.labels['exported_namespace'] ?? alert.labels['namespace']
  if (rules.namespaces && namespace !== undefined && !rules.namespaces.includes(namespace)) return `namespace ${namespace} is not among ${rules.namespaces.join(', ')}`
  const missed = rules.matchers?.find((matcher) => !matcher.matches(alert.labels))
  return missed && `the labels do not match ${missed.text}`
}

/** Of an episode that is still open: two Prometheus replicas move startsAt back and forth, but never beyond our last sight of it. */
function within(alert: Alert, known: Known, rules: ScreenRules, now: number): Screened {
  if (alert.startsAt > known.lastSeenAt) return { kind: 'new' }
  const due = !known.caseOpen && known.outcome !== undefined && RECONSIDERED.has(known.outcome) && now - known.openedAt >= rules.reconsiderMs
  return due ? { kind: 'reopen', formerCase: known.caseId } : { kind: 'repeat', caseId: known.caseId }
}

/**
 * Firing after the end. A later start is a new episode. An old start is a delivery that came late, from the other
 * peer; but one that still comes long after the end fires in truth: Prometheus was away, Alertmanager called it resolved, and it went on.
 */
function afterEnd(alert: Alert, known: Known, resolvedAt: number, rules: ScreenRules, now: number): Screened {
  if (alert.startsAt > resolvedAt) return { kind: 'new' }
  return !known.caseOpen && now - resolvedAt >= rules.reconsiderMs ? { kind: 'reopen', formerCase: known.caseId } : { kind: 'repeat', caseId: known.caseId }
}

function ending(alert: Alert, known: Known, now: number): Screened {
  const endsAt = alert.endsAt ?? now
  if (known.resolvedAt === undefined) return endsAt < known.startsAt ? { kind: 'stale', caseId: known.caseId } : { kind: 'resolved', caseId: known.caseId, resolvedAt: endsAt }
  if (alert.startsAt > known.resolvedAt) return { kind: 'unknown-resolved' }
  return endsAt < known.startsAt ? { kind: 'stale', caseId: known.caseId } : { kind: 'repeat', caseId: known.caseId }
}

/**
 * What is known after this delivery; `caseId` is the case that takes a new or reopened matter. How that case goes on
 * (`caseOpen`, `outcome`) is for the one who walks it to tell.
 */
export function remember(alert: Alert, known: Known | undefined, screened: Screened, caseId: CaseId, now: number): Known | undefined {
  if (screened.kind === 'new') return { fingerprint: alert.fingerprint, startsAt: alert.startsAt, lastSeenAt: now, caseId, caseOpen: true, openedAt: now }
  if (!known) return undefined
  if (screened.kind === 'reopen') return { fingerprint: known.fingerprint, startsAt: known.startsAt, lastSeenAt: now, caseId, caseOpen: true, openedAt: now }
  if (screened.kind === 'repeat' && alert.status === 'firing') return { ...known, lastSeenAt: Math.max(known.lastSeenAt, now) }
  return screened.kind === 'resolved' ? { ...known, resolvedAt: screened.resolvedAt } : known
}
