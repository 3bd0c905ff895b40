// Who may knock: networks as CIDR or single addresses, and the address of the one who sent a request.
import ipaddr from 'ipaddr.js'
import { Fault } from '../domain/fault.ts'

/** Who sent a request, as the listener saw it. */
export interface Sender {
  /** Of the connection, not of a header. */
  readonly address: string
  /** Only of a client certificate that the listener verified: common name, DNS and URI names. */
  readonly certificate?: readonly string[]
}

export interface Networks {
  has(address: string): boolean
}

/** Throws CONFIG_INVALID that names every entry that is no network. */
export function networks(list: readonly string[], field: string): Networks {
  const bad = list.filter((entry) => !ipaddr.isValid(entry) && !ipaddr.isValidCIDR(entry))
  if (bad.length > 0) throw new Fault('CONFIG_INVALID', `${field}: not a network: ${bad.join(', ')}`)
  const ranges = list.map((entry) => (ipaddr.isValidCIDR(entry) ? ipaddr.parseCIDR(entry) : whole(ipaddr.parse(entry))))
  return {
    has(address) {
      if (!ipaddr.isValid(address)) return false
      // `process` turns ::ffff:10.0.0.1, as a dual-stack listener reports IPv4, into 10.0.0.1.
      const one = ipaddr.process(address)
      return ranges.some(([network, bits]) => one.kind() === network.kind() && one.match(network, bits))
    },
  }
}

const whole = (address: ipaddr.IPv4 | ipaddr.IPv6): [ipaddr.IPv4 | ipaddr.IPv6, number] => [address, address.kind() === 'ipv4' ? 32 : 128]

/**
 * The address to judge. X-Forwarded-For counts only behind proxies that the operator trusts, read from the right: what stands
 * left of the last untrusted hop was written by the client itself.
 */
export function clientAddress(remote: string, forwarded: string | undefined, trusted: Networks): string {
  let address = remote
  for (const hop of (forwarded ?? '').split(',').reverse()) {
    if (!trusted.has(address)) break
    const named = hop.trim()
    if (!ipaddr.isValid(named)) break
    address = named
  }
  return address
}

/** What failures and rates are counted by: one host owns a whole /64 of IPv6 and would have an address for every guess. */
export function countingKey(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const one = ipaddr.process(address)
  return one instanceof ipaddr.IPv6 ? one.parts.slice(0, 4).join(':') : one.toString()
}
