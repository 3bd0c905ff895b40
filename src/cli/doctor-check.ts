// One finding of the doctor: what was looked at, how it is, and what to do where it is not well.

/** `note`: nothing is wrong, and somebody may want to know; `warn`: it works, and less than it could. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'note' | 'warn' | 'wrong'
  readonly says: string
  readonly remedy?: string
  /** Verbs and resources, where it is about rights. */
  readonly missing?: readonly string[]
}

export const ok = (name: string, says: string): Check => ({ name, state: 'ok', says })
export const note = (name: string, says: string, remedy?: string): Check => ({ name, state: 'note', says, ...(remedy !== undefined && { remedy }) })
export const warn = (name: string, says: string, remedy: string): Check => ({ name, state: 'warn', says, remedy })
export const wrong = (name: string, says: string, remedy: string): Check => ({ name, state: 'wrong', says, remedy })
