// The command line. Every command is loaded only when it is called: a sidecar pays for none of the others.
import { Command, CommanderError } from 'commander'
import { Fault } from '../domain/fault.ts'
import { staysAlive } from '../ports.ts'

const COMMANDS: readonly (readonly [string, () => Promise<{ readonly command: () => Command }>])[] = [
  ['start', () => import('./start.ts')],
  ['sidecar', () => import('./sidecar.ts')],
  ['practice', () => import('./practice.ts')],
  ['rules', () => import('./rules.ts')],
  ['cases', () => import('./cases.ts')],
  ['actions', () => import('./actions.ts')],
  ['rbac', () => import('./rbac.ts')],
  ['config', () => import('./config.ts')],
  ['snapshot', () => import('./snapshot.ts')],
  ['doctor', () => import('./doctor.ts')],
]

/** Loads the one command that is named, or all of them for the help text. */
async function program(args: readonly string[]): Promise<Command> {
  const root = new Command('alerts-slm')
    .description("Repairs what a namespace's Prometheus alerts report: rules first, every action proven or undone")
    .version((await import('../config/assets.ts')).version())
    .configureHelp({ sortSubcommands: false })
  const named = COMMANDS.filter(([name]) => name === args[0])
  for (const [, load] of named.length > 0 ? named : COMMANDS) root.addCommand((await load()).command())
  return ours(root)
}

/** Added commands inherit nothing: each of them has to throw instead of ending the process, and to say where its help is. */
function ours(command: Command): Command {
  command.exitOverride().showHelpAfterError('(add --help for what can be given here)')
  for (const sub of command.commands) ours(sub)
  return command
}

/** Whoever reads us has had enough (`… | head`): no fault of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

/** Exit codes: 0 done, 1 the answer is no (a test failed, an ending was not the expected one), 2 it could not be tried. */
async function main(): Promise<void> {
  const args = process.argv.slice(2)
  try {
    await staysAlive((await program(args)).parseAsync(args, { from: 'user' }))
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else if (error instanceof Fault) {
      process.stderr.write(`${error.message}\n${error.hint}\n`)
      process.exitCode = 2
    } else throw error
  }
}

await main()
