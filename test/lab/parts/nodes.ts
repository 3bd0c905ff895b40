// kwok with two nodes: pods live there as stages.ts says, without a container.
import { writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { isRecord } from '../../../src/kube/getter.ts'
import { realPorts } from '../../../src/ports.ts'
import { pathOf } from '../binaries.ts'
import { adminOf } from '../cluster.ts'
import type { Ground } from '../ground.ts'
import { flags, kubeconfigOf } from './control-plane.ts'
import type { Part } from './part.ts'
import { STAGES } from './stages.ts'
import { defineLogs, EXEC } from './streams.ts'

const NODES = ['lab-1', 'lab-2']
const ROOM = { cpu: '16', memory: '64Gi', pods: '200' }
const node = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' }, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
  status: { allocatable: ROOM, capacity: ROOM },
})

/** No container runs, so all of whom nothing else is known say the same; in the format in which a runtime keeps logs. */
const LOGS = { 'container.log': 'started', 'container.previous.log': 'fatal: the container of the lab ended' }
const logsOf = (ground: Ground) => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'ClusterLogs',
  metadata: { name: 'all' },
  spec: { logs: [{ logsFile: ground.file('container.log'), previousLogsFile: ground.file('container.previous.log'), follow: false }] },
})

export const kwok: Part = {
  needs: ['kube-apiserver'],
  binaries: ['kwok'],
  what: 'two nodes without containers, whose pods fail as their annotations say',
  async start(ground) {
    const admin = adminOf(ground.addresses)
    for (const name of NODES) await admin.send({ method: 'POST', path: '/api/v1/nodes', body: node(name) })
    await defineLogs(admin)
    const stages = ground.file('kwok.yaml')
    for (const [file, text] of Object.entries(LOGS)) writeFileSync(ground.file(file), `${new Date(realPorts.clock.now()).toISOString()} stdout F ${text}\n`)
    writeFileSync(stages, [...STAGES, logsOf(ground), EXEC].map((stage) => stringify(stage, { lineWidth: 0 })).join('---\n'))
    const port = String(await ground.port())
    const args = {
      kubeconfig: kubeconfigOf(ground, 'kwok'),
      config: stages,
      'enable-crds': 'Logs',
      'manage-all-nodes': 'true',
      cidr: '10.244.0.0/16',
      'node-ip': '127.0.0.1',
      'node-lease-duration-seconds': '40',
      // The kubelet's side of logs; the API server's own certificate is as good as another here, for nobody verifies it.
      'server-address': `127.0.0.1:${port}`,
      'node-port': port,
      'tls-cert-file': ground.file('certificates', 'apiserver.crt'),
      'tls-private-key-file': ground.file('certificates', 'apiserver.key'),
    }
    const isReady = async (name: string): Promise<boolean> => {
      const { body } = await admin.send({ method: 'GET', path: `/api/v1/nodes/${name}` })
      const conditions = isRecord(body) && isRecord(body['status']) ? body['status']['conditions'] : undefined
      return Array.isArray(conditions) && conditions.some((one) => isRecord(one) && one['type'] === 'Ready' && one['status'] === 'True')
    }
    await ground.run({ name: 'kwok', program: pathOf('kwok'), args: flags(args), ready: async () => (await Promise.all(NODES.map(isReady))).every(Boolean) })
    return {}
  },
}
