// The lab actor: plays what no program of the lab does. Each role is written from the Kubernetes documentation, not from what our actions expect.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pause } from '../../../src/domain/ports.ts'
import { connect } from '../../../src/kube/connect.ts'
import { realPorts } from '../../../src/ports.ts'
import { watchCluster } from '../exporter/cluster-watch.ts'
import { logs } from './logs.ts'
import { resize } from './resize.ts'
import type { Role, Stage } from './role.ts'
import { scripts } from './scripts.ts'
import { volumes } from './volumes.ts'

const [kubeconfig = '', folder = ''] = process.argv.slice(2)
const { transport } = await connect({ kubeconfig, requestsPerSecond: 100, burst: 100 }, realPorts)
const say = (line: string): void => void process.stderr.write(`${line}\n`)
const complain = (kind: string) => (why: string) => say(`${kind}: ${why}`)

mkdirSync(folder, { recursive: true })
const stage: Stage = {
  transport,
  folder,
  pods: watchCluster(transport, 'Pod', complain('Pod')),
  claims: watchCluster(transport, 'PersistentVolumeClaim', complain('PersistentVolumeClaim')),
  nodes: watchCluster(transport, 'Node', complain('Node')),
}
const ROLES: Readonly<Record<string, Role>> = { volumes: volumes(stage), resize: resize(stage), logs: logs(stage), scripts: scripts(stage) }
const EVERY_MS = 200

/** One role after the other, again and again. */
let told = false
for (;;) {
  for (const [name, play] of Object.entries(ROLES)) await play().catch((error: unknown) => say(`${name}: ${error instanceof Error ? error.message : String(error)}`))
  if (!told && [stage.pods, stage.claims, stage.nodes].every(({ held }) => held() !== undefined)) {
    writeFileSync(join(folder, 'ready'), '')
    told = true
  }
  await pause(realPorts.timers, EVERY_MS)
}
