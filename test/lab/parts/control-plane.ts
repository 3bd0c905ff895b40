// etcd, kube-apiserver, kube-controller-manager and kube-scheduler, as they run in a cluster, on loopback and for one machine.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import * as z from 'zod'
import { realPorts } from '../../../src/ports.ts'
import { pathOf } from '../binaries.ts'
import { answers, type Ground } from '../ground.ts'
import { type Part, told } from './part.ts'

export const etcd: Part = {
  needs: [],
  binaries: ['etcd'],
  what: "the API server's store",
  async start(ground) {
    const [client, peer] = [`http://127.0.0.1:${await ground.port()}`, `http://127.0.0.1:${await ground.port()}`]
    const args = {
      'data-dir': ground.file('etcd'),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `default=${peer}`,
      'log-level': 'warn',
    }
    await ground.run({ name: 'etcd', program: pathOf('etcd'), args: ['--unsafe-no-fsync', ...flags(args)], ready: () => answers(`${client}/health`) })
    return { etcd: client }
  },
}

/** Everyone of the control plane has an account of its own, so that the audit log tells them apart. */
const ACCOUNTS = ['admin', 'kube-controller-manager', 'kube-scheduler', 'kwok', 'exporter', 'metrics-server', 'actor'] as const
type Account = (typeof ACCOUNTS)[number]

/** Writes of everybody, with what they sent; reads only of service accounts, whose rights are in question. */
const AUDIT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'Request', userGroups: ['system:serviceaccounts'], verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
    { level: 'Metadata', userGroups: ['system:serviceaccounts'] },
    { level: 'None', users: ['kwok', 'kube-scheduler'] },
    { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
    { level: 'None' },
  ],
}

export const apiServer: Part = {
  needs: ['etcd'],
  binaries: ['kube-apiserver', 'kubectl'],
  what: 'the API server, with RBAC, tokens of service accounts and an audit log',
  async start(ground) {
    const port = await ground.port()
    const url = `https://127.0.0.1:${port}`
    keys(ground)
    const tokens = accounts(ground)
    writeFileSync(ground.file('audit-policy.yaml'), stringify(AUDIT))
    const args = {
      'etcd-servers': told(ground.addresses, 'etcd'),
      'bind-address': '127.0.0.1',
      'secure-port': String(port),
      'endpoint-reconciler-type': 'none',
      'cert-dir': ground.file('certificates'),
      'service-cluster-ip-range': '10.0.0.0/24',
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': ground.file('service-accounts.pub'),
      'service-account-signing-key-file': ground.file('service-accounts.key'),
      'token-auth-file': ground.file('tokens.csv'),
      'authorization-mode': 'RBAC',
      // No name service knows the nodes.
      'kubelet-preferred-address-types': 'InternalIP',
      'audit-policy-file': ground.file('audit-policy.yaml'),
      'audit-log-path': ground.file('audit.log'),
    }
    // Asked as an administrator: a server that answers and does not know its accounts yet is not ready.
    const ready = async () => {
      const ca = readFileSync(ground.file('certificates', 'apiserver.crt'), 'utf8')
      const { status } = await realPorts.http({ ca })({ method: 'GET', url: `${url}/readyz`, headers: { authorization: `Bearer ${tokens.admin}` } })
      return status === 200
    }
    await ground.run({ name: 'kube-apiserver', program: pathOf('kube-apiserver'), args: flags(args), ready })
    const ca = ground.file('certificates', 'apiserver.crt')
    for (const account of ACCOUNTS) writeFileSync(kubeconfigOf(ground, account), kubeconfig(url, ca, account, tokens[account]), { mode: 0o600 })
    return { apiServer: url, ca, adminToken: tokens.admin, kubeconfig: kubeconfigOf(ground, 'admin'), kubectl: pathOf('kubectl'), auditLog: ground.file('audit.log') }
  },
}

export const controllerManager: Part = {
  needs: ['kube-apiserver'],
  binaries: ['kube-controller-manager'],
  what: 'the controllers: Deployments, StatefulSets, Jobs, garbage, quota and the rest',
  async start(ground) {
    const port = await ground.port()
    const args = {
      ...served(ground, 'kube-controller-manager', port),
      'service-account-private-key-file': ground.file('service-accounts.key'),
      'root-ca-file': told(ground.addresses, 'ca'),
      'use-service-account-credentials': 'false',
      // A minute of patience is for networks; here nodes answer at once.
      'node-monitor-grace-period': '20s',
      'node-monitor-period': '2s',
      'horizontal-pod-autoscaler-sync-period': '2s',
      'resource-quota-sync-period': '5s',
    }
    await ground.run({ name: 'kube-controller-manager', program: pathOf('kube-controller-manager'), args: flags(args), ready: () => answers(`https://127.0.0.1:${port}/healthz`) })
    return {}
  },
}

export const scheduler: Part = {
  needs: ['kube-apiserver'],
  binaries: ['kube-scheduler'],
  what: 'places pods on nodes',
  async start(ground) {
    const port = await ground.port()
    const args = served(ground, 'kube-scheduler', port)
    await ground.run({ name: 'kube-scheduler', program: pathOf('kube-scheduler'), args: flags(args), ready: () => answers(`https://127.0.0.1:${port}/healthz`) })
    return {}
  },
}

const served = (ground: Ground, account: Account, port: number) => ({
  kubeconfig: kubeconfigOf(ground, account),
  'leader-elect': 'false',
  'bind-address': '127.0.0.1',
  'secure-port': String(port),
  'cert-dir': ground.file('certificates', account),
})

export const kubeconfigOf = (ground: Ground, account: Account): string => ground.file(`${account}.kubeconfig`)

export const flags = (values: Readonly<Record<string, string>>): readonly string[] => Object.entries(values).map(([name, value]) => `--${name}=${value}`)

function keys(ground: Ground): void {
  if (existsSync(ground.file('service-accounts.key'))) return
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(ground.file('service-accounts.key'), privateKey, { mode: 0o600 })
  writeFileSync(ground.file('service-accounts.pub'), publicKey)
}

const TOKENS = z.record(z.enum(ACCOUNTS), z.string())

function accounts(ground: Ground): Readonly<Record<Account, string>> {
  const tokens = TOKENS.parse(Object.fromEntries(ACCOUNTS.map((account) => [account, randomBytes(24).toString('hex')])))
  const lines = ACCOUNTS.map((account) => `${tokens[account]},${account},${account},"system:masters"\n`)
  writeFileSync(ground.file('tokens.csv'), lines.join(''), { mode: 0o600 })
  return tokens
}

const kubeconfig = (server: string, ca: string, account: Account, token: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: account, user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: account } }],
    'current-context': 'lab',
  })
