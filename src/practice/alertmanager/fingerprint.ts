// Alertmanager's fingerprint of a label set: FNV-1a over the sorted names and values, so that peers and restarts agree.
import type { Labels } from '../../domain/alert.ts'

const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n
const SEPARATOR = 0xff
const bytes = new TextEncoder()

export function fingerprint(labels: Labels): string {
  let hash = OFFSET
  const add = (byte: number): void => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME)
  }
  for (const name of Object.keys(labels).sort()) {
    for (const part of [name, labels[name] ?? '']) {
      bytes.encode(part).forEach(add)
      add(SEPARATOR)
    }
  }
  return hash.toString(16).padStart(16, '0')
}
