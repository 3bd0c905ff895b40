// The sockets of the sidecar: what the configuration says of the webhook, and both doors opened on their ports.
import type { Config } from './config/schema.ts'
import type { Clock, Ports } from './domain/ports.ts'
import { type Listening, listen } from './doors/listen.ts'
import type { makeOperations } from './doors/operations.ts'
import { fixedSecret } from './doors/secrets.ts'
import type { makeWebhook, WebhookConfig } from './doors/webhook.ts'
import { secretOf } from './edges.ts'
import type { Log, makeSecurityLog } from './telemetry/log.ts'

export function webhookConfig({ webhook }: Config, clock: Clock, log: Log): Partial<WebhookConfig> {
  const { auth } = webhook
  const token = secretOf(auth.token, auth.token_file, clock, log)
  const password = secretOf(auth.basic?.password, auth.basic?.password_file, clock, log)
  return {
    path: webhook.path,
    maxBodyBytes: webhook.max_body_bytes,
    maxPendingBytes: webhook.max_pending_bytes,
    bearer: [...(token ? [token] : []), ...(auth.tokens.length > 0 ? [fixedSecret(...auth.tokens)] : [])],
    basic: auth.basic && password ? [{ username: auth.basic.username, password }] : [],
    certificates: auth.client_certificates && { subjects: auth.client_certificates.subjects },
    allowFrom: webhook.allow_from,
    trustedProxies: webhook.trusted_proxies,
    loginFailures: { limit: webhook.login_failures.limit, windowMs: webhook.login_failures.window },
    rate: { perSecond: webhook.rate.per_second, burst: webhook.rate.burst },
  }
}

/** Embedded: the doors are reached by their `fetch`. */
export const NO_SOCKETS = { webhook: undefined, operations: undefined }
interface Doors {
  readonly webhook: ReturnType<typeof makeWebhook>
  readonly operations: ReturnType<typeof makeOperations>
}
export async function openDoors(
  { webhook, operations }: Config,
  { timers }: Ports,
  security: ReturnType<typeof makeSecurityLog>,
  log: Log,
  doors: Doors,
): Promise<{ readonly webhook: Listening; readonly operations: Listening }> {
  const onTrouble = (why: string) => log.warn({ why }, 'a certificate is in trouble')
  const { tls } = webhook
  const files = tls && { certFile: tls.cert_file, keyFile: tls.key_file, ...(tls.client_ca_file && { clientCaFile: tls.client_ca_file }) }
  const first = await listen({
    fetch: (request, env) => doors.webhook.fetch(request, env),
    host: webhook.host,
    port: webhook.port,
    ...(files && { tls: files }),
    timers,
    security,
    onTrouble,
    portSetting: 'WEBHOOK_PORT',
  })
  try {
    const second = await listen({ fetch: (request) => doors.operations.fetch(request), host: operations.host, port: operations.port, timers, portSetting: 'OPERATIONS_PORT' })
    return { webhook: first, operations: second }
  } catch (error) {
    await first.close(0)
    throw error
  }
}
