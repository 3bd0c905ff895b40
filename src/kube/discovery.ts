// Discovery: where a kind lives, asked of the API server and remembered; and the paths that follow from it.
import * as z from 'zod'
import { Fault, isFault } from '../domain/fault.ts'
import type { Getter } from './getter.ts'
import { ADDRESSES, type Address, isKind } from './wire.ts'

const FRESH_MS = 300_000
/** A kind that was missing may be installed at any time. */
const MISSING_MS = 60_000

const RESOURCES = z.object({ resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })) })

export interface Discovery {
  /** undefined: the API server does not serve that kind. */
  addressOf(apiVersion: string, kind: string): Promise<Address | undefined>
}

const rootOf = (apiVersion: string): string => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`)

/** Names come from alerts: one that no object can have must not become another path. */
function segment(part: string): string {
  if (part === '' || part === '.' || part === '..' || /[/%]/.test(part)) throw new Fault('CLUSTER_NOT_FOUND', `no object can be named ${JSON.stringify(part)}`)
  return encodeURIComponent(part)
}

/** The path of a collection, of an object in it, or of its subresource. */
export function pathOf(address: Address, namespace: string, name?: string, subresource?: string): string {
  const scope = address.namespaced ? ['namespaces', namespace] : []
  const parts = [...scope, address.plural, ...(name === undefined ? [] : [name]), ...(subresource === undefined ? [] : [subresource])]
  return `${rootOf(address.apiVersion)}/${parts.map(segment).join('/')}`
}

/** The address of a kind that we know, without asking. */
export function knownAddress(apiVersion: string, kind: string): Address | undefined {
  const known = isKind(kind) ? ADDRESSES[kind] : undefined
  return known?.apiVersion === apiVersion ? known : undefined
}

export function makeDiscovery(read: Getter): Discovery {
  const seen = new Map<string, { readonly at: number; readonly addresses: Promise<ReadonlyMap<string, Address>> }>()

  const ask = (apiVersion: string): Promise<ReadonlyMap<string, Address>> => {
    const addresses = resourcesOf(read, apiVersion)
    seen.set(apiVersion, { at: read.clock.elapsed(), addresses })
    addresses.catch(() => seen.delete(apiVersion))
    return addresses
  }

  return {
    async addressOf(apiVersion, kind) {
      const known = knownAddress(apiVersion, kind)
      if (known) return known
      const last = seen.get(apiVersion)
      const age = last ? read.clock.elapsed() - last.at : Number.POSITIVE_INFINITY
      const found = last && age < FRESH_MS ? (await last.addresses).get(kind) : undefined
      return found || age < MISSING_MS ? found : (await ask(apiVersion)).get(kind)
    },
  }
}

async function resourcesOf(read: Getter, apiVersion: string): Promise<ReadonlyMap<string, Address>> {
  try {
    const list = RESOURCES.safeParse(await read.get(rootOf(apiVersion)))
    if (!list.success) throw new Fault('CLUSTER_ERROR', `discovery of ${apiVersion}: not a list of resources`)
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
    const top = list.data.resources.filter((resource) => !resource.name.includes('/'))
    return new Map(top.map(({ name, kind, namespaced }) => [kind, { apiVersion, group, plural: name, namespaced }]))
  } catch (error) {
    if (isFault(error, 'CLUSTER_NOT_FOUND')) return new Map()
    throw error
  }
}
