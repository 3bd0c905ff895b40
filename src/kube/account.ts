// The pod's own service account: server, namespace, CA and token, read from where Kubernetes mounts them.
// Without client-node, which would cost a sidecar about 90 MB resident for four files.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface PodAccount {
  readonly server: string
  readonly namespace: () => Promise<string | undefined>
  /** As mounted now: the kubelet renews the token long before it expires. */
  readonly read: () => Promise<{ readonly token: string; readonly ca: string }>
}

export type Environment = Readonly<Record<string, string | undefined>>

export const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** undefined outside a pod, or where no account is mounted. */
export function podAccount(environment: Environment, folder = ACCOUNT_FOLDER): PodAccount | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (!host || !existsSync(join(folder, 'token'))) return undefined
  const text = (name: string) => readFile(join(folder, name), 'utf8').then((read) => read.trim())
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: () =>
      text('namespace').then(
        (name) => name || undefined,
        () => undefined,
      ),
    read: async () => ({ token: await text('token'), ca: await text('ca.crt') }),
  }
}
