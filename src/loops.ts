// What the sidecar does now and again beside its cases: confirm the policy, miss deliveries, and compare the ledger with the history.
import type { PolicySource } from './config/policy.ts'
import type { Config } from './config/schema.ts'
import { formatDuration } from './domain/duration.ts'
import type { Cancel, Ports } from './domain/ports.ts'
import { readConfigMap } from './edges.ts'
import type { Ledger } from './kube/ledger.ts'
import { makeReader } from './kube/reader.ts'
import type { Transport } from './kube/transport.ts'
import type { History } from './rooms/record/record.ts'

const POLICY_EVERY_MS = 10_000

/** The operator's ConfigMap, read every few seconds; what cannot be read is unknown, and the gate holds when that lasts. */
export function confirmPolicies({ policy: { config_map: named } }: Config, policies: PolicySource, transport: Transport, { timers }: Ports): () => void {
  if (!named) return () => undefined
  let stopped = false
  const turn = async (): Promise<void> => {
    policies.confirm(await readConfigMap(makeReader(transport, named.namespace), named.name))
    if (!stopped) timers.after(POLICY_EVERY_MS, () => void turn())
  }
  void turn()
  return () => {
    stopped = true
  }
}
/** A dead man's switch: an Alertmanager that does not reach us looks just like a namespace in which all is well. */
export function watchDeliveries({ webhook: { dead_man: limitMs } }: Config, { clock, timers }: Ports, tell: (what: string) => void) {
  let last = clock.elapsed()
  let told = false
  let cancel: Cancel = () => {}
  const look = (limit: number) => {
    if (!told && clock.elapsed() - last >= limit) {
      told = true
      tell(`nothing was delivered for ${formatDuration(limit)}: see whether Alertmanager still routes this namespace here`)
    }
    cancel = timers.after(limit / 4, () => look(limit))
  }
  if (limitMs !== undefined) look(limitMs)
  return {
    seen() {
      last = clock.elapsed()
      told = false
    },
    stop: () => cancel(),
  }
}

/** An entry that is open in the ledger and closed, or withdrawn, here: the program ended between the two. */
export async function reconcileLedger(ledger: Ledger, history: History): Promise<void> {
  for (const entry of await ledger.entries()) {
    const stored = entry.outcome === undefined ? history.case(entry.caseId) : undefined
    if (stored?.closedAt !== undefined) await ledger.complete(entry.caseId, stored.intentAt === undefined ? 'cancelled' : (stored.outcome ?? 'unproven'))
  }
}
