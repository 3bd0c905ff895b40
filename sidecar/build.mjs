// `npm run build`: one CommonJS file with everything the sidecar needs but the native library, its code cache, and the rules it starts
// with, under dist/sidecar. It is what the image holds; `node dist/sidecar/load.cjs` runs it.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { FLAGS } from './flags.mjs'
import { warm } from './warm.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'dist/sidecar')
/** Loaded only where they are used, so they stay files of their own. */
const LAZY = ['@kubernetes/client-node']
/** Native code cannot be bundled. */
const NATIVE = 'libsql'

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const common = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  charset: 'ascii',
  logLevel: 'warning',
  absWorkingDir: root,
  define: { 'import.meta.url': '__moduleUrl' },
  banner: { js: 'const __moduleUrl=require("node:url").pathToFileURL(__filename).href;' },
}
const lazyFile = (name) => `./${name.replace(/[^a-z]+/g, '-').replace(/^-/, '')}.cjs`
const lazyOutside = {
  name: 'lazy-packages',
  setup(plugin) {
    plugin.onResolve({ filter: /.*/ }, ({ path, kind }) => (LAZY.includes(path) && kind === 'dynamic-import' ? { path: lazyFile(path), external: true } : undefined))
  },
}
await build({ ...common, entryPoints: ['sidecar/main.ts'], outfile: join(out, 'sidecar.cjs'), external: [NATIVE], plugins: [lazyOutside] })
for (const name of LAZY) await build({ ...common, stdin: { contents: `export * from ${JSON.stringify(name)}`, resolveDir: root }, outfile: join(out, lazyFile(name)) })

// The native library with what it needs, and nothing of the rest of node_modules.
const copied = new Set()
const copyPackage = (name) => {
  const from = join(root, 'node_modules', name)
  if (copied.has(name) || !existsSync(from)) return
  copied.add(name)
  cpSync(from, join(out, 'node_modules', name), { recursive: true, filter: (path) => !path.slice(from.length).includes('/node_modules') })
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
  for (const next of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) copyPackage(next)
}
copyPackage(NATIVE)

for (const asset of ['rules/library.json', 'package.json']) {
  mkdirSync(dirname(join(out, asset)), { recursive: true })
  cpSync(join(root, asset), join(out, asset))
}
cpSync(join(root, 'sidecar/load.cjs'), join(out, 'load.cjs'))

writeFileSync(join(out, 'run'), `#!/bin/sh\nexec node ${FLAGS.join(' ')} "$(dirname "$0")/load.cjs" "$@"\n`, { mode: 0o755 })
await warm(out)

const size = (path) => (statSync(path).isDirectory() ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0) : statSync(path).size)
const kib = (path) => `${Math.round(size(join(out, path)) / 1024)} KiB`
process.stdout.write(
  `dist/sidecar: sidecar.cjs ${kib('sidecar.cjs')}, code cache ${kib('sidecar.cjs.v8')}, ${[...copied].length} native and lazy packages ${kib('node_modules')}\n`,
)
writeFileSync(join(out, 'VERSION'), `${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`)
