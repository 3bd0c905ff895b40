// PostgreSQL of Debian, with a cluster of its own that forgets itself with the lab.
import { existsSync } from 'node:fs'
import { pathOf } from '../binaries.ts'
import type { Part } from './part.ts'
import { ask } from './programs.ts'

/** It refuses to run as root. In a user namespace it is somebody else there, and the lab's folder belongs to it all the same. */
const asNobodySpecial = (): readonly [string, ...string[]] | readonly [] =>
  process.getuid?.() === 0 ? [pathOf('unshare'), '--user', '--map-user=1000', '--map-group=1000', '--', pathOf('setpriv'), '--pdeathsig', 'KILL', '--'] : []
const command = (program: string, args: readonly string[]): { readonly program: string; readonly args: readonly string[] } => {
  const [first = program, ...rest] = [...asNobodySpecial(), program, ...args]
  return { program: first, args: rest }
}

/** Rows of the answer, one a line, as psql prints them unaligned. */
export const query = (url: string, sql: string): Promise<string> => ask(pathOf('psql'), ['--no-psqlrc', '-tA', '-v', 'ON_ERROR_STOP=1', '-c', sql, url])

export const postgresql: Part = {
  needs: [],
  binaries: ['postgres', 'initdb', 'psql', 'unshare'],
  what: 'PostgreSQL, as a store of the hub',
  async start(ground) {
    const port = await ground.port()
    const data = ground.file('postgresql')
    const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
    if (!existsSync(data)) {
      const making = command(pathOf('initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'])
      await ask(making.program, making.args)
    }
    const settings = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', max_connections: '50' }
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const ready = async (): Promise<boolean> => (await query(url, 'select 1')).trim() === '1'
    await ground.run({ name: 'postgresql', ...command(pathOf('postgres'), ['-D', data, ...options]), ready })
    return { postgresql: url }
  },
}
