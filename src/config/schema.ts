// The configuration file: every key, its default and its meaning. Strict: a key that is not here is an error, not a wish.
import * as z from 'zod'
import { MODES } from '../domain/policy.ts'
import { bothMessage, bytes, duration, moment, notBoth, path, port, secret, url } from './scalars.ts'

const SAFETY = ['harmless', 'reversible', 'disruptive', 'destructive'] as const
const TOLD = ['fixed', 'unproven', 'undone', 'refused', 'told', 'observed', 'cancelled', 'failed', 'asks'] as const
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const CLOCK = /^(?:[01]\d|2[0-3]):[0-5]\d$/

const count = () => z.int().min(1)
const share = () => z.number().min(0).max(1)
const labels = () => z.record(z.string(), z.string())
const list = <T extends z.ZodType>(of: T) => z.array(of).default([])

/** A secret, or the file that holds it, under two names. */
const bearer = { token: secret().exactOptional(), token_file: path().exactOptional() }
const oneToken = [notBoth('token', 'token_file'), bothMessage('token', 'token_file')] as const

const basic = z
  .strictObject({ username: z.string().min(1), password: secret().exactOptional(), password_file: path().exactOptional() })
  .refine(({ password, password_file }) => (password === undefined) !== (password_file === undefined), bothMessage('password', 'password_file'))

const app = z.strictObject({
  name: z.string().min(1).default('alerts-slm').describe('Names this agent in logs'),
  cluster: z.string().min(1).exactOptional().describe('Names the cluster in notifications'),
})

const kubernetes = z
  .strictObject({
    kubeconfig: path().exactOptional().describe("A kubeconfig file; by default KUBECONFIG, ~/.kube/config, then the pod's own account"),
    context: z.string().min(1).exactOptional(),
    server: url('http', 'https').exactOptional().describe('A plain API server in place of a kubeconfig'),
    ...bearer,
    requests_per_second: z.number().positive().default(20),
    burst: count().default(40),
    timeout: duration('100ms').prefault('10s'),
  })
  .refine(...oneToken)

const webhook = z.strictObject({
  host: z.string().min(1).default('0.0.0.0'),
  port: port().default(8080),
  path: z.string().startsWith('/').default('/alerts'),
  auth: z
    .strictObject({
      ...bearer,
      tokens: list(secret()).describe('Further tokens that are valid at the same time: rotate without an outage'),
      basic: basic.exactOptional(),
      client_certificates: z
        .strictObject({ subjects: list(z.string().min(1)) })
        .exactOptional()
        .describe('Accept verified client certificates, of these names only if any are given'),
    })
    .refine(...oneToken)
    .prefault({}),
  tls: z.strictObject({ cert_file: path(), key_file: path(), client_ca_file: path().exactOptional() }).exactOptional(),
  allow_from: list(z.string().min(1)).describe('Networks that may send, as CIDR; empty: all'),
  trusted_proxies: list(z.string().min(1)).describe('Proxies whose X-Forwarded-For is believed, as CIDR'),
  max_body_bytes: bytes().prefault('1Mi'),
  max_pending_bytes: bytes().prefault('16Mi'),
  max_queued: count().default(100_000).describe('Alerts that wait for their walk; beyond it senders get 503'),
  rate: z.strictObject({ per_second: z.number().positive().default(2_000), burst: count().default(4_000) }).prefault({}),
  login_failures: z.strictObject({ limit: count().default(10), window: duration('1s').prefault('1m') }).prefault({}),
  dead_man: duration('1m').exactOptional().describe('Tell people when nothing was delivered for so long'),
})

const slm = z
  .strictObject({
    provider: z.enum(['none', 'ollama', 'openai', 'localai']).default('none').describe('Who is asked about a case that the rules cannot tell'),
    endpoint: url('http', 'https').exactOptional(),
    model: z.string().min(1).default('granite3.1-dense:8b'),
    temperature: z.number().min(0).max(2).default(0.3),
    max_tokens: count().default(500),
    timeout: duration('1s').prefault('30s'),
    retry_count: z.int().min(0).max(10).default(3),
    api_key: secret().exactOptional(),
    api_key_file: path().exactOptional(),
  })
  .refine(notBoth('api_key', 'api_key_file'), bothMessage('api_key', 'api_key_file'))
  .refine(({ provider, endpoint }) => provider === 'none' || endpoint !== undefined, { message: 'the provider needs an endpoint (SLM_ENDPOINT)', path: ['endpoint'] })

