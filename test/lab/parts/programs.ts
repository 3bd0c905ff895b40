// How parts call programs: one that does one thing and ends, such as a client; and one that has children of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathOf } from '../binaries.ts'

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

/**
 * A command whose own children would outlive it, in a process namespace that ends with it: however it is ended, the kernel ends all.
 * The shell is there to be ended at once, for unshare itself does not mind a SIGTERM.
 */
export function withItsChildren(program: string, args: readonly string[]): { readonly program: string; readonly args: readonly string[] } {
  const asOurselves = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user']
  const command = [pathOf('setpriv'), '--pdeathsig', 'KILL', '--', pathOf('unshare'), ...asOurselves, '--pid', '--fork', '--kill-child', '--', program, ...args]
  return { program: 'sh', args: ['-c', '"$@" & wait $!', 'sh', ...command] }
}
