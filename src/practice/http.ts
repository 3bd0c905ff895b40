// The Http port over a fetch function in the same process: no socket, the same answers.
import type { Http, HttpResponse } from '../domain/ports.ts'

async function* decoded(body: ReadableStream<Uint8Array> | null): AsyncIterable<string> {
  if (!body) return
  const decoder = new TextDecoder()
  for await (const chunk of body) yield decoder.decode(chunk, { stream: true })
}

/** Bytes, not text: a Request would make text/plain of it, and no client on a socket says that unasked. */
const bytes = (body: string) => new TextEncoder().encode(body)

export function httpOf(fetch: (request: Request) => Promise<Response>): Http {
  return async ({ method, url, headers, body, signal }): Promise<HttpResponse> => {
    signal?.throwIfAborted()
    const init = { method, ...(headers ? { headers: { ...headers } } : {}), ...(body === undefined ? {} : { body: bytes(body) }), ...(signal ? { signal } : {}) }
    const response = await fetch(new Request(url, init))
    return { status: response.status, headers: Object.fromEntries(response.headers), text: () => response.text(), chunks: () => decoded(response.body) }
  }
}
