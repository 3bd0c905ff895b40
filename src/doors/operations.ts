// The door for those who run it: /health (live), /ready (or what is missing), /metrics. A port of its own, without login: nothing here is secret.
import { Hono } from 'hono'
import { problemResponse } from './problem.ts'

export interface OperationsDeps {
  /** Each says what it still waits for, or undefined. All are asked, so that the answer is complete. */
  readonly readiness: Readonly<Record<string, () => string | undefined>>
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  /** Why the process should be restarted; only for what a restart can cure. */
  readonly stuck?: () => string | undefined
}

export function makeOperations({ readiness, metrics, stuck = () => undefined }: OperationsDeps): Hono {
  const app = new Hono()
  app.get('/health', (c) => {
    const why = stuck()
    return why === undefined ? c.json({ live: true }) : c.json({ live: false, why }, 503)
  })
  app.get('/ready', (c) => {
    const missing = Object.entries(readiness).flatMap(([what, waitsFor]) => {
      const why = waitsFor()
      return why === undefined ? [] : [{ what, why }]
    })
    return missing.length === 0 ? c.json({ ready: true }) : c.json({ ready: false, missing }, 503)
  })
  app.get('/metrics', async (c) => c.body(await metrics.text(), 200, { 'content-type': metrics.contentType }))
  for (const path of ['/health', '/ready', '/metrics'])
    app.all(path, () => problemResponse({ status: 405, code: 'METHOD_NOT_ALLOWED', title: 'Method not allowed', detail: 'This is only read.', headers: { allow: 'GET, HEAD' } }))
  app.notFound(() => problemResponse({ status: 404, code: 'NOT_FOUND', title: 'Not found', detail: 'There are /health, /ready and /metrics.' }))
  return app
}
