// Certificates of the TLS listener: read from files, read again when they change, and the names in the ones that clients show.
import { readFileSync, statSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import { Fault } from '../domain/fault.ts'

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  /** Certificates that clients show must be signed by this. */
  readonly clientCaFile?: string
  /** Refuse clients without a certificate already in the handshake. */
  readonly requireClientCertificate?: boolean
}

export interface Certificates {
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

/** Throws CONFIG_INVALID that names the file. */
export function readCertificates({ certFile, keyFile, clientCaFile }: TlsFiles): Certificates {
  return { cert: read(certFile), key: read(keyFile), ...(clientCaFile !== undefined && { ca: read(clientCaFile) }) }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `the TLS file ${file} cannot be read: ${cause instanceof Error ? cause.message : 'unreadable'}`, { cause })
  }
}

/** What tells one state of the files from another; follows the links of a mounted Secret. */
export function stateOf({ certFile, keyFile, clientCaFile }: TlsFiles): string {
  const state = (file: string | undefined): string => {
    if (file === undefined) return ''
    const found = statSync(file, { throwIfNoEntry: false })
    return found ? `${found.mtimeMs} ${found.ino} ${found.size}` : 'gone'
  }
  return [certFile, keyFile, clientCaFile].map(state).join(' ')
}

/** Common name, DNS and URI names of a certificate that was verified; undefined without one. */
export function clientNames(socket: TLSSocket): readonly string[] | undefined {
  if (!socket.authorized) return undefined
  const { subject, subjectaltname } = socket.getPeerCertificate()
  if (!subject) return undefined
  const common = [subject.CN ?? []].flat()
  return [...common, ...alternativeNames(subjectaltname ?? '')]
}

/** Node quotes a name that holds a comma or a quote, so that no name can pass for two. */
const ALTERNATIVE = /(?:^|, )(DNS|URI):("(?:[^"\\]|\\.)*"|[^,]*)/g
export const alternativeNames = (text: string): readonly string[] =>
  [...text.matchAll(ALTERNATIVE)].flatMap(([, , name = '']) => {
    if (!name.startsWith('"')) return [name]
    const plain: unknown = JSON.parse(name)
    return typeof plain === 'string' ? [plain] : []
  })
