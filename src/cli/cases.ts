// `alerts-slm cases list | show | approve | reject | undo`: the history, and people's orders. An order is a row that the running sidecar
// takes up and passes through the same gates; this command writes nothing to the cluster.
import { Command } from 'commander'
import { alertName } from '../domain/alert.ts'
import type { Answer } from '../domain/case-file.ts'
import type { ConditionSeen } from '../domain/decision.ts'
import { formatDuration } from '../domain/duration.ts'
import { Fault } from '../domain/fault.ts'
import type { Outcome } from '../domain/outcome.ts'
import { planHash } from '../domain/plan-hash.ts'
import { pause } from '../domain/ports.ts'
import { describeRef } from '../domain/target.ts'
import { Database } from '../libsql/database.ts'
import { realPorts } from '../ports.ts'
import { type History, openHistory } from '../rooms/record/record.ts'
import type { CaseEvent, StoredCase } from '../rooms/record/rows.ts'
import { configured } from './configured.ts'
import { paint, paintOutcome, print, printJson, printTable } from './output.ts'

interface Store {
  readonly store?: string
  readonly config?: string
}

async function withHistory<T>(options: Store, work: (history: History) => T | Promise<T>): Promise<T> {
  const path = options.store ?? (await configured(options.config)).store.path
  const database = new Database(path)
  try {
    return await work(openHistory(database, realPorts))
  } finally {
    database.close()
  }
}
const found = (history: History, id: string): StoredCase => {
  const exact = history.case(id.toUpperCase())
  if (!exact) throw new Fault('INPUT_INVALID', `no case ${id} in this history; \`alerts-slm cases list\` shows them`)
  return exact
}
const at = (time: number): string => new Date(time).toISOString().replace('T', ' ').slice(0, 19)
const stateOf = (stored: StoredCase): string => (stored.outcome ? paintOutcome(stored.outcome) : paint('bold', stored.waitingFor ? `open: waits for ${stored.waitingFor}` : 'open'))
const targetOf = (stored: StoredCase): string => ('target' in stored.page ? describeRef(stored.page.target.owner) : '')

const asJson = (stored: StoredCase, events?: readonly CaseEvent[]) => ({
  case: stored.id,
  alert: stored.alert,
  target: targetOf(stored),
  state: stored.state,
  openedAt: new Date(stored.openedAt).toISOString(),
  closedAt: stored.closedAt === undefined ? null : new Date(stored.closedAt).toISOString(),
  decidedBy: stored.decidedBy ?? null,
  rule: stored.rule ?? null,
  action: stored.action ?? null,
  outcome: stored.outcome ?? null,
  reason: stored.reason ?? null,
  because: stored.because ?? null,
  waitingFor: stored.waitingFor ?? null,
  ...(events && { page: stored.page, events }),
})

const MARK = { yes: '✓', no: '✗', unknown: '?', 'not read': '·' } as const
function printConditions(seen: ConditionSeen, depth: number): void {
  const value = seen.unknown !== undefined ? `  (unknown: ${seen.unknown})` : seen.found === undefined ? '' : `  (is ${JSON.stringify(seen.found)})`
  print(`${'  '.repeat(depth)}${MARK[seen.truth]} ${seen.text}${value}`)
  for (const child of seen.children ?? []) printConditions(child, depth + 1)
}
const printAnswer = (answer: Answer): void => {
  if (answer.says === 'pass' || answer.says === 'not-asked') return
  print(`    ${answer.gate}: ${answer.says}, ${answer.code}: ${answer.why}. ${answer.remedy}`)
}

