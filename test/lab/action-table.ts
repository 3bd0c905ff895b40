// `node test/lab/action-table.ts`: writes into the lab's README who answers to each action here, a real controller, the lab actor, or nobody.
// Told from the rights that the action declares, so that a new action has its line without anybody thinking of it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ACTIONS } from '../../src/actions/catalogue.ts'
import type { Action } from '../../src/actions/define-action.ts'
import { LAB } from './binaries.ts'

interface Player {
  readonly by: 'real controller' | 'actor'
  readonly who: string
}
const real = (who: string): Player => ({ by: 'real controller', who })
const acted = (who: string): Player => ({ by: 'actor', who })

/** Who does something about a write of this resource. */
const PLAYERS: Readonly<Record<string, Player>> = {
  'apps/deployments': real('the Deployment controller rolls'),
  'apps/statefulsets': real('the StatefulSet controller rolls'),
  'apps/daemonsets': real('the DaemonSet controller rolls'),
  'apps/deployments/scale': real('the Deployment controller makes or ends pods'),
  'apps/statefulsets/scale': real('the StatefulSet controller makes or ends pods'),
  'apps/replicasets/scale': real('the ReplicaSet controller makes or ends pods'),
  'autoscaling/horizontalpodautoscalers': real("the autoscaler scales by the lab's metrics.k8s.io"),
  'policy/poddisruptionbudgets': real('the disruption controller counts, the API server obeys'),
  'batch/jobs': real('the Job controller makes the pods; the actor runs scripts that ask for it'),
  'batch/cronjobs': real('the CronJob controller makes Jobs'),
  nodes: real('the scheduler and the node lifecycle controller obey'),
  pods: real('the controller that owns the pod makes another; kwok ends this one'),
  'pods/eviction': real('the API server asks disruption budgets; the controller that owns the pod makes another'),
  resourcequotas: real('the API server admits by it, the quota controller counts'),
  'pods/resize': acted('a kubelet that resizes in place'),
  persistentvolumeclaims: acted('a volume driver that lets volumes grow'),
}
const READS = ['get', 'list', 'watch']

const nameOf = (apiGroup: string, resource: string): string => (apiGroup === '' ? resource : `${apiGroup}/${resource}`)
const writtenBy = ({ needs }: Pick<Action, 'needs'>): readonly string[] => [
  ...new Set(needs.filter(({ verbs }) => verbs.some((verb) => !READS.includes(verb))).map(({ apiGroup, resource }) => nameOf(apiGroup, resource))),
]

function row(action: Action): string {
  const written = writtenBy(action)
  const players = written.map((resource) => PLAYERS[resource])
  const by = written.length === 0 || players.includes(undefined) ? 'neither' : players.some((player) => player?.by === 'actor') ? 'actor' : 'real controller'
  const who = written.map((resource) => PLAYERS[resource]?.who ?? `nobody answers to a write of ${resource}`)
  return `| \`${action.name}\` | ${by} | ${who.length > 0 ? [...new Set(who)].join('; ') : 'it writes nothing'} |`
}

const actionTable = (): string => ['| action | what follows is done by | how |', '| --- | --- | --- |', ...ACTIONS.map(row)].join('\n')

const README = join(LAB, 'README.md')
const MARKED = /(<!-- gen:actions -->\n)[\s\S]*?(<!-- \/gen:actions -->)/

/** The README as it is, and as it would be written now. */
export function readme(): { readonly is: string; readonly wanted: string } {
  const is = readFileSync(README, 'utf8')
  if (!MARKED.test(is)) throw new Error(`${README} has lost the marks gen:actions`)
  return { is, wanted: is.replace(MARKED, (_, before: string, after: string) => `${before}${actionTable()}\n${after}`) }
}

if (process.argv[1] === import.meta.filename) writeFileSync(README, readme().wanted)
