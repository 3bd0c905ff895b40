import { type ContractCluster, kubeClientContract } from '../../test/contract/kube-client.ts'
import { realPorts } from '../ports.ts'
import { httpOf } from '../practice/http.ts'
import { listen } from '../practice/listen.ts'
import { makePractice, type Practice } from '../practice/server.ts'

const NAMESPACE = 'team-a'

function practised(): Practice {
  const practice = makePractice({ ports: realPorts })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
  return practice
}
const common = (practice: Practice): Pick<ContractCluster, 'token' | 'namespace' | 'ports' | 'user'> => ({
  token: practice.adminToken,
  namespace: NAMESPACE,
  ports: realPorts,
  async user(rights) {
    const rules = rights.map(({ apiGroup, resource, verbs }) => ({ apiGroups: [apiGroup], resources: [resource], verbs }))
    practice.addUser({ token: 'limited', name: 'system:serviceaccount:team-a:limited', roles: [{ namespace: NAMESPACE, rules }] })
    return 'limited'
  },
})

kubeClientContract('practice in the same process', async () => {
  const practice = practised()
  return { ...common(practice), http: httpOf(practice.fetch), server: 'http://practice', close: async () => {} }
})

kubeClientContract('practice over HTTP', async () => {
  const practice = practised()
  const { url, close } = await listen(practice.fetch)
  return { ...common(practice), http: realPorts.http(), server: url, close }
})
