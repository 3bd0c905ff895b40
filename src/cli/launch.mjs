// The first file of every npm script. Plain JavaScript without dependencies, so that any Node since 18 can read it: it installs
// what is missing, then hands over to a Node that can run the program. Not a pre-hook: ignore-scripts would skip that.
// Not `node setup && node main`: dash remembers the first `node` it found, so the second would be the old one.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const at = (path) => `${root}${path}`
const fits = (version) => {
  const [major, minor] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 19)
}
/** stdout stays the program's own: npm speaks on stderr. */
const npm = (...args) => {
  const [bin, first] = process.env.npm_execpath ? [process.env.npm_node_execpath ?? process.execPath, [process.env.npm_execpath]] : ['npm', []]
  return spawnSync(bin, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2] }).status ?? 1
}
const stop = (text) => {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

const hash = createHash('sha256')
  .update(readFileSync(at('package-lock.json')))
  .digest('hex')
const stamp = at('node_modules/.installed-from')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
  process.stderr.write('installing dependencies (npm ci) …\n')
  if (npm('ci', '--no-audit', '--no-fund', '--loglevel=error') !== 0) stop('npm ci failed: see above')
  writeFileSync(stamp, hash)
}
const own = at(process.platform === 'win32' ? 'node_modules/node/bin/node.exe' : 'node_modules/node/bin/node')
if (!fits(process.versions.node) && !existsSync(own)) npm('rebuild', 'node', '--ignore-scripts=false')
const node = fits(process.versions.node) ? process.execPath : own
if (!existsSync(node)) stop(`Node.js ${process.versions.node} is too old; install 22.19 or newer, or allow the install script of the package "node"`)

// As a command (`alerts-slm …`, a link to this file) it runs the command line; as `launch.mjs FILE …` it runs that file.
const called = basename(process.argv[1] ?? '') === 'launch.mjs' && realpathSync(process.argv[1]) === process.argv[1]
const args = called ? process.argv.slice(2) : [at('src/cli/main.ts'), ...process.argv.slice(2)]
const child = spawn(node, args, { stdio: 'inherit', env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` } })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
// npm does not pass SIGTERM through its shell: without this, a stopped `npm start` leaves the program running on its port.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) child.kill('SIGTERM')
}, 250).unref()
