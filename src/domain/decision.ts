// What was decided, by whom, and why not otherwise.
import type { Json, JsonObject } from './json.ts'

export interface Decision {
  readonly by: 'rule' | 'model' | 'person'
  readonly rule: string | undefined
  readonly action: string
  readonly parameters: JsonObject
  readonly confidence: number
  readonly because: string
  /** How long the owner must be good, when the rule says otherwise than the policy. */
  readonly settleMs?: number
  /** Names of facts of the cluster (not of the alert's own labels) that the deciding conditions read and knew. */
  readonly evidence: readonly string[]
}

export type Truth = 'yes' | 'no' | 'unknown'

/** One node of a rule's condition tree, as evaluated. */
export interface ConditionSeen {
  readonly text: string
  readonly truth: Truth | 'not read'
  readonly found?: Json
  readonly unknown?: string
  readonly children?: readonly ConditionSeen[]
}

export interface RuleConsidered {
  readonly rule: string
  readonly file: string
  readonly action: string
  /** `not read`: an earlier rule had decided already. */
  readonly truth: Truth | 'not read'
  readonly conditions: ConditionSeen
}

export interface Explanation {
  readonly considered: readonly RuleConsidered[]
  readonly unknownFacts: readonly { readonly fact: string; readonly why: string }[]
  /** Hash of the book that judged. */
  readonly book: string
}

export type Judgement =
  | { readonly kind: 'act'; readonly decision: Decision; readonly explanation: Explanation }
  /** The rules cannot tell. `candidates` are the actions that may be asked for; notify_only is always meant. */
  | {
      readonly kind: 'ambiguous'
      readonly why: 'unknown' | 'conflict' | 'asked'
      readonly candidates: readonly string[]
      readonly because: string
      readonly explanation: Explanation
    }
  | { readonly kind: 'notify'; readonly because: string; readonly explanation: Explanation }
