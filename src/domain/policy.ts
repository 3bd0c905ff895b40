// What is allowed here and now, as numbers and names. Configuration and the operator's ConfigMap both end in this shape.

/** Ordered: the lowest of all that apply wins. */
export const MODES = ['observe', 'approve', 'enforce'] as const
export type Mode = (typeof MODES)[number]
export const lowest = (...modes: readonly Mode[]): Mode => MODES[Math.min(MODES.length - 1, ...modes.map((m) => MODES.indexOf(m)))] ?? 'observe'

export interface Policy {
  readonly mode: Mode
  /** True stops every write at once. */
  readonly killSwitch: boolean
  /** When the policy was last confirmed at its source, ms; older than `confirmWithinMs` holds. */
  readonly confirmedAt: number
  readonly confirmWithinMs: number
  /** Action names that may be used; undefined allows the whole catalogue. */
  readonly allowedActions: readonly string[] | undefined
  readonly protected: { readonly labels: Readonly<Record<string, string>>; readonly names: readonly string[] }
  readonly limits: {
    readonly maxReplicas: number
    readonly maxMemoryBytes: number
    /** Largest share of a workload's pods that one plan may stop, 0..1. */
    readonly maxPodShare: number
  }
  readonly budget: {
    /** Writes per owner, per rule and per namespace within the window. */
    readonly perTarget: number
    readonly perRule: number
    readonly perNamespace: number
    readonly windowMs: number
  }
  readonly concurrentActions: number
  readonly cooldownMs: number
  /** This many ineffective attempts in a row end it. */
  readonly ineffectiveLimit: number
  /** Undone or reversed changes of one owner within the window that count as oscillation. */
  readonly oscillation: { readonly limit: number; readonly windowMs: number }
  readonly minConfidence: number
  /** Plans above this safety class ask a person although the mode is enforce. */
  readonly approveAbove: 'harmless' | 'reversible' | 'disruptive' | 'destructive'
  /** Times at which nothing is changed. */
  readonly maintenance: readonly { readonly from: number; readonly to: number; readonly why: string }[]
  readonly settleMs: number
  /** How long an object may take to become good before it is judged. */
  readonly verifyWithinMs: number
  readonly checkEveryMs: number
  /** How long a held case waits for people, a window or a lane before it is refused. */
  readonly holdMs: number
  readonly reconsiderMs: number
}
