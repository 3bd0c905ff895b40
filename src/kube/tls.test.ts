import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { suiteNeeding } from '../../test/suites.ts'
import { temporaryFolder } from '../../test/temporary.ts'
import { realPorts } from '../ports.ts'
import { listen } from '../practice/listen.ts'
import { makePractice } from '../practice/server.ts'
import { connect } from './connect.ts'

/** An authority, and a key with its certificate for the server and one for a client. */
function authority(folder: string, name: string) {
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '2', '-subj', `/CN=${name}`)
  return {
    ca: join(folder, `${name}.crt`),
    issue(common: string) {
      openssl('req', ...key, '-keyout', `${common}.key`, '-out', `${common}.csr`, '-subj', `/CN=${common}`)
      writeFileSync(join(folder, `${common}.ext`), 'subjectAltName=IP:127.0.0.1')
      openssl(
        'x509',
        '-req',
        '-in',
        `${common}.csr`,
        '-CA',
        `${name}.crt`,
        '-CAkey',
        `${name}.key`,
        '-CAcreateserial',
        '-days',
        '2',
        '-extfile',
        `${common}.ext`,
        '-out',
        `${common}.crt`,
      )
      return { cert: join(folder, `${common}.crt`), key: join(folder, `${common}.key`) }
    },
  }
}
const text = (file: string) => execFileSync('cat', [file], { encoding: 'utf8' })

suiteNeeding('the Kubernetes client over TLS', { programs: ['openssl'], get: 'apt-get install openssl' }, () => {
  async function serving() {
    const folder = temporaryFolder()
    const own = authority(folder, 'own')
    const [server, client] = [own.issue('server'), own.issue('client')]
    const practice = makePractice({ ports: realPorts })
    const listening = await listen(practice.fetch, 0, { tls: { cert: text(server.cert), key: text(server.key), ca: text(own.ca) } })
    onTestFinished(listening.close)
    const reaching = async (ca: string, user: object) => {
      const config = {
        'current-context': 'c',
        clusters: [{ name: 'c', cluster: { server: listening.url, 'certificate-authority': ca } }],
        users: [{ name: 'c', user: { token: practice.adminToken, ...user } }],
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
      }
      const file = join(folder, 'kubeconfig')
      writeFileSync(file, JSON.stringify(config))
      return (await connect({ kubeconfig: file }, realPorts)).transport
    }
    return { own, stranger: authority(folder, 'stranger'), reaching, user: { 'client-certificate': client.cert, 'client-key': client.key } }
  }
  const list = { method: 'GET', path: '/api/v1/namespaces/default/pods' } as const
  const patch = { method: 'PATCH', path: '/api/v1/namespaces/default/pods/p', body: [] } as const

  it('is let in with its certificate, and not without', async () => {
    const { own, reaching, user } = await serving()
    expect(await (await reaching(own.ca, user)).send(list)).toMatchObject({ status: 200 })
    await expect((await reaching(own.ca, {})).send(list)).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
  })

  it('sends nothing to a server of another authority, and knows that it did not', async () => {
    const { stranger, reaching, user } = await serving()
    await expect((await reaching(stranger.ca, user)).send(patch)).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
  })
})
