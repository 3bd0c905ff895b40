// `alerts-slm sidecar`: the agent of one namespace, until it is told to stop.
import { Command } from 'commander'
import { startApp } from '../app.ts'
import { realPorts } from '../ports.ts'
import { configured } from './configured.ts'
import { signalled } from './signalled.ts'

export function command(): Command {
  return new Command('sidecar')
    .description('watch over one namespace: take its alerts, decide, repair, verify')
    .option('--config <file>', 'the configuration file (or ALERTS_SLM_CONFIG)')
    .addHelpText(
      'after',
      '\nThe mode is observe unless actions.mode says otherwise: what would be done is told, nothing is written.\nKubernetes is reached as kubectl reaches it, or by the pod’s own account.',
    )
    .action(async ({ config }: { config?: string }) => {
      const app = await startApp({ config: await configured(config), ports: realPorts, environment: process.env })
      await app.stop(await signalled())
    })
}
