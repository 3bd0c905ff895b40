// `alerts-slm rules lint | test | explain`: for whoever writes rules, without a running sidecar.
import { Command } from 'commander'
import type { RuleOptions } from './rule-folders.ts'
import type { ExplainOptions } from './rules-explain.ts'

type Options = RuleOptions & { readonly json?: boolean }

export function command(): Command {
  const rules = new Command('rules').description('check rules, run their tests, explain what they decide')
  const sub = (name: string, description: string) =>
    rules
      .command(name)
      .description(description)
      .option('--rules <dir>', 'a folder of rules in place of the built-in library')
      .option('--operator <dir>', "the operator's layer over it (default: rules.operator_dir)")
      .option('--tenant <dir>', "the tenant's layer over that (default: rules.tenant_dir)")
      .option('--config <file>', 'the configuration file')
      .option('--json', 'as JSON')
  const PATHS =
    '\nWithout paths: all configured layers. Rules below a folder with a conditions.yaml are a book of their own;\nothers are judged as an operator’s layer over the library, whose conditions they may use.'

  sub('lint', 'what is wrong with rules, with its line')
    .argument('[paths...]', 'folders of rules, or files')
    .addHelpText('after', `${PATHS}\nExit code 1 when there are errors; warnings are no errors.`)
    .action(async (paths: string[], options: Options) => (await import('./rules-lint.ts')).lintRules(paths, options))
  sub('test', 'run the tests that lie beside rules')
    .argument('[paths...]', 'folders of rules, or files')
    .addHelpText('after', `${PATHS}\nExit code 1 when a test fails or cannot be read.`)
    .action(async (paths: string[], options: Options) => (await import('./rules-test.ts')).testRules(paths, options))
  sub('explain', 'what would be decided about an alert, and why; nothing is written')
    .requiredOption('--alert <file>', 'an Alertmanager payload, one alert or a list of alerts, as JSON; - for standard input')
    .option('--cluster <dir>', 'a folder of plain manifests with their status, logs/, active-alerts.json and history.json; without it the live cluster')
    .option('--mode <mode>', 'judge the gates in this mode (default: the configured one, which is observe where nothing is configured)')
    .option('--now <time>', 'when the folder is looked at (default: when its snapshot was taken, else this moment)')
    .addHelpText(
      'after',
      '\nWith --json one object for one case, a list for several; alerts about one workload are one case.\nA folder tells nothing of the service account: the gate of rights holds there. The rehearsal is never asked: it would send something.',
    )
    .action(async (options: ExplainOptions) => (await import('./rules-explain.ts')).explainAlerts(options))
  return rules
}
