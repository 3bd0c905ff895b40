import { kubeClientContract } from '../../test/contract/kube-client.ts'
import type { Right } from '../domain/plan.ts'
import { realPorts } from '../ports.ts'
import { httpOf } from '../practice/http.ts'
import { makePractice } from '../practice/server.ts'

const NAMESPACE = 'team-a'

kubeClientContract('practice', async () => {
  const practice = makePractice({ ports: realPorts })
  practice.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
  return {
    http: httpOf(practice.fetch),
    server: 'http://practice',
    token: 'admin',
    namespace: NAMESPACE,
    ports: realPorts,
    user: async (_: readonly Right[]) => 'x',
    close: async () => {},
  }
})
