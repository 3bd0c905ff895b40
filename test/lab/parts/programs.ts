// A program of the lab that does one thing and ends, such as a client.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** What it printed; when it fails, what it complained of. */
export async function ask(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment } })
  let [said, complained] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complained += chunk))
  const [code]: unknown[] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${complained.trim()}`)
  return said
}
