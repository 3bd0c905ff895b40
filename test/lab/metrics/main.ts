// A server of metrics.k8s.io behind the API server's aggregation: PodMetrics of the lab's pods, as metrics-server would answer.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { connect } from '../../../src/kube/connect.ts'
import { parseLabelSelector } from '../../../src/kube/selector.ts'
import type { PodMetrics } from '../../../src/kube/wire.ts'
import { realPorts } from '../../../src/ports.ts'
import { watchCluster } from '../exporter/cluster-watch.ts'
import { metricsOf } from './usage.ts'

const [kubeconfig = '', port = '', certificate = '', key = ''] = process.argv.slice(2)
const { transport } = await connect({ kubeconfig, requestsPerSecond: 100, burst: 100 }, realPorts)
const pods = watchCluster(transport, 'Pod', (why) => process.stderr.write(`Pod: ${why}\n`))

const API = 'metrics.k8s.io/v1beta1'
const VERSION = { groupVersion: API, version: 'v1beta1' }
const GROUP = { kind: 'APIGroup', apiVersion: 'v1', name: 'metrics.k8s.io', versions: [VERSION], preferredVersion: VERSION }
const RESOURCES = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: API,
  resources: [{ name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] }],
}
const PATH = new RegExp(`^/apis/${API}(?:/namespaces/(?<namespace>[^/]+))?/pods(?:/(?<name>[^/]+))?$`)

interface Answer {
  readonly status: number
  readonly body: object
}
const ok = (body: object): Answer => ({ status: 200, body })
const failed = (code: number, reason: string, message: string): Answer => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
})

function answer(url: URL): Answer {
  if (url.pathname === `/apis/${API}`) return ok(RESOURCES)
  if (url.pathname === '/apis/metrics.k8s.io') return ok(GROUP)
  if (url.pathname === '/apis') return ok({ kind: 'APIGroupList', apiVersion: 'v1', groups: [GROUP] })
  const found = PATH.exec(url.pathname)
  if (!found) return failed(404, 'NotFound', 'the server could not find the requested resource')
  const { namespace, name } = found.groups ?? {}
  const held = measured(namespace)
  if (!held) return failed(503, 'ServiceUnavailable', 'the pods are not held yet')
  if (name === undefined) return listed(held, url.searchParams.get('labelSelector') ?? '')
  const one = held.find(({ metadata }) => metadata?.name === name)
  return one ? ok({ kind: 'PodMetrics', apiVersion: API, ...one }) : failed(404, 'NotFound', `podmetrics.metrics.k8s.io "${namespace}/${name}" not found`)
}

function listed(held: readonly PodMetrics[], labelSelector: string): Answer {
  const fits = parseLabelSelector(labelSelector)
  if (!fits) return failed(400, 'BadRequest', `${labelSelector} is no label selector`)
  return ok({ kind: 'PodMetricsList', apiVersion: API, metadata: {}, items: held.filter(({ metadata }) => fits(metadata?.labels ?? {})) })
}

const measured = (namespace: string | undefined): readonly PodMetrics[] | undefined =>
  pods
    .held()
    ?.filter(({ metadata }) => namespace === undefined || metadata?.namespace === namespace)
    .flatMap((pod) => metricsOf(pod, realPorts.clock.now()) ?? [])

function respond(request: IncomingMessage, response: ServerResponse): void {
  const { status, body } = answer(new URL(request.url ?? '/', 'https://metrics'))
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, respond).listen(Number(port), '127.0.0.1')
