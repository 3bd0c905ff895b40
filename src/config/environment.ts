// Every environment variable that the program reads, and the field of the configuration that it sets.

export interface EnvironmentRow {
  readonly name: string
  /** Undefined: not a field, but read by the loader itself or by the role that starts. */
  readonly field: string | undefined
  readonly summary: string
}
const row = (name: string, field: string | undefined, summary: string): EnvironmentRow => ({ name, field, summary })

export const ENVIRONMENT: readonly EnvironmentRow[] = [
  row('ALERTS_SLM_CONFIG', undefined, 'The configuration file'),
  row('ALERTS_SLM_NAMESPACE', 'namespace', 'The namespace to act in'),
  row('SLM_PROVIDER', 'slm.provider', 'none, ollama, openai or localai'),
  row('SLM_ENDPOINT', 'slm.endpoint', "The model server's address"),
  row('SLM_MODEL', 'slm.model', 'The model to ask'),
  row('SLM_TEMPERATURE', 'slm.temperature', 'Its temperature'),
  row('DRY_RUN', 'actions.dry_run', 'true caps the mode at observe'),
  row('WEBHOOK_PORT', 'webhook.port', 'Where Alertmanager sends'),
  row('WEBHOOK_AUTH_TOKEN', 'webhook.auth.token', 'The bearer token that it has to send'),
  row('OPERATIONS_PORT', 'operations.port', 'Health, readiness and metrics'),
  row('LOG_LEVEL', 'logging.level', 'debug, info, warn, error or silent'),
  row('MCP_K8S_SERVER', 'mcp.k8s_server', 'The address of kubernetes-mcp-server'),
  row('MCP_PORT', 'mcp.port', 'Where our own MCP server listens'),
  row('DATABASE_URL', 'database.url', "The hub's database"),
  row('DATABASE_HOST', 'database.host', 'Its host, in place of DATABASE_URL'),
  row('DATABASE_PORT', 'database.port', 'Its port'),
  row('DATABASE_NAME', 'database.name', 'Its name'),
  row('DATABASE_USER', 'database.user', 'Its user'),
  row('DATABASE_PASSWORD', 'database.password', "That user's password"),
  row('POD_NAME', undefined, 'The own pod, from the downward API'),
  row('POD_NAMESPACE', undefined, 'Its namespace'),
  row('POD_UID', undefined, 'Its uid'),
]

export type Environment = Readonly<Record<string, string | undefined>>

/** A variable that is set to nothing is not set. */
export const variable = (environment: Environment, name: string): string | undefined => environment[name] || undefined
