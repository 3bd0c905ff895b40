// Whether a request may be read at all: network, credentials and pace, before a byte of the body is.
import { LRUCache } from 'lru-cache'
import type { Clock } from '../domain/ports.ts'
import { type Credentials, fingerprintOf, type LoginConfig, makeLogin } from './login.ts'
import { clientAddress, countingKey, networks, type Sender } from './networks.ts'
import { countFailures, type FailureLimit, type Rate, tokenBuckets } from './pace.ts'
import { busy, type Problem, retryAfter } from './problem.ts'

export interface AdmissionConfig extends LoginConfig {
  /** Networks that may knock; empty means everybody. */
  readonly allowFrom: readonly string[]
  /** Proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly loginFailures: FailureLimit
  /** Requests of one sender. */
  readonly rate: Rate
}

/** A line of the security log, apart from the rest. */
export interface SecurityEvent {
  readonly event: 'sender_refused' | 'login_refused' | 'login_blocked' | 'handshake_refused'
  readonly address: string
  readonly why: string
}

export interface AdmissionDeps {
  readonly clock: Clock
  readonly security: (event: SecurityEvent) => void
}

export function makeAdmission(config: AdmissionConfig, { clock, security }: AdmissionDeps): (headers: Headers, sender: Sender) => Problem | undefined {
  const allowed = networks(config.allowFrom, 'webhook.allow_from')
  const trusted = networks(config.trustedProxies, 'webhook.trusted_proxies')
  const login = makeLogin(config)
  const failures = countFailures(config.loginFailures, clock)
  /** Who is refused by network costs the security log as little as a failed login. */
  const strangers = countFailures(config.loginFailures, clock)
  const wait = tokenBuckets(config.rate, clock)
  /** Credentials that were right, by address: a guesser behind the same proxy must not lock out Alertmanager, which would not repeat after a 429. */
  const proven = new LRUCache<string, true>({ max: 1_000 })

  const logIn = (credentials: Credentials, address: string): Problem | undefined => {
    const key = countingKey(address)
    const proof = `${key} ${fingerprintOf(credentials)}`
    const blockedFor = failures.blockedFor(key)
    if (blockedFor > 0 && !proven.has(proof)) return { ...TOO_MANY_FAILURES, headers: retryAfter(blockedFor) }
    const why = login.refusal(credentials)
    if (why === undefined) return void proven.set(proof, true)
    proven.delete(proof)
    security({ event: 'login_refused', address, why })
    if (failures.failed(key)) security({ event: 'login_blocked', address, why: `${config.loginFailures.limit} failed logins` })
    return { ...UNAUTHORIZED, headers: login.challenge ? { 'www-authenticate': login.challenge } : {} }
  }
  return (headers: Headers, sender: Sender): Problem | undefined => {
    const address = clientAddress(sender.address, headers.get('x-forwarded-for') ?? undefined, trusted)
    if (config.allowFrom.length > 0 && !allowed.has(address)) {
      const key = countingKey(address)
      if (strangers.blockedFor(key) === 0) security({ event: 'sender_refused', address, why: 'not in an allowed network' })
      strangers.failed(key)
      return FORBIDDEN
    }
    const refused = logIn({ authorization: headers.get('authorization') ?? undefined, certificate: sender.certificate }, address)
    if (refused) return refused
    const waitMs = wait(countingKey(address))
    return waitMs > 0 ? busy('RATE_EXCEEDED', 'This sender posts faster than it may.', waitMs) : undefined
  }
}

const TOO_MANY_FAILURES: Problem = { status: 429, code: 'TOO_MANY_FAILURES', title: 'Too many failed logins', detail: 'Wait, then log in with the right credentials.' }
const UNAUTHORIZED: Problem = { status: 401, code: 'UNAUTHORIZED', title: 'Log in', detail: 'No valid credentials were sent.' }
const FORBIDDEN: Problem = { status: 403, code: 'SENDER_NOT_ALLOWED', title: 'Not allowed from here', detail: 'The address of the sender is in no network of webhook.allow_from.' }
