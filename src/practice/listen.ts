// Real HTTP on the loopback interface over a fetch function, with TLS when a certificate is given.
import { createServer as plainServer } from 'node:http'
import { createServer as tlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Fault } from '../domain/fault.ts'

/** Rejecting with this means: the peer gets no answer, its connection breaks. */
export class Cut extends Error {
  constructor() {
    super('the connection was cut')
    this.name = 'Cut'
  }
}

export interface Listening {
  readonly url: string
  readonly port: number
  readonly close: () => Promise<void>
}
export interface ListenOptions {
  /** PEM. With `ca`, clients must show a certificate of that authority. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string }
  readonly host?: string
}

export function listen(fetch: (request: Request) => Promise<Response>, port = 0, options: ListenOptions = {}): Promise<Listening> {
  const host = options.host ?? '127.0.0.1'
  const answer = getRequestListener(
    async (request, { incoming }) => {
      try {
        return await fetch(request)
      } catch (error) {
        if (!(error instanceof Cut)) throw error
        incoming.socket.destroy()
        return new Response(null, { status: 500, headers: { 'x-hono-already-sent': 'true' } })
      }
    },
    { overrideGlobalObjects: false },
  )
  const listener: typeof answer = async (incoming, outgoing) => answer(incoming, outgoing)
  const server = options.tls
    ? tlsServer(
        { ...options.tls, requestCert: options.tls.ca !== undefined, rejectUnauthorized: options.tls.ca !== undefined },
        (incoming, outgoing) => void listener(incoming, outgoing),
      )
    : plainServer((incoming, outgoing) => void listener(incoming, outgoing))
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cause.code === 'EADDRINUSE' ? new Fault('PORT_TAKEN', `port ${port} is taken`, { cause }) : cause))
    server.listen(port, host, () => {
      const address = server.address()
      const bound = address !== null && typeof address === 'object' ? address.port : port
      resolve({ url: `${options.tls ? 'https' : 'http'}://${host}:${bound}`, port: bound, close })
    })
  })
}
