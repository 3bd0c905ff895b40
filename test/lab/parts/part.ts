// A part of the lab: one program, or a pair, that can be brought up by itself with what it needs below it.
import type { Addresses } from '../addresses.ts'
import type { Binary } from '../binaries.ts'
import type { Ground } from '../ground.ts'

export interface Part {
  readonly needs: readonly string[]
  /** Parts that, where they are wanted too, begin before it. */
  readonly after?: readonly string[]
  readonly binaries: readonly Binary[]
  readonly what: string
  /** Resolves when it answers; what it tells is known to the parts above. */
  readonly start: (ground: Ground) => Promise<Addresses>
}

/** An address that a part below has told. */
export function told(addresses: Addresses, name: Exclude<keyof Addresses, 'alertmanagers' | 'debianAlertmanagers'>): string {
  const address = addresses[name]
  if (address === undefined) throw new Error(`no part of this lab tells ${name}`)
  return address
}
