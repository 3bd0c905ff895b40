// How a fact is declared: name, group, schema with units, cost, needed right, and how it is read.
import type * as z from 'zod'
import type { Alert } from '../domain/alert.ts'
import type { AlertCounts, Attempts } from '../domain/history.ts'
import type { Json, JsonObject } from '../domain/json.ts'
import type { Right } from '../domain/plan.ts'
import type { Target } from '../domain/target.ts'
import type { Unknown } from '../domain/unknown.ts'
import type { Reader } from '../kube/wire.ts'

/** What facts may look at. `target` is undefined when the alert has none; facts of the cluster are then unknown. */
export interface FactSources {
  readonly alerts: readonly [Alert, ...Alert[]]
  readonly target: Target | undefined
  readonly read: Reader
  readonly attempts: Attempts
  readonly counts: AlertCounts
  /** Other alerts that fire now in the namespace; Unknown when Alertmanager cannot be asked. */
  readonly firing: () => Promise<readonly Alert[] | Unknown>
  readonly now: number
  /** Reads another fact of the same case, through the same memory. */
  readonly fact: (name: string, parameters?: JsonObject) => Promise<Json | Unknown>
}

export type FactGroup =
  | 'alert'
  | 'target'
  | 'pod'
  | 'logs'
  | 'rollout'
  | 'resources'
  | 'autoscaler'
  | 'ownership'
  | 'disruption'
  | 'quota'
  | 'volume'
  | 'job'
  | 'events'
  | 'dependencies'
  | 'history'
  | 'time'

export interface Fact {
  readonly name: string
  readonly group: FactGroup
  readonly summary: string
  /** The shape of a known value; units in each field's description. Every path of a rule is checked against it. */
  readonly schema: z.ZodType
  /** Parameters that a condition may pass; undefined: none. */
  readonly params: z.ZodType | undefined
  /** 0: at hand. 1: held by a watch or one small read. 5: several reads. 9: logs, other systems. */
  readonly cost: number
  /** True when it says something of the cluster beyond the alert's own words. */
  readonly ofCluster: boolean
  readonly needs: readonly Right[]
  readonly read: (from: FactSources, params: JsonObject) => Promise<Json | Unknown>
}

interface Written<S extends z.ZodType<Json>, P extends z.ZodType<JsonObject>> {
  readonly name: string
  readonly group: FactGroup
  readonly summary: string
  readonly schema: S
  readonly params?: P
  readonly cost: number
  readonly ofCluster?: boolean
  readonly needs?: readonly Right[]
  readonly read: (from: FactSources, params: z.output<P>) => Promise<z.output<S> | Unknown> | z.output<S> | Unknown
}

/** Declares a fact. `read` may throw a Fault: the evidence turns it into unknown with the reason. */
export function defineFact<S extends z.ZodType<Json>, P extends z.ZodType<JsonObject> = z.ZodType<JsonObject>>(written: Written<S, P>): Fact {
  const { params, ofCluster, needs, read, ...rest } = written
  return {
    ...rest,
    params,
    ofCluster: ofCluster ?? true,
    needs: needs ?? [],
    read: async (from, raw) => {
      if (!params) return read(from, raw as z.output<P>)
      const parsed = params.safeParse(raw)
      return parsed.success ? read(from, parsed.data) : { unknown: `parameters of ${written.name} do not fit` }
    },
  }
}
