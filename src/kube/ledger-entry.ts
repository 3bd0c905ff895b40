// One entry of the ledger, as it lies in the ConfigMap: the attempt, and what would undo it.
import * as z from 'zod'
import { Fault } from '../domain/fault.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { Step } from '../domain/plan.ts'

export interface LedgerEntry {
  readonly caseId: string
  /** The API server's time, ms. */
  readonly at: number
  /** `ownerKey` of the top owner. */
  readonly owner: string
  readonly targetUid: string
  readonly alert: string
  readonly rule?: string
  readonly action: string
  readonly direction?: 'up' | 'down'
  readonly planHash: string
  /** The leader's term under which it was written. */
  readonly term: number
  readonly undo: readonly Step[] | { readonly impossible: string }
  /** Absent while the case is open. */
  readonly outcome?: Outcome
}

const UNNAMED = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() })
const OBJECT = UNNAMED.extend({ uid: z.string() })
const OP = z.union([z.object({ op: z.enum(['add', 'replace', 'test']), path: z.string(), value: z.json() }), z.object({ op: z.literal('remove'), path: z.string() })])
const why = z.string()
const STEP = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('patch'), object: OBJECT, subresource: z.enum(['scale', 'resize', 'status']).exactOptional(), ops: z.array(OP), why }),
  z.object({ kind: z.literal('delete'), object: OBJECT, why }),
  z.object({ kind: z.literal('evict'), object: OBJECT, why }),
  z.object({ kind: z.literal('create'), object: UNNAMED, manifest: z.record(z.string(), z.json()), why }),
  z.object({ kind: z.literal('exec'), object: OBJECT, container: z.string(), argv: z.array(z.string()), why }),
  z.object({ kind: z.literal('wait'), object: OBJECT, until: z.enum(['gone', 'ready']), seconds: z.number(), why }),
])
const OUTCOMES = ['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed'] as const satisfies readonly Outcome[]

const ENTRY: z.ZodType<LedgerEntry> = z.object({
  caseId: z.string(),
  at: z.number(),
  owner: z.string(),
  targetUid: z.string(),
  alert: z.string(),
  rule: z.string().exactOptional(),
  action: z.string(),
  direction: z.enum(['up', 'down']).exactOptional(),
  planHash: z.string(),
  term: z.number(),
  undo: z.union([z.array(STEP), z.object({ impossible: z.string() })]),
  outcome: z.enum(OUTCOMES).exactOptional(),
})

/** An entry that cannot be read may hide an attempt, so it is a fault and never passed over. */
export function parseEntry(key: string, text: string): LedgerEntry {
  const entry = ENTRY.safeParse(jsonOf(text))
  if (!entry.success) throw new Fault('LEDGER_UNUSABLE', `the entry ${key} of the ledger cannot be read: ${z.prettifyError(entry.error).replaceAll('\n', ' ')}`)
  if (entry.data.caseId !== key) throw new Fault('LEDGER_UNUSABLE', `the entry ${key} of the ledger says that it is ${entry.data.caseId}`)
  return entry.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
