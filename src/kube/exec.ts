// Commands in containers: client-node's Exec, loaded when the first command runs. At most once; the caller never repeats it.
import { Writable } from 'node:stream'
import type { Exec as ClientExec, KubeConfig, V1Status } from '@kubernetes/client-node'
import { Fault, type FaultCode, isFault } from '../domain/fault.ts'
import { deadline, type Timers } from '../domain/ports.ts'

export interface ExecRequest {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** An argument vector, never a shell line. */
  readonly argv: readonly string[]
  readonly timeoutMs?: number
}

export interface ExecResult {
  readonly exitCode: number
  /** At most 64 KiB each; what comes after is dropped. */
  readonly stdout: string
  readonly stderr: string
}

export type Exec = (request: ExecRequest) => Promise<ExecResult>

const LONGEST_MS = 60_000
const MOST_BYTES = 64 * 1024

type Socket = Awaited<ReturnType<ClientExec['exec']>>

export function makeExec(config: () => Promise<KubeConfig>, timers: Timers): Exec {
  return async (request) => {
    const { Exec: Client } = await import('@kubernetes/client-node')
    const client = new Client(await config())
    const time = deadline(timers, request.timeoutMs ?? LONGEST_MS, `the command in ${request.namespace}/${request.pod}`)
    try {
      return await run(client, request, time.signal)
    } finally {
      time.cancel()
    }
  }
}

function run(client: ClientExec, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  const { namespace, pod, container, argv } = request
  const [stdout, stderr] = [collector(), collector()]
  let socket: Socket | undefined
  return new Promise<ExecResult>((resolve, reject) => {
    const lost = (why: string) => reject(fault('CLUSTER_ANSWER_UNKNOWN', request, why))
    signal.addEventListener('abort', () => lost(signal.reason instanceof Error ? signal.reason.message : 'given up'), { once: true })
    const ended = (status: V1Status) => {
      const exitCode = exitCodeOf(status)
      if (exitCode === undefined) return lost(status.message ?? 'it ended without an exit code')
      resolve({ exitCode, stdout: stdout.text(), stderr: stderr.text() })
    }
    client.exec(namespace, pod, container, [...argv], stdout.stream, stderr.stream, null, false, ended).then(
      (opened) => {
        socket = opened
        opened.onclose = () => lost('the connection closed before the command ended')
      },
      (error: unknown) => reject(refusal(request, error)),
    )
  }).finally(() => socket?.close())
}

function collector(): { readonly stream: Writable; text(): string } {
  const kept: Buffer[] = []
  let bytes = 0
  const stream = new Writable({
    write(chunk: unknown, _encoding, done) {
      if (Buffer.isBuffer(chunk) && bytes < MOST_BYTES) kept.push(chunk.subarray(0, MOST_BYTES - bytes))
      bytes = kept.reduce((sum, part) => sum + part.length, 0)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(kept).toString('utf8') }
}

/** A Failure of reason NonZeroExitCode carries the code as a cause; any other failure is the runtime's, not the command's. */
function exitCodeOf(status: V1Status): number | undefined {
  if (status.status === 'Success') return 0
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message
  return code === undefined ? undefined : Number(code)
}

const fault = (code: FaultCode, { namespace, pod, argv }: ExecRequest, why: string): Fault => new Fault(code, `exec ${argv[0] ?? ''} ${namespace}/${pod}: ${why}`)

const REFUSALS: Readonly<Record<string, FaultCode>> = { '401': 'CLUSTER_FORBIDDEN', '403': 'CLUSTER_FORBIDDEN', '404': 'CLUSTER_NOT_FOUND', '400': 'CLUSTER_INVALID' }

/** The upgrade was refused or never came about: the command did not run. */
function refusal(request: ExecRequest, error: unknown): Fault {
  if (isFault(error)) return error
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
  const status = /Unexpected server response: (\d{3})/.exec(message)?.[1]
  if (status === undefined) return fault('CLUSTER_UNREACHABLE', request, message)
  return fault(REFUSALS[status] ?? 'CLUSTER_ERROR', request, `the API server refused it with ${status}`)
}
