import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { temporaryFolder } from '../../test/temporary.ts'
import type { HttpRequest, Ports, Tls } from '../domain/ports.ts'
import { type ConnectOptions, connect } from './connect.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Sections {
  readonly cluster?: object
  readonly user?: object
  readonly namespace?: string
}
/** JSON is YAML. */
function kubeconfig({ cluster = {}, user = {}, namespace }: Sections): string {
  const file = join(temporaryFolder(), 'config')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'dev',
    clusters: [
      { name: 'c', cluster: { server: 'https://api.example.com:6443', ...cluster } },
      { name: 'other', cluster: { server: 'https://other.example.com' } },
    ],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'dev', context: { cluster: 'c', user: 'u', ...(namespace !== undefined && { namespace }) } },
      { name: 'prod', context: { cluster: 'other', user: 'u', namespace: 'shop' } },
    ],
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}

/** Ports whose HTTP answers everything, and what came by. */
function recording() {
  const manual = manualPorts()
  const pools: Tls[] = []
  const requests: HttpRequest[] = []
  const ports: Ports = {
    ...manual,
    http: (tls = {}) => {
      pools.push(tls)
      return async (request) => {
        requests.push(request)
        return { status: 200, headers: { 'content-type': 'application/json' }, text: async () => '{}', chunks: async function* () {} }
      }
    },
  }
  const asked = async (options: ConnectOptions) => {
    const connection = await connect(options, ports)
    await connection.transport.send({ method: 'GET', path: '/api' })
    return { connection, request: requests.at(-1) ?? expect.fail('nothing was sent') }
  }
  return { manual, ports, pools, requests, asked }
}

describe('a plain connection', () => {
  it('sends the token, and like the account of a pod never loads the Kubernetes client library', async () => {
    const { asked } = recording()
    const { connection, request } = await asked({ server: 'http://user:pw@127.0.0.1:1/', token: 's3cret', namespace: 'team-a' })
    expect(request).toMatchObject({ url: 'http://user:pw@127.0.0.1:1/api', headers: { authorization: 'Bearer s3cret' } })
    expect(connection).toMatchObject({ namespace: 'team-a', describe: 'http://127.0.0.1:1' })

    const mount = temporaryFolder()
    writeFileSync(join(mount, 'token'), 't')
    const program = `
      import { registerHooks } from 'node:module'
      registerHooks({ resolve: (name, context, next) => { if (name.startsWith('@kubernetes/')) throw new Error('loaded ' + name); return next(name, context) } })
      const { connect } = await import(${JSON.stringify(new URL('connect.ts', import.meta.url).href)})
      const { realPorts } = await import(${JSON.stringify(new URL('../ports.ts', import.meta.url).href)})
      await connect({ server: 'http://127.0.0.1:1', token: 't' }, realPorts)
      await connect({ environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1', HOME: '/nowhere' }, accountFolder: ${JSON.stringify(mount)} }, realPorts)
      process.stdout.write('connected')`
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) })
    expect(run.stdout || run.stderr).toBe('connected')
  })
})

describe("a connection by the pod's own account", () => {
  const pod = (files: Readonly<Record<string, string>>) => {
    const folder = temporaryFolder()
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443', HOME: folder }
    return { folder, options: { environment, accountFolder: folder } }
  }
  const account = { token: 'first\n', 'ca.crt': 'the CA', namespace: 'team-a' }

  it('takes server, CA, token and namespace from where they are mounted', async () => {
    const { asked, pools } = recording()
    const { connection, request } = await asked(pod(account).options)
    expect(request).toMatchObject({ url: 'https://10.0.0.1:443/api', headers: { authorization: 'Bearer first' } })
    expect(pools).toEqual([{ ca: 'the CA' }])
    expect(connection).toMatchObject({ namespace: 'team-a', describe: "https://10.0.0.1:443 (the pod's service account)" })
  })

  it('uses the token that the kubelet has put there since, over the same connections', async () => {
    const { asked, manual, pools, requests } = recording()
    const { folder, options } = pod(account)
    const { connection } = await asked(options)
    writeFileSync(join(folder, 'token'), 'second')
    await manual.advance(10_000)
    await connection.transport.send({ method: 'GET', path: '/api' })
    expect(requests.map(({ headers }) => headers?.['authorization'])).toEqual(['Bearer first', 'Bearer second'])
    expect(pools).toHaveLength(1)
  })

  it('writes IPv6 addresses as URLs want them', async () => {
    const { asked } = recording()
    const { options } = pod(account)
    const { request } = await asked({ ...options, environment: { ...options.environment, KUBERNETES_SERVICE_HOST: 'fd00::1' } })
    expect(request.url).toBe('https://[fd00::1]:443/api')
  })

  it('gives way to a kubeconfig that is named', async () => {
    const { asked } = recording()
    const { options } = pod(account)
    expect((await asked({ ...options, kubeconfig: kubeconfig({}) })).connection.describe).toContain('context dev')
  })

  it('that lost its token is a fault when something is asked, not a request without one', async () => {
    const { folder, options } = pod(account)
    const { ports, requests } = recording()
    const { transport } = await connect(options, ports)
    rmSync(join(folder, 'token'))
    await expect(transport.send({ method: 'GET', path: '/api' })).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
    expect(requests).toEqual([])
  })
})

