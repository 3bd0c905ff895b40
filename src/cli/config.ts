// `alerts-slm config print | check | schema`: what is in force, what is wrong with it, and what there is to set.
import { Command } from 'commander'
import { checkConfig } from '../config/load.ts'
import { printable, printConfig } from '../config/print.ts'
import { type Config, configSchema } from '../config/schema.ts'
import { Fault } from '../domain/fault.ts'
import { networks } from '../doors/networks.ts'
import { screenRules, secretFilesOf } from '../edges.ts'
import { realPorts } from '../ports.ts'
import { configured } from './configured.ts'
import { paint, print, printJson } from './output.ts'

interface Options {
  readonly config?: string
  readonly json?: boolean
}
interface Wrong {
  readonly path: string
  readonly problem: string
  readonly remedy: string
}

/** What no schema can tell: each of these would keep the sidecar from starting. */
function problemsAtStart(config: Config): readonly Wrong[] {
  const tries = [
    () => screenRules(config),
    () => networks(config.webhook.allow_from, 'webhook.allow_from'),
    () => networks(config.webhook.trusted_proxies, 'webhook.trusted_proxies'),
    ...secretFilesOf(config, realPorts.clock),
  ]
  return tries.flatMap((attempt) => {
    try {
      attempt()
      return []
    } catch (error) {
      if (error instanceof Fault) return [{ path: '', problem: error.message, remedy: 'correct it where it stands' }]
      throw error
    }
  })
}

async function check({ config: file, json }: Options): Promise<void> {
  const checked = await checkConfig({ environment: process.env, ...(file !== undefined && { file }) })
  const problems = 'problems' in checked ? checked.problems : problemsAtStart(checked.config)
  if (problems.length > 0) process.exitCode = 1
  if (json) return printJson({ ok: problems.length === 0, problems })
  for (const { path, problem, remedy } of problems) print(`${paint('red', path || '(file)')}: ${problem}; ${remedy}`)
  if (problems.length === 0) print(paint('green', 'the configuration is sound'))
}

export function command(): Command {
  const config = new Command('config').description('the configuration: file, environment and defaults together')
  const sub = (name: string, description: string) => config.command(name).description(description).option('--config <file>', 'the configuration file (or ALERTS_SLM_CONFIG)')
  sub('print', 'what is in force, secrets taken out')
    .option('--json', 'as JSON')
    .action(async ({ config: file, json }: Options) => {
      const inForce = await configured(file)
      if (json) printJson(printable(inForce))
      else process.stdout.write(await printConfig(inForce))
    })
  sub('check', 'every problem at once; exit code 1 when there is one').option('--json', 'as JSON').action(check)
  config
    .command('schema')
    .description('every field with its default, as JSON schema')
    .option('--json', 'as JSON, which it is anyway')
    .action(() => printJson(configSchema()))
  return config
}
