// Where the parts of a running lab answer, and the file that tells other processes.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

const url = z.string().exactOptional()

const ADDRESSES = z.strictObject({
  etcd: url,
  apiServer: url,
  /** File of the certificate authority. */
  ca: url,
  adminToken: url,
  kubeconfig: url,
  kubectl: url,
  /** What the API server wrote down of every request, one JSON object a line. */
  auditLog: url,
  exporter: url,
  prometheus: url,
  /** Configuration from which the lab's Alertmanagers route; rewritten when a route is added. */
  alertmanagers: z.array(z.string()).exactOptional(),
  debianAlertmanagers: z.array(z.string()).exactOptional(),
  ollama: url,
  postgresql: url,
  /** Streamable HTTP of kubernetes-mcp-server. */
  mcpServer: url,
  /** Where Chromium's DevTools protocol answers. */
  chromium: url,
})
export type Addresses = z.output<typeof ADDRESSES>

const STATE = z.strictObject({
  pid: z.int(),
  folder: z.string(),
  startedAt: z.string(),
  parts: z.array(z.strictObject({ name: z.string(), state: z.enum(['starting', 'runs', 'ended']), processes: z.array(z.strictObject({ name: z.string(), pid: z.int() })) })),
  addresses: ADDRESSES,
})
export type LabState = z.output<typeof STATE>

const STATE_FILE = 'state.json'

export function writeState(state: LabState): void {
  const file = join(state.folder, STATE_FILE)
  writeFileSync(`${file}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** undefined: nothing was written there, or what wrote it is gone. */
export function readState(folder: string): LabState | undefined {
  const text = textOf(join(folder, STATE_FILE))
  const state = text === undefined ? undefined : STATE.parse(JSON.parse(text))
  return state && lives(state.pid) ? state : undefined
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** A process that has ended and that nobody has taken note of yet (a zombie) answers to signals, and does not live. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return !/^\d+ \(.*\) Z /.test(textOf(`/proc/${pid}/stat`) ?? '')
}
