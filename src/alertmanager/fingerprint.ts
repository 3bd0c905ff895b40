// Alertmanager's hash of a label set (prometheus/common, model.LabelSet.Fingerprint): FNV-1a of 64 bits over the sorted pairs.
import type { Labels } from '../domain/alert.ts'

const SEPARATOR = 0xff
const OFFSET = { high: 0xcbf29ce4, low: 0x84222325 }
/** The prime is 2^40 + 435, so a multiplication is one shift and one small product: no BigInt in a loop over bytes. */
const PRIME_LOW = 435
const encoder = new TextEncoder()

/** Go sorts strings by their bytes, JavaScript by UTF-16 units: they differ beyond the basic plane. */
const byBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)

export function fingerprint(labels: Labels): string {
  let { high, low } = OFFSET
  const add = (byte: number) => {
    const mixed = (low ^ byte) >>> 0
    const product = mixed * PRIME_LOW
    high = (high * PRIME_LOW + Math.floor(product / 2 ** 32) + ((mixed << 8) >>> 0)) >>> 0
    low = product >>> 0
  }
  const pairs = Object.entries(labels).map(([name, value]) => ({ name: encoder.encode(name), value: encoder.encode(value) }))
  for (const { name, value } of pairs.sort((a, b) => byBytes(a.name, b.name))) {
    for (const byte of name) add(byte)
    add(SEPARATOR)
    for (const byte of value) add(byte)
    add(SEPARATOR)
  }
  return hex(high) + hex(low)
}

const hex = (word: number): string => word.toString(16).padStart(8, '0')
