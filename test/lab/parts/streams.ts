// What kwok serves of a kubelet's streams beside the common logs: logs of single pods as objects say, and exec.
import type { Transport } from '../../../src/kube/transport.ts'
import { until } from '../../waiting.ts'

const GROUP = 'kwok.x-k8s.io'

/** kwok's own kind, with the schema left open: the lab actor writes one for each pod that says what it prints. */
const LOGS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `logs.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { kind: 'Logs', listKind: 'LogsList', plural: 'logs', singular: 'logs' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        subresources: { status: {} },
      },
    ],
  },
}

/** kwok looks for the kind when it begins. */
export async function defineLogs(admin: Transport): Promise<void> {
  await admin.send({ method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', body: LOGS })
  const served = () =>
    admin.send({ method: 'GET', path: `/apis/${GROUP}/v1alpha1/logs` }).then(
      () => true,
      () => false,
    )
  await until('the API server serves the logs of kwok', served, { everyMs: 50 })
}

const NOBODY = 65_534
/** A command runs on this machine, as nobody; without the right to become nobody, as whoever runs the lab. */
export const EXEC = {
  apiVersion: `${GROUP}/v1alpha1`,
  kind: 'ClusterExec',
  metadata: { name: 'all' },
  spec: { execs: [{ local: { workDir: '/', ...(process.getuid?.() === 0 && { securityContext: { runAsUser: NOBODY, runAsGroup: NOBODY } }) } }] },
}
