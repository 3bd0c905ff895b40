// From the configuration to the edges of the program: how the API server and Alertmanager are reached, secrets, and which alerts are ours.
// The sidecar and the commands that look at the same world share it.
import { readFileSync } from 'node:fs'
import { ACTIONS } from './actions/catalogue.ts'
import { type Alertmanager, type Auth, makeAlertmanager } from './alertmanager/client.ts'
import { assetPath } from './config/assets.ts'
import type { Environment } from './config/environment.ts'
import type { Config } from './config/schema.ts'
import type { Alert } from './domain/alert.ts'
import { Fault, isFault } from './domain/fault.ts'
import type { Clock, Ports } from './domain/ports.ts'
import { isUnknown, type Unknown, unknown } from './domain/unknown.ts'
import { fileSecret, fixedSecret, type Secret } from './doors/secrets.ts'
import { FACTS } from './facts/catalogue.ts'
import type { ConnectOptions } from './kube/connect.ts'
import type { Reader } from './kube/wire.ts'
import type { AlertState } from './rooms/gate/seen.ts'
import { parseMatcher } from './rooms/screen/matcher.ts'
import type { ScreenRules } from './rooms/screen/screen.ts'
import type { Catalogues, LayerPaths } from './rulebook/load.ts'

/** Whoever is told of a secret file that cannot be read any more. */
interface Warns {
  readonly warn: (fields: { readonly why: string }, sentence: string) => void
}

/** What rules may name in this build. */
export const CATALOGUES: Catalogues = { facts: new Map(FACTS.map((fact) => [fact.name, fact])), actions: new Map(ACTIONS.map((action) => [action.name, action])) }

export function layersOf({ rules: { library = assetPath('rules', 'library.json'), operator_dir, tenant_dir, tenant_actions } }: Config): LayerPaths {
  return {
    library,
    ...(operator_dir && { operatorDir: operator_dir }),
    ...(tenant_dir && { tenantDir: tenant_dir }),
    ...(tenant_actions && { tenantActions: tenant_actions }),
  }
}

export function connectOptions({ kubernetes, namespace }: Config, environment: Environment): ConnectOptions {
  const { kubeconfig, context, server, token, token_file, requests_per_second, burst, timeout } = kubernetes
  const bearer = token ?? (token_file === undefined ? undefined : fileSecret(token_file, { clock: { now: () => 0, elapsed: () => 0 } }).current()[0])
  return {
    environment,
    requestsPerSecond: requests_per_second,
    burst,
    timeoutMs: timeout,
    ...(kubeconfig && { kubeconfig }),
    ...(context && { context }),
    ...(server && { server }),
    ...(bearer && { token: bearer }),
    ...(namespace && { namespace }),
  }
}

/** A secret in the configuration, or a file that is read again when it changes. */
export function secretOf(inline: string | undefined, file: string | undefined, clock: Clock, log: Warns): Secret | undefined {
  if (inline !== undefined) return fixedSecret(inline)
  return file === undefined ? undefined : fileSecret(file, { clock, onTrouble: (why) => log.warn({ why }, 'a secret file is in trouble') })
}

/** Every file that holds a secret, as a look that throws when it cannot be used. */
export function secretFilesOf({ webhook: { auth }, alertmanager, kubernetes, tell }: Config, clock: Clock): readonly (() => unknown)[] {
  const files = [auth.token_file, auth.basic?.password_file, alertmanager.token_file, alertmanager.basic?.password_file, kubernetes.token_file, tell.chat?.url_file]
  return files.filter((file) => file !== undefined).map((file) => () => fileSecret(file, { clock }))
}

export function alertmanagerOf({ alertmanager: { urls, token, token_file, basic, ca_file, timeout } }: Config, ports: Ports, log: Warns): Alertmanager | undefined {
  if (urls.length === 0) return undefined
  const bearer = secretOf(token, token_file, ports.clock, log)
  const password = secretOf(basic?.password, basic?.password_file, ports.clock, log)
  const first = (secret: Secret) => secret.current()[0] ?? ''
  const auth: Auth | undefined = bearer
    ? { bearer: () => first(bearer) }
    : basic && password
      ? { basic: () => ({ username: basic.username, password: first(password) }) }
      : undefined
  const http = ports.http(ca_file === undefined ? undefined : { ca: authority(ca_file) })
  return makeAlertmanager({ peers: urls.map((url) => ({ url, http })), timers: ports.timers, timeoutMs: timeout, ...(auth && { auth }) })
}

function authority(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `alertmanager.ca_file: ${file} cannot be read`, { cause })
  }
}

/** Of alerts that fire as far as we know: Alertmanager knows silences and inhibitions, and what ended unheard. */
export async function stateIn(alertmanager: Alertmanager, alerts: readonly Alert[]): Promise<AlertState | Unknown> {
  const states = await Promise.all(alerts.map((alert) => alertmanager.firing(alert)))
  if (states.includes('firing')) return 'firing'
  return states.find((state) => isUnknown(state)) ?? (states.includes('suppressed') ? 'suppressed' : 'resolved')
}

export function screenRules({ screen: { severities, matchers }, settle }: Config): ScreenRules {
  const parsed = matchers.map((text) => {
    const matcher = parseMatcher(text)
    if (!matcher) throw new Fault('CONFIG_INVALID', `screen.matchers: ${text} is no matcher; write it as in Alertmanager: severity=~"warning|critical"`)
    return matcher
  })
  return { reconsiderMs: settle.reconsider, ...(severities && { severities }), ...(parsed.length > 0 && { matchers: parsed }) }
}

export async function readConfigMap(read: Reader, name: string): Promise<Readonly<Record<string, string>> | undefined | Unknown> {
  try {
    const found = await read.get('ConfigMap', name)
    return found && (found.data ?? {})
  } catch (error) {
    if (isFault(error)) return unknown(error.message)
    throw error
  }
}

export const webhookIsOpen = ({ webhook: { auth } }: Config): boolean =>
  auth.token === undefined && auth.token_file === undefined && auth.tokens.length === 0 && auth.basic === undefined && auth.client_certificates === undefined
