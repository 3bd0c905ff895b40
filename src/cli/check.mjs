// `npm run check`: types, lint and format, dead exports, generated files. Runs all of them and fails if one failed.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const checks = [
  ['types', ['node_modules/typescript/bin/tsc']],
  ['lint and format', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']],
  ['dead exports', ['node_modules/knip/bin/knip.js']],
  ['generated files', ['src/cli/gen.ts', '--check']],
]
const failed = checks.filter(([name, args]) => {
  process.stderr.write(`check: ${name}\n`)
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status !== 0
})
if (failed.length > 0) process.stderr.write(`check failed: ${failed.map(([name]) => name).join(', ')}\n`)
process.exit(failed.length > 0 ? 1 : 0)
