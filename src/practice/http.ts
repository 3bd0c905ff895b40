// The Http port over a fetch function in the same process: no socket, the same answers.
import type { Http, HttpResponse } from '../domain/ports.ts'

/** Ends with the signal's reason when the caller gives up, as a client on a socket would see it. */
async function* decoded(body: ReadableStream<Uint8Array> | null, signal: AbortSignal | undefined): AsyncIterable<string> {
  if (!body) return
  const reader = body.getReader()
  const giveUp = () => void reader.cancel()
  signal?.addEventListener('abort', giveUp, { once: true })
  const decoder = new TextDecoder()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield decoder.decode(next.value, { stream: true })
    signal?.throwIfAborted()
  } finally {
    signal?.removeEventListener('abort', giveUp)
    await reader.cancel()
  }
}

/** Bytes, not text: a Request would make text/plain of it, and no client on a socket says that unasked. */
const bytes = (body: string) => new TextEncoder().encode(body)

export function httpOf(fetch: (request: Request) => Promise<Response>): Http {
  return async ({ method, url, headers, body, signal }): Promise<HttpResponse> => {
    signal?.throwIfAborted()
    const init = { method, ...(headers ? { headers: { ...headers } } : {}), ...(body === undefined ? {} : { body: bytes(body) }), ...(signal ? { signal } : {}) }
    const response = await fetch(new Request(url, init))
    return { status: response.status, headers: Object.fromEntries(response.headers), text: () => response.text(), chunks: () => decoded(response.body, signal) }
  }
}
