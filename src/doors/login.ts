// Who is let in: bearer tokens, basic credentials and client certificates; any one of the configured ways suffices.
import { hash, timingSafeEqual } from 'node:crypto'
import type { Secret } from './secrets.ts'

export interface LoginConfig {
  readonly bearer: readonly Secret[]
  readonly basic: readonly { readonly username: string; readonly password: Secret }[]
  /** Client certificates that the listener verified; `subjects` narrows them to names (common, DNS or URI). */
  readonly certificates: { readonly subjects: readonly string[] } | undefined
}

export interface Credentials {
  readonly authorization: string | undefined
  readonly certificate: readonly string[] | undefined
}

export interface Login {
  /** Why these credentials are refused; undefined lets in. */
  refusal(credentials: Credentials): string | undefined
  /** What WWW-Authenticate offers; empty when nobody needs to log in by a header. */
  readonly challenge: string
}

export function makeLogin({ bearer, basic, certificates }: LoginConfig): Login {
  const open = bearer.length === 0 && basic.length === 0 && !certificates
  const offers = [bearer.length > 0 ? 'Bearer realm="alerts"' : '', basic.length > 0 ? 'Basic realm="alerts", charset="UTF-8"' : '']
  return {
    challenge: offers.filter((offer) => offer !== '').join(', '),
    refusal({ authorization, certificate }) {
      if (open || certificateFits(certificate, certificates)) return undefined
      if (authorization === undefined) return certificate ? 'the certificate is of nobody who is allowed' : 'no credentials'
      const [scheme = '', given = ''] = split(authorization)
      if (scheme === 'bearer')
        return matchesOne(
          given,
          bearer.flatMap((secret) => secret.current()),
        )
          ? undefined
          : 'wrong token'
      if (scheme === 'basic') return matchesOne(decoded(given), basic.flatMap(pairs)) ? undefined : 'wrong name or password'
      return 'unknown scheme of authorization'
    },
  }
}

const pairs = ({ username, password }: LoginConfig['basic'][number]): readonly string[] => password.current().map((one) => `${username}:${one}`)
const decoded = (given: string): string => Buffer.from(given, 'base64').toString('utf8')

function split(authorization: string): readonly [string, string] {
  const space = authorization.indexOf(' ')
  return space < 0 ? [authorization.toLowerCase(), ''] : [authorization.slice(0, space).toLowerCase(), authorization.slice(space + 1).trim()]
}

/** Digests, because timingSafeEqual wants equal lengths and a length is a hint too; all are compared, so that the place tells nothing. */
function matchesOne(given: string, valid: readonly string[]): boolean {
  const digest = hash('sha256', given, 'buffer')
  let found = false
  for (const one of valid) found = timingSafeEqual(digest, hash('sha256', one, 'buffer')) || found
  return found
}

function certificateFits(names: readonly string[] | undefined, allowed: LoginConfig['certificates']): boolean {
  if (!names || !allowed) return false
  return allowed.subjects.length === 0 || names.some((name) => allowed.subjects.includes(name))
}

/** Stands for credentials in memory without being any. */
export const fingerprintOf = ({ authorization, certificate }: Credentials): string => hash('sha256', JSON.stringify([authorization ?? null, certificate ?? null]), 'hex')
