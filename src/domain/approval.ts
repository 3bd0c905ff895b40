// A person's yes to one exact plan. A plan that came out differently when it was made anew needs a new one.
export interface Approval {
  /** `planHash` of the plan that was shown. */
  readonly planHash: string
  /** Who said yes: never a rule, a model or this program. */
  readonly by: string
  readonly at: number
}
