// The world against which alerts are explained: a folder of manifests, or the live cluster. Neither is written to.
import { findAction } from '../actions/catalogue.ts'
import { policyOf } from '../config/policy.ts'
import type { Config } from '../config/schema.ts'
import type { Alert } from '../domain/alert.ts'
import type { Answer, Planned } from '../domain/case-file.ts'
import type { Mode, Policy } from '../domain/policy.ts'
import type { Clock, Ports } from '../domain/ports.ts'
import { type Unknown, unknown } from '../domain/unknown.ts'
import { alertmanagerOf, stateIn } from '../edges.ts'
import type { Ledger } from '../kube/ledger.ts'
import type { LedgerEntry } from '../kube/ledger-entry.ts'
import type { Reader } from '../kube/wire.ts'
import { gate } from '../rooms/gate/gate.ts'
import { type LookDeps, look } from '../rooms/gate/look.ts'
import { type FolderParts, readParts, worldIn } from '../simulate/folder.ts'
import { connected, policyInForce } from './live.ts'
import { type Past, withPast } from './local-history.ts'

export interface ExplainWorld extends Past {
  readonly namespace: string
  readonly clock: Clock
  readonly read: Reader
  /** What fires beside the alerts that are explained. */
  readonly firing: () => Promise<readonly Alert[] | Unknown>
  readonly policy: Policy
  readonly gates: (file: Planned) => Promise<readonly Answer[]>
}
export interface WorldOptions {
  readonly config: Config
  readonly ports: Ports
  /** In place of the configured one. */
  readonly mode: Mode | undefined
}

/** The gates' answers to a plan; the rehearsal, which would send something, stays not asked. */
const gatesOf =
  (deps: Omit<LookDeps, 'self' | 'approvals' | 'needs'>) =>
  async (file: Planned): Promise<readonly Answer[]> => {
    const seeing = look({ ...deps, self: {}, approvals: () => undefined, needs: (action) => findAction(action)?.needs ?? [] })
    return gate(file, await seeing(file), deps.clock.now())
  }
const inMode = (policy: Policy, mode: Mode | undefined): Policy => ({ ...policy, ...(mode && { mode }) })

// ── a folder ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A folder may hold several namespaces: which one is looked at, the alert says. */
export interface FolderWorlds {
  readonly now: number
  readonly at: (namespace: string) => Promise<ExplainWorld>
}

/** `now`: when the folder is looked at; by default when the snapshot was taken, else this moment. */
export async function openFolder(folder: string, { config, ports, mode, now }: WorldOptions & { readonly now: number | undefined }): Promise<FolderWorlds> {
  const parts = await readParts(folder, now ?? ports.clock.now())
  const moment = now ?? parts.snapshot?.takenAt ?? ports.clock.now()
  return { now: moment, at: (namespace) => folderWorld(parts, namespace, moment, inMode(policyOf(config, moment), mode)) }
}

async function folderWorld(parts: FolderParts, namespace: string, now: number, policy: Policy): Promise<ExplainWorld> {
  const { read, attempts, counts, firing } = await worldIn(parts, { namespace, now })
  const clock = { now: () => now, elapsed: () => 0 }
  const gates = gatesOf({
    read,
    clock,
    attempts,
    policy: () => policy,
    ledger: { entries: async () => [] },
    access: { missing: async () => unknown('a folder of manifests does not tell what the service account may do') },
    firing: async ({ alerts }) => (alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved'),
  })
  return { namespace, clock, read, attempts, counts, firing, policy, gates }
}

// ── the live cluster ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Only reads, and asks for the own rights. */
export async function withCluster<T>({ config, ports, mode }: WorldOptions, work: (world: ExplainWorld) => Promise<T>): Promise<T> {
  const { transport, namespace } = await connected(config, ports)
  const [{ makeReader }, { makeAccess }, { makeLedger }] = await Promise.all([import('../kube/reader.ts'), import('../kube/access.ts'), import('../kube/ledger.ts')])
  const read = makeReader(transport, namespace)
  const ledger = makeLedger(transport, namespace)
  const alertmanager = alertmanagerOf(config, ports, { warn: ({ why }) => void process.stderr.write(`${why}\n`) })
  const policy = inMode(await policyInForce(config, transport, ports.clock), mode)
  return withPast(config.store.path, ports, await readOnce(ledger), async ({ attempts, counts }) => {
    const gates = gatesOf({
      read,
      attempts,
      ledger,
      policy: () => policy,
      clock: ports.clock,
      access: makeAccess(transport, namespace, ports.clock),
      firing: async ({ alerts }) => (alertmanager ? stateIn(alertmanager, alerts) : 'firing'),
    })
    const firing = async () => (alertmanager ? alertmanager.active({ namespace }) : unknown('no Alertmanager is configured (alertmanager.urls)'))
    return work({ namespace, clock: ports.clock, read, attempts, counts, firing, policy, gates })
  })
}

/** The entries, or the fault that kept them from being read: thrown where they are asked for, so that only what needs them is unknown. */
async function readOnce(ledger: Ledger): Promise<() => readonly LedgerEntry[]> {
  try {
    const entries = await ledger.entries()
    return () => entries
  } catch (error) {
    return () => {
      throw error
    }
  }
}
