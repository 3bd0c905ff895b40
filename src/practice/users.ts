// Authentication: bearer tokens and the names and groups behind them.
import { unauthorized } from './status.ts'

export interface User {
  readonly name: string
  readonly groups: readonly string[]
}

/** The token that may do everything, as the first kubeconfig of a cluster has one. */
export const ADMIN_TOKEN = 'admin'
export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** A service account is in the groups of all accounts and of its namespace's; everybody with a token is authenticated. */
export function groupsOf(name: string, more: readonly string[] = []): readonly string[] {
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name) ?? []
  const accounts = namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
  return [...new Set([...more, ...accounts, 'system:authenticated'])]
}

export class Users {
  readonly #byToken = new Map<string, User>([[ADMIN_TOKEN, { name: 'admin', groups: groupsOf('admin', ['system:masters']) }]])
  add(token: string, name: string, groups: readonly string[] = []): User {
    const user = { name, groups: groupsOf(name, groups) }
    this.#byToken.set(token, user)
    return user
  }
  /** A token that no longer counts, as one that expired. */
  revoke(token: string): void {
    this.#byToken.delete(token)
  }
  ofToken(token: string): User | undefined {
    return this.#byToken.get(token)
  }
  /** No token is nobody in particular; a wrong one is refused whatever it asks for. */
  authenticate(authorization: string | null): User {
    if (authorization === null || authorization === '') return ANONYMOUS
    const user = this.#byToken.get(/^Bearer\s+(.+)$/i.exec(authorization)?.[1] ?? '')
    if (!user) throw unauthorized()
    return user
  }
}
