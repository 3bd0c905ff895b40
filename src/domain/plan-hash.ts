// The identity of a plan: what a person approves and what the ledger remembers. It names a plan, it does not protect it:
// whoever could forge one could write to the history itself.
import type { Plan, Step } from './plan.ts'

/** Set to the moment of planning, so it differs each time although the plan is the same. */
const MOMENT = 'kubectl.kubernetes.io/restartedAt'
/** Offset basis and prime of 64-bit FNV-1a, the basis in two halves; the prime is 2^40 + 0x1b3. */
const OFFSET = { high: 0xcbf29ce4, low: 0x84222325 }
const PRIME_LOW = 0x1b3
const WORD = 2 ** 32

/** JSON with sorted keys and without moments: equal values give equal text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, v]) => `${JSON.stringify(key)}:${key === MOMENT ? '"(moment)"' : canonical(v)}`).join(',')}}`
}

const isMoment = (path: string): boolean => path.endsWith('/kubectl.kubernetes.io~1restartedAt')

/** A step without its words for people and without the moment that an annotation is set to. */
function bare(step: Step): object {
  const { why: _why, ...rest } = step
  if (rest.kind !== 'patch') return rest
  return { ...rest, ops: rest.ops.map((op) => (op.op !== 'remove' && op.op !== 'test' && isMoment(op.path) ? { ...op, value: '(moment)' } : op)) }
}

/** 64-bit FNV-1a over the bytes, as 16 hexadecimal digits. In halves: BigInt takes a millisecond for a pod template, and plans hold two. */
export function fnv1a64(text: string): string {
  let { high, low } = OFFSET
  for (const byte of new TextEncoder().encode(text)) {
    low = (low ^ byte) >>> 0
    const product = low * PRIME_LOW
    high = (high * PRIME_LOW + Math.floor(product / WORD) + ((low << 8) >>> 0)) % WORD
    low = product % WORD
  }
  const digits = (half: number) => half.toString(16).padStart(8, '0')
  return digits(high) + digits(low)
}

/** A plan does not change, and it is asked for its hash at every gate and commit. */
const known = new WeakMap<object, string>()

/** Stable over action, parameters, the object's uid and the steps; the same plan made again later has the same hash. */
export function planHash(plan: Pick<Plan, 'action' | 'parameters' | 'object' | 'steps'>): string {
  const held = known.get(plan)
  if (held !== undefined) return held
  const hash = fnv1a64(canonical({ action: plan.action, parameters: plan.parameters, uid: plan.object.uid, steps: plan.steps.map(bare) }))
  known.set(plan, hash)
  return hash
}
