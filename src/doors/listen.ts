// A listener for a door: HTTP or HTTPS with certificates that are read again when they change, and an end that finishes what it has begun.
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps, Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import { Fault } from '../domain/fault.ts'
import type { Timers } from '../domain/ports.ts'
import type { SecurityEvent } from './admission.ts'
import { clientNames, readCertificates, stateOf, type TlsFiles } from './certificates.ts'
import type { Sender } from './networks.ts'

export interface ListenOptions {
  /** A door: `(request, env) => app.fetch(request, env)`. */
  readonly fetch: (request: Request, env: { readonly sender: Sender }) => Response | Promise<Response>
  readonly port: number
  /** All addresses unless one is named. */
  readonly host?: string
  readonly tls?: TlsFiles
  readonly timers: Timers
  /** Handshakes that were refused. */
  readonly security?: (event: SecurityEvent) => void
  /** Certificates that were replaced and cannot be used: the last good ones stay. Told once per trouble. */
  readonly onTrouble?: (why: string) => void
  /** Named in the fault when the port is taken. */
  readonly portSetting?: string
}

export interface Listening {
  readonly url: string
  readonly port: number
  /** Takes nothing new, finishes what is under way, and cuts what is not done by then. */
  close(graceMs: number): Promise<void>
}

/** A whole request must be here by then: a slow sender holds a connection, not a place for ever. */
const REQUEST_MS = 30_000
const HEADERS_MS = 10_000
const CERTIFICATES_EVERY_MS = 5_000
/** Longer than Alertmanager keeps an idle connection (5 minutes): the side that posts should be the one that ends it, or a delivery meets a closed door. */
const KEEP_ALIVE_MS = 360_000
const MAX_CONNECTIONS = 1_024

export async function listen(options: ListenOptions): Promise<Listening> {
  const { tls, timers, host } = options
  const senders = new WeakMap<Socket, Sender>()
  // The adapter can be a quarter cheaper by replacing the process's Request and Response; 40,000 alerts a second without that are enough.
  const handle = getRequestListener((request, env) => options.fetch(request, { sender: senderOf(env.incoming.socket, senders) }), { overrideGlobalObjects: false })
  let closing = false
  const underWay = new Set<ServerResponse>()
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.shouldKeepAlive = !closing && outgoing.shouldKeepAlive
    underWay.add(outgoing)
    outgoing.once('close', () => {
      underWay.delete(outgoing)
      if (closing) server.closeIdleConnections()
    })
    void handle(incoming, outgoing)
  }
  const server = makeServer(tls, onRequest)
  server.requestTimeout = REQUEST_MS
  server.headersTimeout = HEADERS_MS
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.maxConnections = MAX_CONNECTIONS
  if (server instanceof HttpsServer) guardHandshakes(server, tls?.requireClientCertificate === true, options.security ?? (() => {}))
  const port = await bind(server, options)
  const stopReloading = server instanceof HttpsServer && tls ? keepCertificates(server, tls, options) : () => {}
  return {
    port,
    url: `${tls ? 'https' : 'http'}://${inUrl(host ?? '127.0.0.1')}:${port}`,
    close(graceMs) {
      closing = true
      // Keep-alive would let a client send its next request into a server that is ending.
      for (const outgoing of underWay) outgoing.shouldKeepAlive = false
      stopReloading()
      return new Promise((resolve) => {
        const cut = timers.after(graceMs, () => server.closeAllConnections())
        server.close(() => {
          cut()
          resolve()
        })
        server.closeIdleConnections()
      })
    },
  }
}

function makeServer(tls: TlsFiles | undefined, onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Server | HttpsServer {
  if (!tls) return createHttp(onRequest)
  if (tls.requireClientCertificate && tls.clientCaFile === undefined) throw new Fault('CONFIG_INVALID', 'client certificates are required and no CA is named that signs them')
  const { cert, key, ca } = readCertificates(tls)
  try {
    return createHttps({ cert, key, minVersion: 'TLSv1.2', ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: false }) }, onRequest)
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `${tls.certFile} and ${tls.keyFile} are no certificate and its key: ${cause instanceof Error ? cause.message : 'unusable'}`, { cause })
  }
}

/** Once a connection: reading a certificate costs more than all the rest of a small request. */
function senderOf(socket: Socket, senders: WeakMap<Socket, Sender>): Sender {
  const known = senders.get(socket)
  if (known) return known
  const names = socket instanceof TLSSocket ? clientNames(socket) : undefined
  const sender: Sender = { address: socket.remoteAddress ?? 'unknown', ...(names && { certificate: names }) }
  senders.set(socket, sender)
  return sender
}

function bind(server: Server, { port, host, portSetting = 'WEBHOOK_PORT' }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new Fault('PORT_TAKEN', `port ${port} is taken: choose another with ${portSetting}, or stop what listens there`, { cause: error }))
      else reject(new Fault('CONFIG_INVALID', `cannot listen on ${host ?? ''}:${port}: ${error.message}`, { cause: error }))
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve(portOf(server.address()))
    })
  })
}
const portOf = (address: AddressInfo | string | null): number => (typeof address === 'object' && address !== null ? address.port : 0)
const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/**
 * Refuses what has no good client certificate, where one is required. Node would do so by itself, and tell nobody who was refused:
 * this runs before the HTTP parser gets the connection.
 */
function guardHandshakes(server: HttpsServer, required: boolean, security: (event: SecurityEvent) => void): void {
  server.prependListener('secureConnection', (socket) => {
    if (!required || socket.authorized) return
    security({ event: 'handshake_refused', address: socket.remoteAddress ?? 'unknown', why: String(socket.authorizationError ?? 'no certificate') })
    socket.destroy()
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // A client that goes away in mid-handshake (a probe of the port) is no event.
    if (error.code !== 'ECONNRESET') security({ event: 'handshake_refused', address: socket.remoteAddress ?? 'unknown', why: error.code ?? 'TLS' })
  })
}

/** Looked at by a timer: between two requests a certificate can expire. */
function keepCertificates(server: HttpsServer, tls: TlsFiles, { timers, onTrouble }: ListenOptions): () => void {
  let seen = stateOf(tls)
  let cancel = () => {}
  const look = () => {
    const now = stateOf(tls)
    if (now !== seen) {
      seen = now
      try {
        server.setSecureContext({ ...readCertificates(tls), minVersion: 'TLSv1.2' })
      } catch (error) {
        onTrouble?.(`the new certificate cannot be used, the last good one stays: ${error instanceof Error ? error.message : 'unusable'}`)
      }
    }
    cancel = timers.after(CERTIFICATES_EVERY_MS, look)
  }
  cancel = timers.after(CERTIFICATES_EVERY_MS, look)
  return () => cancel()
}
