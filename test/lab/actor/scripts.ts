// Role of a node for the scripts of Jobs: the container's command runs for a while, as nobody, and the pod ends with its exit code.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Kinds } from '../../../src/kube/wire.ts'
import { pathOf } from '../binaries.ts'
import { FATE } from '../parts/stages.ts'
import { keepLogs } from './logs.ts'
import { forEach, named, nowText, patchStatus, type Role, type Stage, statusesOf } from './role.ts'

const RUNS = 'lab.alerts-slm.io/script'
/** Annotations of a Job's pod template: its first container's command is run for real. The pod would complete by itself a day later. */
export const SCRIPT = { [RUNS]: 'runs', [FATE.runs]: '24h' } as const

type Pod = Kinds['Pod']
interface Ended {
  readonly exitCode: number
  readonly printed: string
}

export function scripts(stage: Stage): Role {
  const ended = new Map<string, Ended | 'running' | 'told'>()
  return () =>
    forEach(stage.pods.held(), async (pod) => {
      const { uid, annotations, ending } = named(pod)
      const container = pod.spec?.containers[0]
      const status = statusesOf(pod)[0]
      if (annotations[RUNS] === undefined || ending || !container || !status?.state?.running || pod.status?.phase !== 'Running') return
      const run = `${uid} ${status.restartCount}`
      const state = ended.get(run)
      if (state === undefined) {
        ended.set(run, 'running')
        void runScript([...(container.command ?? []), ...(container.args ?? [])], environmentOf(container)).then((end) => ended.set(run, end))
      } else if (typeof state === 'object') {
        await report(stage, pod, state)
        ended.set(run, 'told')
      }
    })
}
type Container = NonNullable<Pod['spec']>['containers'][number]
const environmentOf = ({ env = [] }: Container): Readonly<Record<string, string>> =>
  Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))

const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups']

/** What it prints is its log. A command that does not exist ends as a runtime reports it. */
async function runScript(command: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ended> {
  const args = ['--pdeathsig', 'KILL', ...(process.getuid?.() === 0 ? NOBODY : []), '--', ...(command.length > 0 ? command : ['true'])]
  const child = spawn(pathOf('setpriv'), args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...environment } })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const [code, signal]: unknown[] = await once(child, 'close')
  return { exitCode: typeof code === 'number' ? code : signal === 'SIGKILL' ? 137 : 143, printed }
}

async function report(stage: Stage, pod: Pod, { exitCode, printed }: Ended): Promise<void> {
  const object = named(pod)
  const at = nowText(stage.transport)
  const [first, ...others] = statusesOf(pod)
  if (!first) return
  await keepLogs(stage, object, { container: first.name, now: printed, before: '' })
  const startedAt = first.state?.running?.startedAt
  const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: at, ...(startedAt && { startedAt }), containerID: first.containerID }
  const over = exitCode === 0 || pod.spec?.restartPolicy === 'Never'
  await patchStatus(stage.transport, 'pods', object, {
    containerStatuses: [{ ...first, ready: false, started: false, state: { terminated } }, ...others],
    ...(over && { phase: exitCode === 0 ? 'Succeeded' : 'Failed' }),
    conditions: (pod.status?.conditions ?? []).map((one) =>
      one.type === 'Ready' || one.type === 'ContainersReady'
        ? { ...one, status: 'False', reason: exitCode === 0 ? 'PodCompleted' : 'ContainersNotReady', lastTransitionTime: at }
        : one,
    ),
  })
}