function printCase(stored: StoredCase, events: readonly CaseEvent[]): void {
  const { page } = stored
  print(`${paint('bold', stored.id)}  ${stateOf(stored)} ${stored.reason ?? ''}`)
  print(`  alerts   ${page.alerts.map((alert) => `${alertName(alert)} ${JSON.stringify(alert.labels)}`).join('\n           ')}`)
  if ('target' in page) print(`  target   ${describeRef(page.target.object)}${page.target.chain.length > 1 ? ` of ${describeRef(page.target.owner)}` : ''}`)
  if ('decision' in page) print(`  decided  ${page.decision.action} by ${page.decision.by} ${page.decision.rule ?? ''}: ${page.decision.because}`)
  if ('plan' in page) print(`  plan     ${page.plan.summary}`)
  if (stored.because) print(`  because  ${stored.because}`)
  if ('explanation' in page)
    for (const rule of page.explanation.considered) {
      print(`  rule     ${MARK[rule.truth]} ${rule.rule} -> ${rule.action}  (${rule.file})`)
      printConditions(rule.conditions, 5)
    }
  if ('plan' in page && page.plan.artefacts.length > 0) for (const artefact of page.plan.artefacts) print(`\n--- ${artefact.name}\n${artefact.text}`)
  print('  events')
  for (const event of events) {
    print(`    ${at(event.at)} ${event.kind}`)
    if (typeof event.body === 'object' && event.body !== null && 'answers' in event.body && Array.isArray(event.body.answers))
      for (const answer of event.body.answers) printAnswer(answer)
  }
}

/** Waits until the running sidecar has taken the order up. */
async function ordered(history: History, order: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = history.orderAnswer(order)
    if (answer !== undefined) return answer
    await pause(realPorts.timers, 100)
  }
  return 'the order is kept: it is carried out as soon as the sidecar runs'
}

const userName = (): string => process.env['USER'] ?? process.env['LOGNAME'] ?? 'somebody at the command line'

export function command(): Command {
  const cases = new Command('cases').description('what was decided, done and proven')
  const sub = (name: string, description: string) =>
    cases
      .command(name)
      .description(description)
      .option('--store <file>', 'the history file (default: as configured)')
      .option('--config <file>', 'the configuration file')
      .option('--json', 'as JSON')

  sub('list', 'the newest cases')
    .option('--open', 'only open ones')
    .option('--outcome <outcome>', 'only those that ended so')
    .option('--alert <name>', 'only those of one alert')
    .option('--limit <n>', 'how many', '50')
    .action((options: Store & { json?: boolean; open?: boolean; outcome?: Outcome; alert?: string; limit: string }) =>
      withHistory(options, (history) => {
        const limit = Number(options.limit)
        if (!Number.isInteger(limit) || limit < 1) throw new Fault('INPUT_INVALID', `--limit takes a whole number above 0, not ${options.limit}`)
        const filter = { limit, ...(options.open && { open: true }), ...(options.outcome && { outcome: options.outcome }), ...(options.alert && { alert: options.alert }) }
        const list = history.cases(filter)
        if (options.json) return printJson(list.map((stored) => asJson(stored)))
        if (list.length === 0) return print('no cases')
        printTable(
          ['CASE', 'OPENED', 'ALERT', 'TARGET', 'ACTION', 'STATE', 'REASON', 'TOOK'],
          list.map((stored) => [
            stored.id,
            at(stored.openedAt),
            stored.alert,
            targetOf(stored),
            stored.action ?? '',
            stateOf(stored),
            stored.reason ?? '',
            stored.closedAt === undefined ? '' : formatDuration(stored.closedAt - stored.openedAt),
          ]),
        )
      }),
    )
  sub('show', 'one case: decision, conditions, plan, gates, events')
    .argument('<case>', 'its id')
    .action((id: string, options: Store & { json?: boolean }) =>
      withHistory(options, (history) => {
        const stored = found(history, id)
        const events = history.events(stored.id)
        if (options.json) return printJson(asJson(stored, events))
        printCase(stored, events)
      }),
    )

  const order = (kind: 'approve' | 'reject' | 'undo', description: string) =>
    sub(kind, description)
      .argument('<case>', 'its id')
      .option('--by <name>', 'who orders it', userName())
      .action((id: string, options: Store & { json?: boolean; by: string }) =>
        withHistory(options, async (history) => {
          const stored = found(history, id)
          const hash = stored.page.at === 'planned' ? planHash(stored.page.plan) : undefined
          const answer = await ordered(history, history.order({ caseId: stored.id, kind, by: options.by, planHash: hash }))
          if (options.json) return printJson({ case: stored.id, order: kind, answer })
          print(answer)
        }),
      )
  order('approve', 'say yes to the plan of a case that waits for it')
  order('reject', 'say no to it')
  order('undo', 'take back what a case changed, through the same gates')
  return cases
}
