// One class of fault, one table of codes. Edges translate into it; rooms let it pass; the corridor files it.

interface Entry {
  readonly retryable: boolean
  readonly hint: string
}

export const FAULTS = {
  CONFIG_INVALID: { retryable: false, hint: 'correct the named fields; `alerts-slm config check` lists them all' },
  RULES_INVALID: { retryable: false, hint: 'correct the named file; `alerts-slm rules lint` shows the line' },
  STORE_UNAVAILABLE: { retryable: true, hint: 'check that the data directory is writable and its disk has room' },
  STORE_FULL: { retryable: true, hint: 'raise store.max_bytes or free the disk' },
  CLUSTER_UNREACHABLE: { retryable: true, hint: 'check network and API server; `alerts-slm doctor` tries each right' },
  CLUSTER_TIMEOUT: { retryable: true, hint: 'the API server did not answer in time' },
  CLUSTER_THROTTLED: { retryable: true, hint: 'the API server asked to slow down' },
  CLUSTER_CONFLICT: { retryable: true, hint: 'the object changed since it was read; it is read and judged again' },
  CLUSTER_FORBIDDEN: { retryable: false, hint: 'grant the right; `alerts-slm doctor` prints what is missing per action' },
  CLUSTER_INVALID: { retryable: false, hint: 'the API server or an admission policy refuses this change' },
  CLUSTER_NOT_FOUND: { retryable: false, hint: 'the object is gone' },
  CLUSTER_ANSWER_UNKNOWN: { retryable: true, hint: 'the connection broke after the request was sent; whether it took effect is found by looking' },
  CLUSTER_GONE: { retryable: true, hint: 'the watch is too old; everything is listed again' },
  CLUSTER_ERROR: { retryable: true, hint: 'the API server failed' },
  EXEC_FAILED: { retryable: false, hint: 'the command ran in the container and ended with an error; it is not run again' },
  LEDGER_UNUSABLE: { retryable: false, hint: 'look at the ConfigMap alerts-slm-ledger: remove the named entry, or see why its open cases were never completed' },
  ALERTMANAGER_UNREACHABLE: { retryable: true, hint: 'check alertmanager.urls' },
  CHAT_UNREACHABLE: { retryable: true, hint: 'check tell.chat and that its address can be reached from here' },
  CHAT_REFUSED: { retryable: false, hint: 'check that the address of tell.chat is still valid' },
  PORT_TAKEN: { retryable: false, hint: 'choose another port with WEBHOOK_PORT, or stop what listens there' },
  INPUT_INVALID: { retryable: false, hint: 'correct the named field' },
  INTERNAL: { retryable: false, hint: 'this is a defect: please report it with the case id' },
} as const satisfies Record<string, Entry>

export type FaultCode = keyof typeof FAULTS

/** An expected failure at an edge. `message` never carries secrets; `retryAfterMs` when the other side named a time. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly retryAfterMs: number | undefined
  readonly status: number | undefined
  constructor(code: FaultCode, message: string, more: { readonly cause?: unknown; readonly retryAfterMs?: number; readonly status?: number } = {}) {
    super(message, { cause: more.cause })
    this.name = 'Fault'
    this.code = code
    this.retryAfterMs = more.retryAfterMs
    this.status = more.status
  }
  get retryable(): boolean {
    return FAULTS[this.code].retryable
  }
  get hint(): string {
    return FAULTS[this.code].hint
  }
}

export const isFault = (error: unknown, ...codes: readonly FaultCode[]): error is Fault => error instanceof Fault && (codes.length === 0 || codes.includes(error.code))
