// `npm start`: the main job on the practice cluster, with embedded defaults. Incidents happen, the sidecar repairs, and every ending is
// accounted for. Nothing outside this process is touched.
import { Command } from 'commander'
import { alertName } from '../domain/alert.ts'
import type { Closed } from '../domain/case-file.ts'
import { formatDuration } from '../domain/duration.ts'
import { type Ports, pause } from '../domain/ports.ts'
import { describeRef } from '../domain/target.ts'
import { realPorts } from '../ports.ts'
import { differences, type Ending, type Incident, readIncidents } from '../practice/incidents.ts'
import { caseLine } from '../telemetry/log.ts'
import { paint, paintOutcome, print, printJsonLine, printTable } from './output.ts'
import { type PracticeCluster, startPracticeCluster } from './practice-cluster.ts'
import { signalled } from './signalled.ts'

interface StartOptions {
  readonly once?: boolean
  readonly json?: boolean
  readonly incident?: string[]
  readonly within: string
}
interface Ended {
  readonly closed: Closed
  readonly ms: number
}

export const endingOf = ({ page, outcome, reason }: Closed): Ending => ({
  workload: 'target' in page ? page.target.owner.name : '',
  alert: alertName(page.alerts[0]),
  outcome,
  action: 'plan' in page ? page.plan.action : 'decision' in page ? page.decision.action : undefined,
  reason,
})

/** Quiet is: all that was to happen has happened, no case is open, and this twice in a row. */
async function untilQuiet(cluster: PracticeCluster, ports: Ports, limitMs: number): Promise<boolean> {
  const until = ports.clock.elapsed() + limitMs
  for (let quiet = 0; quiet < 3; ) {
    if (ports.clock.elapsed() > until) return false
    await pause(ports.timers, 200)
    quiet = cluster.world.quiet() && cluster.app.history.openCases().length === 0 && cluster.app.walking() === 0 ? quiet + 1 : 0
  }
  return true
}

function account(ended: readonly Ended[], incidents: readonly Incident[], deliveries: (closed: Closed) => number): void {
  print('')
  printTable(
    ['ALERT', 'TARGET', 'DECIDED BY', 'ACTION', 'OUTCOME', 'REASON', 'TOOK', 'DELIVERIES'],
    ended.map(({ closed, ms }) => {
      const { page } = closed
      const decision = 'decision' in page ? page.decision : undefined
      return [
        alertName(page.alerts[0]),
        'target' in page ? describeRef(page.target.owner) : '',
        decision ? `${decision.by} ${decision.rule ?? ''}`.trim() : '',
        decision?.action ?? '',
        paintOutcome(closed.outcome),
        closed.reason,
        formatDuration(ms),
        String(deliveries(closed)),
      ]
    }),
  )
  print('')
  for (const incident of incidents) {
    print(paint('bold', `${incident.name}: ${incident.title}`))
    for (const { closed } of ended.filter((one) => incident.workloads.includes(endingOf(one.closed).workload))) {
      print(`  ${paintOutcome(closed.outcome)} ${alertName(closed.page.alerts[0])}: ${closed.because}`)
      if ('decision' in closed.page) print(paint('dim', `    decided because ${closed.page.decision.because}`))
    }
  }
}

async function run(options: StartOptions): Promise<void> {
  const ports = realPorts
  const incidents = await readIncidents(options.incident)
  const ended: Ended[] = []
  const say = (text: string) => {
    if (!options.json) print(text)
  }
  const began = ports.clock.elapsed()
  const cluster = await startPracticeCluster({
    ports,
    environment: process.env,
    incidents,
    onClosed(closed) {
      const now = ports.clock.now()
      ended.push({ closed, ms: now - closed.page.openedAt })
      if (options.json) {
        const { case: id, alert, namespace, target, decidedBy, rule, action, outcome, reason, ms } = caseLine(closed, now)
        printJsonLine({ case: id, alert, namespace, target, decidedBy, rule, action, outcome, reason, ms })
      } else
        print(
          `${paint('dim', formatDuration(ports.clock.elapsed() - began).padStart(6))}  ${paintOutcome(closed.outcome)} ${alertName(closed.page.alerts[0])} ${'target' in closed.page ? describeRef(closed.page.target.owner) : ''}`,
        )
    },
  })
  say(`practice cluster with ${incidents.length} incidents, sidecar at ${cluster.app.urls.webhook}, operations at ${cluster.app.urls.operations}`)
  say('settling times are short here; nothing else differs from a real namespace\n')
  const ending = signalled()
  const quiet = await Promise.race([untilQuiet(cluster, ports, Number(options.within) * 1_000), ending])
  if (typeof quiet === 'string') return cluster.stop(quiet)
  if (!options.json) account(ended, incidents, ({ page }) => cluster.app.history.deliveriesOf(page.id))
  const wrong = [
    ...differences(
      incidents,
      ended.map(({ closed }) => endingOf(closed)),
    ).map(({ incident, problem }) => `${incident}: ${problem}`),
    ...(quiet
      ? []
      : [
          `not all was over within ${options.within} s: ${
            cluster.app.history
              .openCases()
              .map((open) => `${open.alert} ${open.owner ?? ''} waits for ${open.waitingFor ?? 'its walk'}`)
              .join(', ') || 'the world is not quiet'
          }`,
        ]),
  ]
  for (const line of wrong) process.stderr.write(`${paint('red', 'not as expected')}  ${line}\n`)
  if (wrong.length === 0) say(`\n${paint('green', `all ${incidents.length} incidents ended as expected`)}`)
  if (options.once) {
    await cluster.stop('once')
    process.exitCode = wrong.length > 0 ? 1 : 0
    return
  }
  say(`\nstill serving: POST alerts to ${cluster.app.urls.webhook}/alerts, read ${cluster.app.urls.operations}/metrics; stop with Ctrl-C`)
  await cluster.stop(await ending)
}

export function command(): Command {
  return new Command('start')
    .description('the main job on a practice cluster: incidents happen and are repaired, nothing outside is touched')
    .option('--once', 'end when all is over; exit code 0 when every ending is the expected one')
    .option('--json', 'one JSON line a closed case')
    .option('--incident <name...>', 'only these incidents')
    .option('--within <seconds>', 'how long all may take', '90')
    .addHelpText('after', '\nWEBHOOK_PORT and WEBHOOK_AUTH_TOKEN are honoured.')
    .action(run)
}
