// The same sentences that practice keeps, against kube-apiserver itself.
import { afterAll } from 'vitest'
import { realPorts } from '../../src/ports.ts'
import { kubeClientContract } from '../contract/kube-client.ts'
import { kubernetesContract } from '../contract/kubernetes.ts'
import { type LabCluster, labSuite, withLab } from './lab-cluster.ts'

// No controllers and no nodes: the contracts make pods by hand and look at what the API server alone does.
labSuite('the lab', ['kube-apiserver'], () => {
  let started: Promise<LabCluster> | undefined
  const lab = (): Promise<LabCluster> => (started ??= withLab(['kube-apiserver'], { own: true }))
  let namespaces = 0
  const namespace = async (): Promise<string> => {
    const name = `contract-${namespaces++}`
    await (await lab()).given(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } },
    )
    return name
  }
  afterAll(async () => (await started)?.stop())

  kubernetesContract('kube-apiserver', async () => {
    const { http, server, adminToken, accountWith } = await lab()
    const home = await namespace()
    const token = await accountWith(home, [])
    return { http, server, admin: adminToken, limited: { token, name: `system:serviceaccount:${home}:limited-0` }, namespace: 'contract-of-the-api' }
  })

  kubeClientContract('kube-apiserver', async () => {
    const { http, server, adminToken, accountWith } = await lab()
    const home = await namespace()
    return { http, server, token: adminToken, namespace: home, ports: realPorts, user: (rights) => accountWith(home, rights), close: async () => {} }
  })
})
