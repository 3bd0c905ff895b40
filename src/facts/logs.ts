// The end of the container's log, by class: at most 200 lines and 32 KiB of the present run and of the one before.
import * as z from 'zod'
import { isFault } from '../domain/fault.ts'
import { isUnknown, type Unknown, unknown } from '../domain/unknown.ts'
import type { LogOptions, Reader } from '../kube/wire.ts'
import { defineFact, type Fact } from './define-fact.ts'
import { classify, LOG_CLASSES } from './log-classes.ts'
import { OWN_PODS, POD_LOGS } from './needs.ts'
import { chosenPod, ofTarget, type Pod } from './owned.ts'
import { str } from './plain.ts'
import { chosenContainer, statusOf } from './pod-state.ts'
import { count, knowable } from './shape.ts'

const TAIL_LINES = 200
const LIMIT_BYTES = 32 * 1024

/** A run that never began has no log, and the API server answers 400 for it. */
function runsOf(pod: Pod, container: string): readonly ('previous' | 'current')[] {
  const status = statusOf(pod, container)
  const ended = status?.lastState?.terminated ? (['previous'] as const) : []
  const present = status?.state?.running || status?.state?.terminated ? (['current'] as const) : []
  return [...ended, ...present]
}

/** A log that the kubelet has thrown away leaves the other run's; what it told is unknown, and so is that it told nothing. */
async function textOf(read: Reader, pod: string, options: LogOptions): Promise<string | Unknown> {
  try {
    return await read.logs(pod, options)
  } catch (error) {
    if (isFault(error, 'CLUSTER_NOT_FOUND', 'CLUSTER_INVALID')) return unknown(`the log of the ${options.previous ? 'run before' : 'present run'} is not kept`)
    throw error
  }
}
const linesOf = (text: string): readonly string[] =>
  text
    .slice(-LIMIT_BYTES)
    .split('\n')
    .filter((line) => line !== '')
    .slice(-TAIL_LINES)

export const logs: Fact = defineFact({
  name: 'logs',
  group: 'logs',
  summary: "the end of the container's log, by class and never as text; null when there is no pod",
  schema: z
    .object({
      classes: z.array(knowable(z.string())).describe(`what the lines tell: ${LOG_CLASSES.join(', ')}`),
      lines: count('lines read'),
    })
    .nullable(),
  cost: 9,
  needs: [...OWN_PODS, POD_LOGS],
  read: (from) =>
    ofTarget(from, async (target) => {
      const pod = await chosenPod(from, target)
      if (pod === null || isUnknown(pod)) return pod
      const [name, container] = [str(pod.metadata?.name), chosenContainer(pod, target.container, from.now)]
      if (!name || !container) return { classes: [], lines: 0 }
      const options = { container, tailLines: TAIL_LINES, limitBytes: LIMIT_BYTES }
      const texts = await Promise.all(runsOf(pod, container).map((run) => textOf(from.read, name, { ...options, previous: run === 'previous' })))
      const lines = texts.flatMap((text) => (isUnknown(text) ? [] : linesOf(text)))
      return { classes: [...classify(lines), ...texts.filter(isUnknown)], lines: lines.length }
    }),
})
