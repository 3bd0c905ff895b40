// `alerts-slm doctor`: what can be reached and what may be done, each with what to do about it. Writes nothing.
import { Command } from 'commander'
import { checkConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { realPorts } from '../ports.ts'
import { type Check, wrong } from './doctor-check.ts'
import { clusterChecks } from './doctor-cluster.ts'
import { localChecks } from './doctor-local.ts'
import { paint, print, printJson } from './output.ts'

interface Options {
  readonly config?: string
  readonly json?: boolean
}

async function examine({ config: file }: Options): Promise<readonly Check[]> {
  const checked = await checkConfig({ environment: process.env, ...(file !== undefined && { file }) })
  if ('problems' in checked) return checked.problems.map(({ path, problem, remedy }) => wrong('configuration', `${path || 'the file'}: ${problem}`, remedy))
  const { config } = checked
  return [{ name: 'configuration', state: 'ok', says: sourceOf(config, file) }, ...(await localChecks(config, realPorts)), ...(await clusterChecks(config, realPorts))]
}
const sourceOf = ({ actions }: Config, file: string | undefined): string =>
  `${file ?? process.env['ALERTS_SLM_CONFIG'] ?? 'defaults and environment'}, mode ${actions.dry_run ? 'observe (dry run)' : actions.mode}`

const MARKS = { ok: ['green', '✓'], note: ['dim', '·'], warn: ['yellow', '!'], wrong: ['red', '✗'] } as const

async function doctor(options: Options): Promise<void> {
  const checks = await examine(options)
  const ok = checks.every(({ state }) => state !== 'wrong')
  if (!ok) process.exitCode = 1
  if (options.json) return printJson({ ok, checks })
  for (const { name, state, says, remedy } of checks) {
    const [style, mark] = MARKS[state]
    print(`${paint(style, mark)} ${name}: ${says}`)
    if (remedy !== undefined) print(`    ${remedy}`)
  }
  print(ok ? paint('green', '\nnothing is in the way') : paint('red', '\nsomething is in the way'))
}

export function command(): Command {
  return new Command('doctor')
    .description('what can be reached, which rights are missing for what, and what to do')
    .option('--config <file>', 'the configuration file (or ALERTS_SLM_CONFIG)')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExit code 1 when something is wrong. Rights are asked for as whoever runs this: run it in the pod, or with its token, to learn about the sidecar.')
    .action(doctor)
}
