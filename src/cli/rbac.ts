// `alerts-slm rbac`: the rights that the program needs, as manifests that kubectl applies.
import { Command } from 'commander'
import { stringify } from 'yaml'
import { ACTIONS, findAction } from '../actions/catalogue.ts'
import { Fault } from '../domain/fault.ts'
import { FACTS } from '../facts/catalogue.ts'
import { clusterRole, type Manifest, manifestsFor, policyReader } from '../rights/manifests.ts'
import { rolesFor } from '../rights/roles.ts'
import { configured } from './configured.ts'
import { print, printJson } from './output.ts'

interface Options {
  readonly namespace?: string
  readonly action?: readonly string[]
  readonly config?: string
  readonly json?: boolean
}

async function rbac(options: Options): Promise<void> {
  const config = await configured(options.config)
  const { policy, actions } = config
  const names = options.action ?? actions.allowed ?? ACTIONS.map(({ name }) => name)
  const chosen = names.map(actionNamed)
  const namespace = options.namespace ?? config.namespace
  if (namespace !== undefined && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) throw new Fault('INPUT_INVALID', `--namespace: ${namespace} is no name of a namespace`)
  const manifests: readonly Manifest[] =
    namespace === undefined
      ? rolesFor(chosen, FACTS).map(clusterRole)
      : [...manifestsFor(chosen, FACTS, namespace), ...(policy.config_map ? policyReader(policy.config_map, [namespace]) : [])]
  if (options.json) return printJson({ apiVersion: 'v1', kind: 'List', items: manifests })
  if (namespace === undefined) print('# ClusterRoles only; --namespace NAME adds the account of a namespace and its RoleBindings.')
  process.stdout.write(manifests.map((manifest) => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n'))
}

function actionNamed(name: string) {
  const action = findAction(name)
  if (action) return action
  throw new Fault('INPUT_INVALID', `no action named ${name}; there are ${ACTIONS.map((one) => one.name).join(', ')}`)
}

export function command(): Command {
  return new Command('rbac')
    .description('the Roles and bindings that facts and actions need, for kubectl apply -f -')
    .option('-n, --namespace <name>', 'whose account is bound (default: as configured)')
    .option('--action <name...>', 'only these actions (default: those that are allowed, else all)')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'as one JSON list')
    .action(rbac)
}
