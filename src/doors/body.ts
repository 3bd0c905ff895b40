// A request's body within two limits: its own, and what all requests under way may hold together.
export type Refused = 'too large' | 'busy' | 'not UTF-8' | 'broken off'
export type Body = { readonly text: string } | { readonly refused: Refused }

/** Bytes that all requests under way hold; at least a page each, so that their number is bounded too. */
export interface Pending {
  /** False when there is no room. */
  take(bytes: number): boolean
  give(bytes: number): void
}

export function pendingBytes(limit: number): Pending {
  let held = 0
  return {
    take(bytes) {
      if (held + bytes > limit) return false
      held += bytes
      return true
    },
    give(bytes) {
      held -= bytes
    },
  }
}

/** Reads no further than the limit: what is larger is refused by its announced length, or at the byte that is too much. */
export async function readBody(request: Request, limit: number, hold: (bytes: number) => boolean): Promise<Body> {
  try {
    return await read(request, limit, hold)
  } catch {
    // The sender went away, or sent no HTTP: nobody hears the answer.
    return { refused: 'broken off' }
  }
}

async function read(request: Request, limit: number, hold: (bytes: number) => boolean): Promise<Body> {
  const announced = request.headers.has('transfer-encoding') ? undefined : request.headers.get('content-length')
  if (announced != null) {
    if (Number(announced) > limit) return { refused: 'too large' }
    if (!hold(Number(announced))) return { refused: 'busy' }
    // The parser of HTTP/1.1 ends the body at its announced length, and reading it at once is several times faster than by chunks.
    const bytes = await request.arrayBuffer()
    return bytes.byteLength > limit ? { refused: 'too large' } : decode(new Uint8Array(bytes))
  }
  return await readChunks(request, limit, hold)
}

async function readChunks(request: Request, limit: number, hold: (bytes: number) => boolean): Promise<Body> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    size += read.value.byteLength
    const refused = size > limit ? 'too large' : hold(read.value.byteLength) ? undefined : 'busy'
    if (refused) {
      await reader?.cancel()
      return { refused }
    }
    chunks.push(read.value)
  }
  return decode(Buffer.concat(chunks))
}

const strict = new TextDecoder('utf-8', { fatal: true })
function decode(bytes: Uint8Array): Body {
  try {
    return { text: strict.decode(bytes) }
  } catch {
    return { refused: 'not UTF-8' }
  }
}
