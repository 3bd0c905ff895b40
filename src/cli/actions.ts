// `alerts-slm actions list | show`: what can be done to whom, with which rights.
import { Command } from 'commander'
import * as z from 'zod'
import { ACTIONS, findAction } from '../actions/catalogue.ts'
import type { Action } from '../actions/define-action.ts'
import { Fault } from '../domain/fault.ts'
import type { Right } from '../domain/plan.ts'
import { paint, print, printJson, printTable } from './output.ts'

const describeRight = ({ apiGroup, resource, verbs }: Right): string => `${resource}${apiGroup ? `.${apiGroup}` : ''}: ${verbs.join(', ')}`
const asJson = (action: Action) => ({
  name: action.name,
  summary: action.summary,
  category: action.category,
  safety: action.safety,
  scope: action.scope,
  targets: action.targets,
  undoWhen: action.undoWhen,
  needs: action.needs,
  parameters: z.toJSONSchema(action.params, { io: 'input' }),
})

function show(action: Action): void {
  print(`${paint('bold', action.name)}  ${action.summary}`)
  print(`  acts on    ${action.targets.join(', ') || 'nothing: it only reads'}`)
  print(`  safety     ${action.safety}; undone by itself when: ${action.undoWhen}`)
  print(`  needs      ${action.needs.map(describeRight).join('\n             ') || 'no right'}`)
  print(`  parameters ${JSON.stringify(z.toJSONSchema(action.params, { io: 'input' }), null, 2).replaceAll('\n', '\n             ')}`)
}

export function command(): Command {
  const actions = new Command('actions').description('the actions that rules and people may use')
  actions
    .command('list')
    .description('all actions, one a line')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => {
      if (json) return printJson(ACTIONS.map(asJson))
      printTable(
        ['ACTION', 'SAFETY', 'ACTS ON', 'WHAT IT DOES'],
        ACTIONS.map((action) => [action.name, action.safety, action.targets.join(','), action.summary]),
      )
    })
  actions
    .command('show')
    .description('one action: parameters, rights, undo')
    .argument('<name>', 'as `actions list` prints it')
    .option('--json', 'as JSON')
    .action((name: string, { json }: { json?: boolean }) => {
      const action = findAction(name)
      if (!action) throw new Fault('INPUT_INVALID', `no action named ${name}; there are ${ACTIONS.map((one) => one.name).join(', ')}`)
      if (json) return printJson(asJson(action))
      show(action)
    })
  return actions
}
