// A way to the API server on which one request can be stopped, before it is carried out or after.
import type { HttpRequest } from '../../src/domain/ports.ts'
import { listen } from '../../src/practice/listen.ts'
import type { LabCluster } from './lab-cluster.ts'

export interface Passing {
  readonly method: string
  readonly path: string
  readonly dryRun: boolean
}
/** Instead of the answer: the request may be carried out, now, later or never. */
export type Strike = (carryOut: () => Promise<Response>) => Promise<Response>

export interface StruckApi {
  readonly url: string
  /** The first request that fits meets this; later ones pass. */
  readonly strike: (fits: (passing: Passing) => boolean, strike: Strike) => void
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const methodOf = (name: string): HttpRequest['method'] => METHODS.find((one) => one === name) ?? 'GET'
const PASSED_ON = ['authorization', 'content-type', 'accept']

export async function struckApi(lab: LabCluster, ends: (undo: () => Promise<void>) => void): Promise<StruckApi> {
  const strikes: { readonly fits: (passing: Passing) => boolean; readonly strike: Strike }[] = []
  const api = await listen(async (request) => {
    const { pathname, search, searchParams } = new URL(request.url)
    const method = methodOf(request.method)
    const body = method === 'GET' ? undefined : await request.text()
    const headers = Object.fromEntries([...request.headers].filter(([name]) => PASSED_ON.includes(name)))
    const carryOut = async () => {
      // A watch ends with whoever reads it; what was read whole is carried out whole, also when its sender is gone by then.
      const signal = method === 'GET' ? { signal: request.signal } : {}
      const answer = await lab.http({ method, url: `${lab.server}${pathname}${search}`, headers, ...(body ? { body } : {}), ...signal })
      const stream = ReadableStream.from(answer.chunks()).pipeThrough(new TextEncoderStream())
      return new Response(stream, { status: answer.status, headers: { 'content-type': answer.headers['content-type'] ?? 'application/json', date: answer.headers['date'] ?? '' } })
    }
    const passing: Passing = { method, path: pathname, dryRun: searchParams.get('dryRun') === 'All' }
    const at = strikes.findIndex(({ fits }) => fits(passing))
    const [struck] = at < 0 ? [] : strikes.splice(at, 1)
    return struck ? struck.strike(carryOut) : carryOut()
  })
  ends(() => api.close())
  return { url: api.url, strike: (fits, strike) => void strikes.push({ fits, strike }) }
}