const once = z
  .strictObject({ from: moment(), to: moment(), why: z.string().min(1) })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { message: 'must end after it begins', path: ['to'] })
const weekly = z.strictObject({
  days: z.array(z.enum(WEEKDAYS)).min(1).describe('Days on which it begins, UTC'),
  from: z.string().regex(CLOCK, 'must be a time of day such as 22:00, UTC'),
  to: z.string().regex(CLOCK, 'must be a time of day such as 06:00, UTC').describe('On the next day when it is not after `from`'),
  why: z.string().min(1),
})

const actions = z.strictObject({
  dry_run: z.boolean().default(false).describe('Caps the mode at observe'),
  mode: z.enum(MODES).default('observe'),
  kill_switch: z.boolean().default(false),
  allowed: z.array(z.string().min(1)).exactOptional().describe('Names of the actions that may be used; by default all'),
  cooldown_period: duration().prefault('5m'),
  max_concurrent: count().default(5),
  min_confidence: share().default(0.7),
  approve_above: z.enum(SAFETY).default('disruptive').describe('Plans above this safety class ask a person also in enforce mode'),
  ineffective_limit: count().default(3),
  oscillation: z.strictObject({ limit: count().default(2), window: duration('1m').prefault('24h') }).prefault({}),
  limits: z.strictObject({ max_replicas: count().default(20), max_memory: bytes().prefault('8Gi'), max_pod_share: share().default(0.5) }).prefault({}),
  budget: z
    .strictObject({ per_target: z.int().min(0).default(4), per_rule: z.int().min(0).default(20), per_namespace: z.int().min(0).default(30), window: duration('1m').prefault('1h') })
    .prefault({}),
  protected: z
    .strictObject({
      labels: labels().default({ 'alerts-slm.io/protected': 'true' }),
      names: list(z.string().min(1)).describe('Names of objects that are never changed: `web`, `Deployment/web`, `*` for any run of characters'),
    })
    .prefault({}),
  maintenance: list(z.union([once, weekly])).describe('Times at which nothing is changed'),
})

const openshift = z.strictObject({
  enabled: z.enum(['auto', 'on', 'off']).default('auto').describe("Whether OpenShift's own kinds are looked for"),
})

const logging = z.strictObject({
  level: z.enum(LOG_LEVELS).default('info'),
  format: z.enum(['json']).default('json'),
})

const alertmanager = z
  .strictObject({
    urls: list(url('http', 'https')).describe('Every peer: they share silences, not alerts'),
    ...bearer,
    basic: basic.exactOptional(),
    ca_file: path().exactOptional(),
    timeout: duration('100ms').prefault('10s'),
    pull_every: duration('10s').prefault('5m'),
  })
  .refine(...oneToken)
  .refine(({ token, token_file, basic: login }) => login === undefined || (token === undefined && token_file === undefined), {
    message: 'give either a token or basic',
    path: ['basic'],
  })

const policy = z.strictObject({
  config_map: z
    .strictObject({ namespace: z.string().min(1), name: z.string().min(1).default('alerts-slm-policy') })
    .exactOptional()
    .describe("The operator's ConfigMap: it can only lower and limit what stands here"),
  confirm_within: duration('1s').prefault('30s').describe('A policy that was not confirmed at its source for so long holds every write'),
})

const rules = z.strictObject({
  library: path().exactOptional().describe('Another library in place of the built-in one'),
  operator_dir: path().exactOptional(),
  tenant_dir: path().exactOptional(),
  tenant_actions: z.array(z.string().min(1)).exactOptional().describe("Actions that a tenant's rules may name; by default all"),
  reload_every: duration('1s').prefault('10s'),
})

