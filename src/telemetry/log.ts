// The log: JSON lines on stderr, everything redacted on its way out. Refused logins and senders go to a stream of their own (`log: security`).
import pino from 'pino'
import { alertName } from '../domain/alert.ts'
import type { Closed } from '../domain/case-file.ts'
import type { Json, JsonObject } from '../domain/json.ts'
import { redact, redactJson } from '../domain/redaction.ts'
import { describeRef } from '../domain/target.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

type Write = (fields: JsonObject, message: string) => void
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /** With these fields in every line. */
  child(fields: JsonObject): Log
  /** Everything so far is on stderr. */
  flush(): void
}

export interface LogOptions {
  readonly level: LogLevel
  /** Where the lines go: stderr unless somebody collects them. */
  readonly write?: (line: string) => void
}

/** JSON escapes only what is below a space; these would still move a terminal's cursor, or let a line read backwards. */
const UNSEEN = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
const harmless = (line: string): string => line.replace(UNSEEN, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)

export function makeLog({ level, write }: LogOptions): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    messageKey: 'message',
    hooks: { streamWrite: harmless },
  }
  return wrap(write ? pino(options, { write }) : pino(options, pino.destination({ dest: 2, sync: true })))
}

/** No interpolation and no objects that are more than data: what comes in is what is redacted. */
function wrap(logger: pino.Logger): Log {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error'): Write =>
    (fields, message) => {
      // Redacting a line that nobody will see would cost as much as one that somebody does.
      if (logger.isLevelEnabled(level)) logger[level](redactJson(fields), redact(message))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: (fields) => wrap(logger.child(redactedFields(fields))), flush: () => logger.flush() }
}

function redactedFields(fields: JsonObject): Record<string, Json> {
  const clean = redactJson(fields)
  return typeof clean === 'object' && clean !== null ? Object.fromEntries(Object.entries(clean)) : {}
}

/** An error as fields: its code, message and stack, and those of what caused it. */
export function errorFields(error: unknown, depth = 0): JsonObject {
  if (!(error instanceof Error)) return { error: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const cause = error.cause !== undefined && depth < 3 ? { cause: errorFields(error.cause, depth + 1) } : {}
  return { error: error.message, ...code, stack: error.stack ?? '', ...cause }
}

/** The security log: refused logins, refused senders, refused handshakes. Not silenced by the level of the rest. */
export function makeSecurityLog(options: Omit<LogOptions, 'level'> = {}): (event: { readonly event: string; readonly address: string; readonly why: string }) => void {
  const log = makeLog({ ...options, level: 'info' }).child({ log: 'security' })
  return ({ event, address, why }) => log.warn({ event, address }, why)
}

/** One line a case: the same names as the line of `--json`. */
export function caseLine(closed: Closed, now: number): JsonObject {
  const { page, outcome, reason, because } = closed
  const [alert] = page.alerts
  const target = 'target' in page ? describeRef(page.target.owner) : null
  const decision = 'decision' in page ? page.decision : undefined
  return {
    case: page.id,
    alert: alertName(alert),
    namespace: alert.labels['namespace'] ?? null,
    target,
    decidedBy: decision?.by ?? null,
    rule: decision?.rule ?? null,
    action: decision?.action ?? null,
    outcome,
    reason,
    because,
    alerts: page.alerts.length,
    ms: now - page.openedAt,
  }
}
