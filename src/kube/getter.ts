// What reading may do: GET, and nothing else. Reader, watches and discovery see the API server only through this.
import type { Clock } from '../domain/ports.ts'
import type { Query, Transport } from './transport.ts'

export interface Getter {
  get(path: string, query?: Query): Promise<unknown>
  readonly clock: Clock
}

export const getOnly = (transport: Transport): Getter => ({
  get: async (path, query) => (await transport.send({ method: 'GET', path, ...(query && { query }) })).body,
  clock: transport.ports.clock,
})

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
