// Real Alertmanagers on loopback ports: one, or a pair that gossips. Only their waiting times are short, and those by their configuration.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { type Alertmanager, makeAlertmanager } from '../../src/alertmanager/client.ts'
import type { HttpRequest } from '../../src/domain/ports.ts'
import { realPorts } from '../../src/ports.ts'
import { type Ends, start } from '../child-processes.ts'
import { temporaryFolder } from '../temporary.ts'
import { until } from '../waiting.ts'

export interface Routing {
  readonly groupBy?: readonly string[]
  readonly groupWait?: string
  readonly repeatInterval?: string
  /** Alerts in one delivery at most; 0: all. */
  readonly maxAlerts?: number
}
export interface AlertmanagersOptions extends Routing {
  readonly peers: 1 | 2
  readonly webhook: { readonly url: string; readonly token: string }
}
export interface Alertmanagers {
  readonly urls: readonly string[]
  /** Posts to each peer, as Prometheus does. */
  readonly post: Alertmanager['post']
  /** At one peer, which tells the other. Gives what ends it. */
  readonly silence: (labels: Readonly<Record<string, string>>) => Promise<() => Promise<void>>
}

const http = realPorts.http()
async function call(method: HttpRequest['method'], url: string, body?: unknown): Promise<unknown> {
  const answer = await http({ method, url, headers: { 'content-type': 'application/json' }, ...(body !== undefined && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${method} ${url} answered ${answer.status}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

export async function startAlertmanagers(options: AlertmanagersOptions, ends: Ends): Promise<Alertmanagers> {
  const folder = temporaryFolder(ends)
  const config = join(folder, 'alertmanager.yml')
  writeFileSync(config, JSON.stringify(configuration(options)))
  const first = await startOne(config, join(folder, '0'), options.peers === 1 ? [] : GOSSIP, ends)
  const urls = [first]
  if (options.peers === 2) {
    const { address } = STATUS.parse(await call('GET', `${first}/api/v2/status`)).cluster.peers[0] ?? { address: '' }
    const second = await startOne(config, join(folder, '1'), [...GOSSIP, `--cluster.peer=${address}`], ends)
    urls.push(second)
    const status = async () => STATUS.parse(await call('GET', `${second}/api/v2/status`)).cluster
    await until('both are one cluster', async () => {
      const { status: state, peers } = await status()
      return state === 'ready' && peers.length === 2
    })
  }
  const client = makeAlertmanager({ peers: urls.map((url) => ({ url, http })), timers: realPorts.timers })
  return {
    urls,
    post: client.post,
    async silence(labels) {
      const now = realPorts.clock.now()
      const matchers = Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }))
      const times = { startsAt: new Date(now).toISOString(), endsAt: new Date(now + 600_000).toISOString() }
      const { silenceID } = SILENCE.parse(await call('POST', `${first}/api/v2/silences`, { matchers, ...times, createdBy: 'a person', comment: 'I look at it myself' }))
      return async () => void (await call('DELETE', `${first}/api/v2/silence/${silenceID}`))
    },
  }
}
const STATUS = z.object({ cluster: z.object({ status: z.string(), peers: z.array(z.object({ address: z.string() })).default([]) }) })
const SILENCE = z.object({ silenceID: z.string() })

/** A pair whose gossip is slow: neither hears in time that the other has sent, so both send, as they do when the network between them is cut. */
const GOSSIP = [
  '--cluster.listen-address=127.0.0.1:0',
  '--cluster.advertise-address=127.0.0.1:0',
  '--cluster.gossip-interval=10s',
  '--cluster.peer-timeout=1ms',
  '--cluster.settle-timeout=1s',
]

async function startOne(config: string, storage: string, cluster: readonly string[], ends: Ends): Promise<string> {
  const network = cluster.length > 0 ? cluster : ['--cluster.listen-address=']
  const process = start('prometheus-alertmanager', [`--config.file=${config}`, `--storage.path=${storage}`, '--web.listen-address=127.0.0.1:0', ...network], { ends })
  const [, address] = await process.says(/msg="Listening on" address=(\S+)/)
  return `http://${address}`
}

/** JSON is YAML. */
const configuration = ({ webhook, groupBy = ['alertname', 'namespace'], groupWait = '500ms', repeatInterval = '1h', maxAlerts = 0 }: AlertmanagersOptions) => ({
  route: { receiver: 'sidecar', group_by: groupBy, group_wait: groupWait, group_interval: '1s', repeat_interval: repeatInterval },
  receivers: [
    {
      name: 'sidecar',
      webhook_configs: [{ url: webhook.url, send_resolved: true, max_alerts: maxAlerts, http_config: { authorization: { type: 'Bearer', credentials: webhook.token } } }],
    },
  ],
})
