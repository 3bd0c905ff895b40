// The lab's metrics.k8s.io, a small program of ours: registered with the API server, which asks its callers for their rights and passes them on.
import { join } from 'node:path'
import { until } from '../../waiting.ts'
import { LAB } from '../binaries.ts'
import { adminOf } from '../cluster.ts'
import { answers } from '../ground.ts'
import { kubeconfigOf } from './control-plane.ts'
import type { Part } from './part.ts'

const NAME = { name: 'metrics-server', namespace: 'kube-system' }
/** There is no cluster network: the service is only a name for loopback. */
const SERVICE = { apiVersion: 'v1', kind: 'Service', metadata: NAME, spec: { type: 'ExternalName', externalName: 'localhost' } }
const apiService = (port: number) => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1beta1.metrics.k8s.io' },
  spec: {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    service: { ...NAME, port },
    // It shows the API server's own certificate, which names neither of them.
    insecureSkipTLSVerify: true,
  },
})

export const metricsServer: Part = {
  needs: ['kube-apiserver'],
  binaries: [],
  what: 'metrics.k8s.io behind the API server: what pods use, as their annotations say',
  async start(ground) {
    const port = await ground.port()
    const certificate = ['apiserver.crt', 'apiserver.key'].map((file) => ground.file('certificates', file))
    const args = [join(LAB, 'metrics', 'main.ts'), kubeconfigOf(ground, 'metrics-server'), String(port), ...certificate]
    const admin = adminOf(ground.addresses)
    const aggregated = async (): Promise<boolean> => (await admin.send({ method: 'GET', path: '/apis/metrics.k8s.io/v1beta1/pods' })).status === 200
    await ground.run({ name: 'metrics-server', program: process.execPath, args, ready: () => answers(`https://localhost:${port}/apis/metrics.k8s.io/v1beta1/pods`) })
    await admin.send({ method: 'POST', path: '/api/v1/namespaces/kube-system/services', body: SERVICE })
    await admin.send({ method: 'POST', path: '/apis/apiregistration.k8s.io/v1/apiservices', body: apiService(port) })
    await until('the API server passes on to metrics.k8s.io', () => aggregated().catch(() => false), { everyMs: 100 })
    return {}
  },
}