const screen = z.strictObject({
  severities: z.array(z.string().min(1)).exactOptional(),
  matchers: list(z.string().min(1)).describe('All must match, written as in Alertmanager: `team="a"`, `severity=~"warning|critical"`'),
})

const store = z.strictObject({
  path: path().default('data/history.db'),
  max_bytes: bytes().prefault('512Mi'),
  retention: duration('1h').prefault('90d'),
})

const tell = z.strictObject({
  events: z.boolean().default(true).describe('Kubernetes Events on the target'),
  alertmanager: z.boolean().default(true).describe('Alerts of our own into every Alertmanager peer'),
  renew_every: duration('10s').prefault('2m').describe("Below Alertmanager's resolve_timeout"),
  chat: z
    .strictObject({
      url: secret().exactOptional(),
      url_file: path().exactOptional(),
      outcomes: z.array(z.enum(TOLD)).exactOptional().describe('Of these only; by default everything that a person has to look at'),
    })
    .refine(({ url: address, url_file }) => (address === undefined) !== (url_file === undefined), bothMessage('url', 'url_file'))
    .exactOptional()
    .describe('A webhook in the common chat format ({"text": …})'),
  retries: z.int().min(0).max(10).default(4),
})

const settle = z.strictObject({
  time: duration().prefault('10m').describe('How long the object must be good without a break'),
  verify_within: duration('1s').prefault('15m').describe('How long it may take to become good'),
  check_every: duration('10ms').prefault('10s'),
  hold: duration('1s').prefault('1h').describe('How long a case waits for people, a window or a lane'),
  reconsider: duration('1s').prefault('30m').describe('When a repeat of a matter that was not mended opens a case again'),
})

const operations = z.strictObject({ host: z.string().min(1).default('0.0.0.0'), port: port().default(9090) })

const mcp = z.strictObject({
  port: port().exactOptional().describe('Where our own MCP server listens; by default nowhere'),
  k8s_server: url('http', 'https').exactOptional().describe('kubernetes-mcp-server, for context to the model'),
})

const database = z
  .strictObject({
    url: secret().exactOptional(),
    host: z.string().min(1).exactOptional(),
    port: port().exactOptional(),
    name: z.string().min(1).exactOptional(),
    user: z.string().min(1).exactOptional(),
    password: secret().exactOptional(),
    password_file: path().exactOptional(),
  })
  .refine(notBoth('password', 'password_file'), bothMessage('password', 'password_file'))
  .refine(notBoth('url', 'host'), bothMessage('url', 'host'))

export const CONFIG = z.strictObject({
  app: app.prefault({}).describe('This agent'),
  namespace: z.string().min(1).exactOptional().describe("The namespace that it acts in; by default the pod's own, or the context's"),
  kubernetes: kubernetes.prefault({}).describe('How the API server is reached'),
  webhook: webhook.prefault({}).describe('Where Alertmanager sends'),
  slm: slm.prefault({}).describe('The model that is asked about what the rules cannot tell'),
  actions: actions.prefault({}).describe('What may be done, how often and how much'),
  openshift: openshift.prefault({}),
  logging: logging.prefault({}),
  alertmanager: alertmanager.prefault({}).describe('Where firing alerts are read and our own notifications go'),
  policy: policy.prefault({}),
  rules: rules.prefault({}).describe('Layers of rules'),
  screen: screen.prefault({}).describe('Which alerts are ours'),
  store: store.prefault({}).describe('The history'),
  tell: tell.prefault({}).describe('How people are told'),
  settle: settle.prefault({}).describe('How long things take until they are judged'),
  operations: operations.prefault({}).describe('Health, readiness and metrics'),
  mcp: mcp.prefault({}),
  database: database.prefault({}).describe("The hub's store"),
})
export type Config = z.output<typeof CONFIG>

/** For editors, charts and the golden test. Secrets carry `writeOnly`. */
export const configSchema = (): z.core.JSONSchema.BaseSchema => z.toJSONSchema(CONFIG, { io: 'input', unrepresentable: 'any' })
