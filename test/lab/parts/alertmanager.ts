// Pairs of Alertmanagers that gossip: the newest, and Debian's older one. Each namespace's alerts go to the sidecar of that namespace.
import { readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import * as z from 'zod'
import { realPorts } from '../../../src/ports.ts'
import type { Addresses } from '../addresses.ts'
import { type Binary, pathOf } from '../binaries.ts'
import { answers, type Ground } from '../ground.ts'
import type { Part } from './part.ts'

interface Route {
  readonly namespace: string
  readonly url: string
  /** The token that the sidecar asks for. */
  readonly token?: string
}

/** As in a cluster, with seconds for minutes. */
const TIMES = { group_wait: '1s', group_interval: '2s', repeat_interval: '60s' }
const receiver = ({ namespace, url, token }: Route) => ({
  name: namespace,
  webhook_configs: [{ url, send_resolved: true, ...(token !== undefined && { http_config: { authorization: { credentials: token } } }) }],
})
const configuration = (routes: readonly Route[]): string =>
  stringify({
    global: { resolve_timeout: '30s' },
    route: {
      receiver: 'nobody',
      group_by: ['namespace', 'alertname'],
      ...TIMES,
      routes: routes.map(({ namespace }) => ({ receiver: namespace, matchers: [`namespace = "${namespace}"`] })),
    },
    receivers: [{ name: 'nobody' }, ...routes.map(receiver)],
  })

const configurationFile = (folder: string): string => `${folder}/alertmanager.yaml`

const WRITTEN = z.looseObject({
  receivers: z.array(
    z.object({
      name: z.string(),
      webhook_configs: z.array(z.object({ url: z.string(), http_config: z.object({ authorization: z.object({ credentials: z.string() }) }).optional() })).optional(),
    }),
  ),
})
const routesIn = (text: string): readonly Route[] =>
  WRITTEN.parse(parse(text)).receivers.flatMap(({ name, webhook_configs: [webhook] = [] }) => {
    const token = webhook?.http_config?.authorization.credentials
    return webhook ? [{ namespace: name, url: webhook.url, ...(token !== undefined && { token }) }] : []
  })

/** From now on the alerts of this namespace are sent there; without a URL, to nobody. All peers have taken it over when it resolves. */
export async function routeAlerts(folder: string, addresses: Addresses, route: Omit<Route, 'url'> & { readonly url?: string }): Promise<void> {
  const file = configurationFile(folder)
  const others = routesIn(readFileSync(file, 'utf8')).filter(({ namespace }) => namespace !== route.namespace)
  const { url } = route
  writeFileSync(file, configuration(url === undefined ? others : [...others, { ...route, url }]))
  const http = realPorts.http()
  for (const peer of [...(addresses.alertmanagers ?? []), ...(addresses.debianAlertmanagers ?? [])]) {
    const answer = await http({ method: 'POST', url: `${peer}/-/reload` })
    if (answer.status !== 200) throw new Error(`${peer} did not take over the routes: ${answer.status} ${await answer.text()}`)
  }
}

async function pair(ground: Ground, name: string, binary: Binary): Promise<string[]> {
  const web = [await ground.port(), await ground.port()]
  const gossip = [await ground.port(), await ground.port()]
  writeFileSync(configurationFile(ground.file()), configuration([]))
  const urls = web.map((port) => `http://127.0.0.1:${port}`)
  await Promise.all(
    urls.map((url, place) => {
      const args = [
        `--config.file=${configurationFile(ground.file())}`,
        `--storage.path=${ground.file(`${name}-${place}`)}`,
        `--web.listen-address=${new URL(url).host}`,
        `--cluster.listen-address=127.0.0.1:${gossip[place]}`,
        `--cluster.advertise-address=127.0.0.1:${gossip[place]}`,
        `--cluster.peer=127.0.0.1:${gossip[1 - place]}`,
        '--cluster.gossip-interval=50ms',
        '--cluster.pushpull-interval=2s',
        '--cluster.settle-timeout=2s',
        '--cluster.peer-timeout=2s',
        '--log.level=warn',
      ]
      return ground.run({ name: `${name}-${place}`, program: pathOf(binary), args, ready: () => answers(`${url}/-/ready`) })
    }),
  )
  return urls
}

export const alertmanager: Part = {
  needs: [],
  binaries: ['alertmanager', 'amtool'],
  what: 'a pair of the newest Alertmanager',
  start: async (ground) => ({ alertmanagers: await pair(ground, 'alertmanager', 'alertmanager') }),
}

export const alertmanagerOfDebian: Part = {
  needs: [],
  binaries: ['debian-alertmanager'],
  what: "a pair of Debian's older Alertmanager",
  start: async (ground) => ({ debianAlertmanagers: await pair(ground, 'alertmanager-debian', 'debian-alertmanager') }),
}
