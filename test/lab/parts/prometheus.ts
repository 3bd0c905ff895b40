// Prometheus: scrapes the exporter each second, judges the rules of rules.yaml with all their times shortened, tells every Alertmanager.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import * as z from 'zod'
import { LAB, pathOf } from '../binaries.ts'
import { answers } from '../ground.ts'
import { type Part, told } from './part.ts'

/** Minutes of the rules become seconds here. Nothing else of them is changed. */
export const TIMES_SHORTER = 60

const DURATION = /^(\d+)(ms|s|m|h|d)$/
const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const isUnit = (text: string): text is keyof typeof UNIT_MS => Object.hasOwn(UNIT_MS, text)

/** Not below three scrapes: a range that holds fewer samples proves nothing. */
export function shorter(duration: string, times: number): string {
  const [, count = '', unit = ''] = DURATION.exec(duration) ?? []
  if (!isUnit(unit)) throw new Error(`${duration} is no duration of one unit`)
  return `${Math.max(3_000, Math.round((Number(count) * UNIT_MS[unit]) / times))}ms`
}

export const RULES = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().exactOptional(),
          labels: z.record(z.string(), z.string()),
          annotations: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ),
})

/** The rule file with every `for` and every range divided. */
export function shortenedRules(text: string, times: number): string {
  const { groups } = RULES.parse(parse(text))
  return stringify({
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: rule.expr.replaceAll(/\[(\w+)\]/g, (_, range: string) => `[${shorter(range, times)}]`),
        ...(rule.for !== undefined && { for: shorter(rule.for, times) }),
      })),
    })),
  })
}

/** Labels that the scrape of kube-prometheus adds: the exporter's own pod, which a reader must not take for the target. */
const EXPORTER_LABELS = {
  namespace: 'monitoring',
  pod: 'kube-state-metrics-5b9c7d8f4-x2z9k',
  container: 'kube-rbac-proxy-main',
  endpoint: 'https-main',
  service: 'kube-state-metrics',
}

export const prometheus: Part = {
  needs: ['exporter'],
  after: ['alertmanager', 'alertmanager-debian'],
  binaries: ['prometheus'],
  what: 'scrapes the exporter and judges alert rules whose minutes are seconds',
  async start(ground) {
    const url = `http://127.0.0.1:${await ground.port()}`
    const { host } = new URL(url)
    const exporter = new URL(told(ground.addresses, 'exporter')).host
    const { alertmanagers = [], debianAlertmanagers = [] } = ground.addresses
    const peers = [...alertmanagers, ...debianAlertmanagers].map((peer) => new URL(peer).host)
    const configuration = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s', external_labels: { prometheus: 'monitoring/k8s' } },
      rule_files: [ground.file('rules.yaml')],
      alerting: { alertmanagers: [{ static_configs: [{ targets: peers }] }] },
      scrape_configs: [
        { job_name: 'kube-state-metrics', honor_labels: true, static_configs: [{ targets: [exporter], labels: EXPORTER_LABELS }] },
        {
          job_name: 'kubelet',
          honor_labels: true,
          metrics_path: '/kubelet',
          static_configs: [{ targets: [exporter], labels: { endpoint: 'https-metrics', service: 'kubelet', metrics_path: '/metrics' } }],
        },
      ],
    }
    writeFileSync(ground.file('rules.yaml'), shortenedRules(readFileSync(join(LAB, 'rules.yaml'), 'utf8'), TIMES_SHORTER))
    writeFileSync(ground.file('prometheus.yaml'), stringify(configuration))
    const args = [
      `--config.file=${ground.file('prometheus.yaml')}`,
      `--storage.tsdb.path=${ground.file('prometheus')}`,
      `--web.listen-address=${host}`,
      `--web.external-url=${url}`,
      '--rules.alert.resend-delay=2s',
      '--log.level=warn',
    ]
    await ground.run({ name: 'prometheus', program: pathOf('prometheus'), args, ready: () => answers(`${url}/-/ready`) })
    return { prometheus: url }
  },
}
