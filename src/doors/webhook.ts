// The door for Alertmanager: POST /alerts. An alert is answered with 2xx only after intake has committed it; whatever is refused says why.
// 503, not 429, tells a known sender to come back: Alertmanager repeats only 5xx within a flush.
import { Hono } from 'hono'
import { type AdmissionConfig, type AdmissionDeps, makeAdmission } from './admission.ts'
import { type DeliveryConfig, type DeliveryDeps, makeTaking } from './delivery.ts'
import type { Sender } from './networks.ts'
import { type Problem, problemResponse } from './problem.ts'

export interface WebhookConfig extends AdmissionConfig, DeliveryConfig {
  readonly path: string
}

export const WEBHOOK_DEFAULTS: WebhookConfig = {
  path: '/alerts',
  maxBodyBytes: 2 ** 20,
  maxPendingBytes: 2 ** 24,
  bearer: [],
  basic: [],
  certificates: undefined,
  allowFrom: [],
  trustedProxies: [],
  loginFailures: { limit: 10, windowMs: 60_000 },
  rate: { perSecond: 2_000, burst: 4_000 },
}

export interface WebhookDeps extends AdmissionDeps, Omit<DeliveryDeps, 'metrics'> {
  readonly config?: Partial<WebhookConfig>
  readonly metrics?: NonNullable<DeliveryDeps['metrics']> & { answered(code: number): void }
  /** Something that no one expected; the sender gets 500 and comes back. */
  readonly onError?: (error: unknown) => void
}

export type Door = { Bindings: { readonly sender?: Sender } }

const UNKNOWN_SENDER: Sender = { address: 'unknown' }

export function makeWebhook(deps: WebhookDeps): Hono<Door> {
  const config: WebhookConfig = { ...WEBHOOK_DEFAULTS, ...deps.config }
  const admit = makeAdmission(config, deps)
  const take = makeTaking(config, deps)
  const app = new Hono<Door>()
  app.use(async (c, next) => {
    await next()
    deps.metrics?.answered(c.res.status)
  })
  app.post(config.path, async (c) => {
    const sender = c.env?.sender ?? UNKNOWN_SENDER
    const refused = admit(c.req.raw.headers, sender) ?? unsupported(c.req.raw.headers)
    return refused ? problemResponse(refused) : await take(c.req.raw)
  })
  app.all(config.path, () => problemResponse({ status: 405, code: 'METHOD_NOT_ALLOWED', title: 'Method not allowed', detail: 'Alerts are posted.', headers: { allow: 'POST' } }))
  app.notFound(() => problemResponse({ status: 404, code: 'NOT_FOUND', title: 'Not found', detail: `Alerts are posted to ${config.path}.` }))
  app.onError((error) => {
    deps.onError?.(error)
    return problemResponse({ status: 500, code: 'INTERNAL', title: 'Internal error', detail: 'The delivery was not taken; the log says why.' })
  })
  return app
}

function unsupported(headers: Headers): Problem | undefined {
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  return type === 'application/json' && encoding === 'identity' ? undefined : UNSUPPORTED
}
const UNSUPPORTED: Problem = {
  status: 415,
  code: 'NOT_JSON',
  title: 'Only JSON',
  detail: 'Send content-type application/json, without content-encoding.',
  headers: { accept: 'application/json' },
}
