// What a refused request is told: an RFC 9457 problem document. It carries no secret and nothing that the sender wrote.
export interface Problem {
  readonly status: number
  /** For programs. */
  readonly code: string
  readonly title: string
  /** For people: what to do about it. */
  readonly detail: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
  readonly headers?: Readonly<Record<string, string>>
}

export const problemResponse = ({ headers, ...problem }: Problem): Response =>
  new Response(JSON.stringify({ type: 'about:blank', ...problem }), { status: problem.status, headers: { ...headers, 'content-type': 'application/problem+json' } })

/** Retry-After counts whole seconds; 0 would mean at once. */
export const retryAfter = (milliseconds: number): Readonly<Record<string, string>> => ({ 'retry-after': String(Math.max(1, Math.ceil(milliseconds / 1_000))) })

/** For a known sender: Alertmanager repeats 5xx, and nothing else. */
export const busy = (code: string, detail: string, waitMs: number): Problem => ({ status: 503, code, title: 'Try again later', detail, headers: retryAfter(waitMs) })
