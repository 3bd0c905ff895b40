// The live cluster as commands reach it: as the sidecar would with the same configuration, and never writing.
import { makePolicySource } from '../config/policy.ts'
import type { Config } from '../config/schema.ts'
import type { Policy } from '../domain/policy.ts'
import type { Clock, Ports } from '../domain/ports.ts'
import { connectOptions, readConfigMap } from '../edges.ts'
import { type Connection, connect } from '../kube/connect.ts'
import { makeReader } from '../kube/reader.ts'

export async function connected(config: Config, ports: Ports): Promise<Connection> {
  const connection = await connect(connectOptions(config, process.env), ports)
  return { ...connection, namespace: config.namespace ?? connection.namespace }
}

/** With the operator's ConfigMap, where one is configured; what cannot be read of it is not confirmed, and a gate says so. */
export async function policyInForce(config: Config, transport: Connection['transport'], clock: Clock): Promise<Policy> {
  const source = makePolicySource(config, () => clock.now())
  const { config_map: named } = config.policy
  if (named) source.confirm(await readConfigMap(makeReader(transport, named.namespace), named.name))
  return source.current()
}
