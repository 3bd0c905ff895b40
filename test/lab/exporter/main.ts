// The exporter: watches the API server and prints what kube-state-metrics would of the same objects, and the kubelet of volumes.
import { createServer } from 'node:http'
import { connect } from '../../../src/kube/connect.ts'
import type { Kind, Kinds } from '../../../src/kube/wire.ts'
import { realPorts } from '../../../src/ports.ts'
import { type ClusterWatch, watchCluster } from './cluster-watch.ts'
import { ofPod } from './pod-series.ts'
import { page, type Sample } from './sample.ts'
import { ofAutoscaler, ofClaim, ofDaemonSet, ofDeployment, ofDisruptionBudget, ofJob, ofNode, ofQuota, ofStatefulSet, ofVolume } from './workload-series.ts'

const [kubeconfig = '', port = ''] = process.argv.slice(2)
const { transport } = await connect({ kubeconfig, requestsPerSecond: 100, burst: 100 }, realPorts)
const say = (line: string) => process.stderr.write(`${line}\n`)

type Series = () => readonly Sample[] | undefined
const seriesOf =
  <K extends Kind>({ held }: ClusterWatch<K>, of: (object: Kinds[K]) => readonly Sample[]): Series =>
  () =>
    held()?.flatMap(of)
const watched = <K extends Kind>(kind: K): ClusterWatch<K> => watchCluster(transport, kind, (why) => say(`${kind}: ${why}`))

const claims = watched('PersistentVolumeClaim')
const PAGES: Readonly<Record<string, readonly Series[]>> = {
  '/metrics': [
    seriesOf(watched('Pod'), ofPod),
    seriesOf(watched('Deployment'), ofDeployment),
    seriesOf(watched('StatefulSet'), ofStatefulSet),
    seriesOf(watched('DaemonSet'), ofDaemonSet),
    seriesOf(watched('Job'), ofJob),
    seriesOf(watched('HorizontalPodAutoscaler'), ofAutoscaler),
    seriesOf(watched('ResourceQuota'), ofQuota),
    seriesOf(watched('PodDisruptionBudget'), ofDisruptionBudget),
    seriesOf(watched('Node'), ofNode),
    seriesOf(claims, ofClaim),
  ],
  '/kubelet': [seriesOf(claims, ofVolume)],
}

const server = createServer((request, response) => {
  const series = PAGES[new URL(request.url ?? '/', 'http://exporter').pathname]
  const samples = series?.map((read) => read())
  if (!samples) return void response.writeHead(404).end()
  // A page with a kind missing would make alerts resolve that still hold.
  if (samples.includes(undefined)) return void response.writeHead(503).end('not every kind is held\n')
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(page(samples.flatMap((found) => found ?? [])))
})
server.listen(Number(port), '127.0.0.1')
