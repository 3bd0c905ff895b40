// The lab's API server as an administrator and as anybody else sees it.
import { readFileSync } from 'node:fs'
import { makeTransport, type Transport } from '../../src/kube/transport.ts'
import { realPorts } from '../../src/ports.ts'
import type { Addresses } from './addresses.ts'
import { told } from './parts/part.ts'

export const httpOf = (addresses: Addresses) => realPorts.http({ ca: readFileSync(told(addresses, 'ca'), 'utf8') })

export const transportOf = (addresses: Addresses, token: string): Transport =>
  makeTransport({
    ...realPorts,
    http: httpOf(addresses),
    server: told(addresses, 'apiServer'),
    headers: async () => ({ authorization: `Bearer ${token}` }),
    requestsPerSecond: 1_000,
    burst: 1_000,
  })

export const adminOf = (addresses: Addresses): Transport => transportOf(addresses, told(addresses, 'adminToken'))
