// Role of a container runtime that keeps logs: what a pod's annotations say it printed lies in files that kwok serves as the kubelet's logs.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFault } from '../../../src/domain/fault.ts'
import type { Kinds } from '../../../src/kube/wire.ts'
import { FATE } from '../parts/stages.ts'
import { forEach, type Named, named, nowText, type Role, type Stage } from './role.ts'

/** On a pod: what its container prints, and what the run before printed. */
export const PRINTS = { logs: 'lab.alerts-slm.io/logs', previousLogs: 'lab.alerts-slm.io/previous-logs' } as const

export function logs(stage: Stage): Role {
  const known = new Set<string>()
  return () =>
    forEach(stage.pods.held(), async (pod) => {
      const object = named(pod)
      const { [PRINTS.logs]: now, [PRINTS.previousLogs]: before } = object.annotations
      if (known.has(object.uid) || (now === undefined && before === undefined)) return
      await keepLogs(stage, object, { container: busyContainer(pod, object), now: now ?? '', before: before ?? '' })
      known.add(object.uid)
    })
}
const busyContainer = (pod: Kinds['Pod'], { annotations }: Named): string => annotations[FATE.container] ?? pod.spec?.containers[0]?.name ?? ''

interface Printed {
  readonly container: string
  readonly now: string
  readonly before: string
}

/** Files in the runtime's own format, and the object that tells kwok of them; it goes with its pod. */
export async function keepLogs({ transport, folder }: Stage, { name, namespace, uid }: Named, { container, now, before }: Printed): Promise<void> {
  mkdirSync(join(folder, uid), { recursive: true })
  const file = (run: string, text: string): string => {
    const path = join(folder, uid, `${container}.${run}.log`)
    const at = nowText(transport)
    writeFileSync(
      path,
      text === ''
        ? ''
        : `${text
            .replace(/\n$/, '')
            .split('\n')
            .map((line) => `${at} stdout F ${line}`)
            .join('\n')}\n`,
    )
    return path
  }
  const spec = { logs: [{ containers: [container], logsFile: file('current', now), previousLogsFile: file('previous', before), follow: false }] }
  const metadata = { name, namespace, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid }] }
  const path = `/apis/kwok.x-k8s.io/v1alpha1/namespaces/${namespace}/logs`
  try {
    await transport.send({ method: 'POST', path, body: { apiVersion: 'kwok.x-k8s.io/v1alpha1', kind: 'Logs', metadata, spec } })
  } catch (error) {
    // The pod of a StatefulSet comes back under its name: the files of the one before are not its own.
    if (!isFault(error, 'CLUSTER_CONFLICT')) throw error
    await transport.send({ method: 'PATCH', path: `${path}/${name}`, body: { metadata, spec }, contentType: 'application/merge-patch+json' })
  }
}
