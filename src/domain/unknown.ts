// Unknown is a value: a fact that could not be read is never zero, never false.

/** A fact, or a part of one, that could not be read. Plain data, so that evidence can be stored and replayed. */
export interface Unknown {
  readonly unknown: string
}

export const unknown = (why: string): Unknown => ({ unknown: why })

export const isUnknown = (value: unknown): value is Unknown => typeof value === 'object' && value !== null && 'unknown' in value && typeof value.unknown === 'string'