describe('a connection by kubeconfig', () => {
  it('takes server, CA, token and namespace of the current context', async () => {
    const { asked, pools } = recording()
    const file = kubeconfig({ cluster: { 'certificate-authority-data': base64('the CA'), 'tls-server-name': 'api' }, user: { token: 's3cret' }, namespace: 'team-a' })
    const { connection, request } = await asked({ kubeconfig: file })
    expect(request).toMatchObject({ url: 'https://api.example.com:6443/api', headers: { authorization: 'Bearer s3cret' } })
    expect(pools).toEqual([{ ca: 'the CA', serverName: 'api' }])
    expect(connection).toMatchObject({ namespace: 'team-a', describe: 'https://api.example.com:6443 (context dev)' })
  })

  it('takes another context when it is named, and the namespace that is asked for', async () => {
    const { asked } = recording()
    const file = kubeconfig({})
    expect((await asked({ kubeconfig: file, context: 'prod' })).connection).toMatchObject({ namespace: 'shop', describe: 'https://other.example.com (context prod)' })
    expect((await asked({ kubeconfig: file, namespace: 'team-b' })).connection.namespace).toBe('team-b')
    expect((await asked({ kubeconfig: file })).connection.namespace).toBe('default')
  })

  it('presents a client certificate, and verifies nothing only when told so', async () => {
    const { asked, pools } = recording()
    const user = { 'client-certificate-data': base64('the certificate'), 'client-key-data': base64('the key') }
    await asked({ kubeconfig: kubeconfig({ user, cluster: { 'insecure-skip-tls-verify': true } }) })
    expect(pools).toEqual([{ cert: 'the certificate', key: 'the key', skipVerify: true }])
  })

  it('logs in with name and password', async () => {
    const { asked } = recording()
    const { request } = await asked({ kubeconfig: kubeconfig({ user: { username: 'me', password: 'pw' } }) })
    expect(request.headers?.['authorization']).toBe(`Basic ${base64('me:pw')}`)
  })

  it('asks a credential plugin for the token, and again when it has expired', async () => {
    const { asked, manual, requests } = recording()
    const count = join(temporaryFolder(), 'count')
    writeFileSync(count, '')
    const plugin = `
      const fs = require('node:fs')
      fs.appendFileSync(${JSON.stringify(count)}, 'x')
      const token = 'token-' + fs.readFileSync(${JSON.stringify(count)}, 'utf8').length
      console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token, expirationTimestamp: '2020-01-01T00:00:00Z' } }))`
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['--eval', plugin], interactiveMode: 'Never' }
    const { connection } = await asked({ kubeconfig: kubeconfig({ user: { exec } }) })
    await connection.transport.send({ method: 'GET', path: '/api' })
    await manual.advance(10_000)
    await connection.transport.send({ method: 'GET', path: '/api' })
    expect(requests.map(({ headers }) => headers?.['authorization'])).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
  })

  it('opens new connections when the certificate was renewed, and keeps them when it was not', async () => {
    const { asked, manual, pools } = recording()
    const folder = temporaryFolder()
    const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    writeFileSync(cert, 'first')
    writeFileSync(key, 'key')
    const { connection } = await asked({ kubeconfig: kubeconfig({ user: { 'client-certificate': cert, 'client-key': key } }) })
    const again = async () => {
      await manual.advance(10_000)
      await connection.transport.send({ method: 'GET', path: '/api' })
    }
    await again()
    expect(pools).toHaveLength(1)
    writeFileSync(cert, 'second')
    await again()
    expect(pools.map((tls) => tls.cert)).toEqual(['first', 'second'])
  })

  it('takes an http:// server as it is: practice writes such files', async () => {
    const { asked } = recording()
    const { request } = await asked({ kubeconfig: kubeconfig({ cluster: { server: 'http://127.0.0.1:8001' }, user: { token: 't' } }) })
    expect(request).toMatchObject({ url: 'http://127.0.0.1:8001/api', headers: { authorization: 'Bearer t' } })
  })

  it.each([
    ['a missing file', () => ({ kubeconfig: '/nowhere/config' }), /\/nowhere\/config cannot be read \(ENOENT\)/],
    ['an unknown context', () => ({ kubeconfig: kubeconfig({}), context: 'staging' }), /no context staging; it has dev, prod/],
    ['a proxy', () => ({ kubeconfig: kubeconfig({ cluster: { 'proxy-url': 'http://proxy:3128' } }) }), /proxy-url/],
  ])('refuses %s in words', async (_, options, words) => {
    await expect(connect(options(), recording().ports)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(words) })
  })

  it('does not quote a file that it cannot parse', async () => {
    const file = join(temporaryFolder(), 'config')
    writeFileSync(file, 'users:\n  - token: "s3cret\n')
    const fault: unknown = await connect({ kubeconfig: file }, recording().ports).catch((error: unknown) => error)
    expect(fault).toMatchObject({ code: 'CONFIG_INVALID', cause: undefined })
    expect(String(fault)).not.toContain('s3cret')
  })
})
