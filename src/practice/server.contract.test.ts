// The practice API server against the contract, in process and over a socket.
import { kubernetesContract } from '../../test/contract/kubernetes.ts'
import { realPorts } from '../ports.ts'
import { httpOf } from './http.ts'
import { listen } from './listen.ts'
import { makePractice } from './server.ts'

const limited = { token: 'limited', name: 'limited' }

kubernetesContract('the practice API server in process', async () => {
  const practice = makePractice({ ports: realPorts })
  practice.addUser(limited)
  return { http: httpOf(practice.fetch), server: 'http://practice', admin: practice.adminToken, limited, namespace: 'contract' }
})

kubernetesContract('the practice API server on a socket', async () => {
  const practice = makePractice({ ports: realPorts })
  practice.addUser(limited)
  const { url } = await listen(practice.fetch)
  return { http: realPorts.http(), server: url, admin: practice.adminToken, limited, namespace: 'contract' }
})
