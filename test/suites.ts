// Suites that need more than Node: present, or one visible skipped test that says how to get what is missing; named in
// REQUIRE_SUITES, a missing program is a failure.
import { spawnSync } from 'node:child_process'
import { describe, it } from 'vitest'

const found = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

/** Runs the suite when all its programs are there. `get`: the command that installs them. */
export function suiteNeeding(name: string, needs: { readonly programs: readonly string[]; readonly get: string }, suite: () => void): void {
  const missing = needs.programs.filter((program) => !found(program))
  if (missing.length === 0) return void describe(name, suite)
  const required = (process.env['REQUIRE_SUITES'] ?? '').split(',').includes(name)
  const sentence = `needs ${missing.join(', ')}: ${needs.get}`
  if (required)
    describe(name, () => {
      it(sentence, () => {
        throw new Error(`the suite ${name} must run here and ${sentence}`)
      })
    })
  else describe.skip(`${name} (${sentence})`, () => it('was not run', () => undefined))
}
