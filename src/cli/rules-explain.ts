// `alerts-slm rules explain`: what would be decided about an alert, why, what would be done and what every gate says. Writes nothing.
import { readFileSync } from 'node:fs'
import { findAction } from '../actions/catalogue.ts'
import { parseAlertFile } from '../alertmanager/payload.ts'
import type { Alert } from '../domain/alert.ts'
import { caseId } from '../domain/case-file.ts'
import { Fault } from '../domain/fault.ts'
import { MODES, type Mode } from '../domain/policy.ts'
import { ownerKey } from '../domain/target.ts'
import { isUnknown } from '../domain/unknown.ts'
import { screenRules } from '../edges.ts'
import { FACTS } from '../facts/catalogue.ts'
import { gatherEvidence } from '../facts/evidence.ts'
import { realPorts } from '../ports.ts'
import { DEFAULT_LABELS, naming } from '../rooms/locate/label-map.ts'
import { locate } from '../rooms/locate/locate.ts'
import { plan } from '../rooms/plan/plan.ts'
import type { ScreenRules } from '../rooms/screen/screen.ts'
import type { LoadedBook } from '../rulebook/load.ts'
import { type Explained, makeExplain } from '../simulate/explain.ts'
import { renderExplained } from '../simulate/render.ts'
import { configured } from './configured.ts'
import { type ExplainWorld, openFolder, type WorldOptions, withCluster } from './explain-world.ts'
import { print, printJson } from './output.ts'
import { configuredLayers, type RuleOptions } from './rule-folders.ts'
import { bookOf } from './rules-test.ts'

export interface ExplainOptions extends RuleOptions {
  readonly alert: string
  readonly cluster?: string
  readonly mode?: string
  readonly now?: string
  readonly json?: boolean
}
type Alerts = readonly [Alert, ...Alert[]]

export async function explainAlerts(options: ExplainOptions): Promise<void> {
  const config = await configured(options.config)
  const world: WorldOptions = { config, ports: realPorts, mode: modeOf(options.mode) }
  const alerts = readAlerts(options.alert, realPorts.clock.now())
  const ground: Ground = { loaded: await bookOf(await configuredLayers(options)), screening: screenRules(config), alerts }
  const explained =
    options.cluster === undefined ? await withCluster(world, (live) => explainAll(alerts, ground, live)) : await inFolder(options.cluster, options.now, world, ground)
  const [only] = explained
  if (options.json) return printJson(explained.length === 1 ? only : explained)
  print(visible(explained.map(renderExplained).join('\n\n────────\n\n')))
}

/** Labels and logs are other people's words, and a terminal obeys some of them. */
const visible = (text: string): string => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')

interface Ground {
  readonly loaded: LoadedBook
  readonly screening: ScreenRules
  /** All of the file: each fires beside the others. */
  readonly alerts: readonly Alert[]
}

async function inFolder(folder: string, now: string | undefined, options: WorldOptions, ground: Ground): Promise<readonly Explained[]> {
  const worlds = await openFolder(folder, { ...options, now: momentOf(now) })
  const byNamespace = Map.groupBy(ground.alerts, (alert) => naming(alert.labels, DEFAULT_LABELS).namespace ?? options.config.namespace ?? 'default')
  const explained: Explained[] = []
  for (const [namespace, alerts] of byNamespace) explained.push(...(await explainAll(alerts, ground, await worlds.at(namespace))))
  return explained
}

async function explainAll(alerts: readonly Alert[], { loaded, screening, alerts: beside }: Ground, world: ExplainWorld): Promise<readonly Explained[]> {
  const { read, namespace, clock, attempts, counts, policy } = world
  const explain = makeExplain({
    locate: locate({ read, namespace }),
    plan: plan({ actions: findAction, read, clock, allowed: () => policy.allowedActions }),
    gate: world.gates,
  })
  const firing = async () => {
    const others = await world.firing()
    return isUnknown(others) ? others : distinct([...others, ...beside.filter(({ status }) => status === 'firing')])
  }
  const now = clock.now()
  const explained: Explained[] = []
  for (const group of await casesOf(distinct(alerts), world)) {
    const sources = { read, attempts, counts, firing, now }
    explained.push(await explain(group, { book: loaded.book, evidence: (of, target) => gatherEvidence(FACTS, { ...sources, alerts: of, target }), screening, now }))
  }
  return explained
}

const distinct = (alerts: readonly Alert[]): readonly Alert[] => [...new Map(alerts.map((alert) => [alert.fingerprint, alert])).values()]

/** As the dispatcher takes them: alerts about one top owner are one case. What has no object stays by itself. */
async function casesOf(alerts: readonly Alert[], { read, namespace, clock }: ExplainWorld): Promise<readonly Alerts[]> {
  const find = locate({ read, namespace })
  const cases = new Map<string, Alerts>()
  for (const alert of alerts) {
    const found = alert.status === 'firing' ? await find({ at: 'opened', id: caseId('explain'), openedAt: clock.now(), alerts: [alert] }) : undefined
    const key = found?.at === 'located' ? ownerKey(found.target.owner) : alert.fingerprint
    const taken = cases.get(key)
    cases.set(key, taken ? [...taken, alert] : [alert])
  }
  return [...cases.values()]
}

// ── what was asked ─────────────────────────────────────────────────────────────────────────────────────────────────────

function readAlerts(file: string, now: number): readonly Alert[] {
  const wrong = (why: string): Fault => new Fault('INPUT_INVALID', `${file === '-' ? 'what came by standard input' : file} ${why}`)
  const { alerts, problems } = parseAlertFile(parsed(file, wrong), now)
  if (problems.length > 0) throw wrong(`is no alert that can be explained:\n${problems.map(({ path, message }) => `  ${path || '(all of it)'}: ${message}`).join('\n')}`)
  if (alerts.length === 0) throw wrong('holds no alert')
  return alerts
}
function parsed(file: string, wrong: (why: string) => Fault): unknown {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw wrong(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw wrong(`is no JSON: ${error instanceof Error ? error.message : String(error)}; give an Alertmanager payload, one alert or a list of alerts`)
  }
}

function modeOf(text: string | undefined): Mode | undefined {
  const mode = MODES.find((one) => one === text)
  if (text !== undefined && mode === undefined) throw new Fault('INPUT_INVALID', `--mode takes ${MODES.join(', ')}, not ${text}`)
  return mode
}
function momentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new Fault('INPUT_INVALID', `--now takes a time such as 2026-01-15T12:00:00Z, not ${text}`)
  return at
}
