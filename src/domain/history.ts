// What earlier cases tell, as gates and facts read it. rooms/record implements it over libSQL; folders over history.json.
import type { Outcome } from './outcome.ts'

export interface Attempt {
  readonly at: number
  readonly caseId: string
  readonly alert: string
  /** `ownerKey` of the top owner. */
  readonly owner: string
  readonly rule: string | undefined
  readonly action: string
  /** Of a value that can be moved both ways (replicas, memory); undefined for everything else. */
  readonly direction: 'up' | 'down' | undefined
  /** undefined while it is still being verified. */
  readonly outcome: Outcome | undefined
}

/** Attempts are committed intents: cases that only told or observed are none. Newest first. */
export interface Attempts {
  forOwner(owner: string, sinceMs: number): readonly Attempt[]
  forRule(rule: string, sinceMs: number): readonly Attempt[]
  inNamespace(sinceMs: number): readonly Attempt[]
}

export interface AlertCounts {
  /** Episodes of this alert name on this owner that began since then, the present one included. */
  episodes(alert: string, owner: string, sinceMs: number): number
}
