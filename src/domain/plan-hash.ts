// The identity of a plan: what a person approves and what the ledger remembers. It names a plan, it does not protect it:
// whoever could forge one could write to the history itself.
import type { Plan, Step } from './plan.ts'

/** Set to the moment of planning, so it differs each time although the plan is the same. */
const MOMENT = 'kubectl.kubernetes.io/restartedAt'
const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n
const MASK = 0xffffffffffffffffn

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

/** 64-bit FNV-1a over the bytes, as 16 hexadecimal digits. */
export function fnv1a64(text: string): string {
  let hash = OFFSET
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK
  return hash.toString(16).padStart(16, '0')
}

/** Stable over action, parameters, the object's uid and the steps; the same plan made again later has the same hash. */
export const planHash = (plan: Pick<Plan, 'action' | 'parameters' | 'object' | 'steps'>): string =>
  fnv1a64(canonical({ action: plan.action, parameters: plan.parameters, uid: plan.object.uid, steps: plan.steps.map(bare) }))
