// An explanation as people read it: the decision, the tree of each rule with what was found, the plan, and every gate's answer.
import type { Answer } from '../domain/case-file.ts'
import type { ConditionSeen, RuleConsidered } from '../domain/decision.ts'
import type { Plan, Step } from '../domain/plan.ts'
import type { Explained } from './explain.ts'

const MARKS = { yes: '✓', no: '✗', unknown: '?', 'not read': '·' } as const
const GATES = { pass: '✓', refuse: '✗', hold: '…', ask: '?', 'not-asked': '·' } as const

export function renderExplained(explained: Explained): string {
  const { alert, target, decision, because, considered, plan, refused, gates, unknownFacts } = explained
  const about = target
    ? `${target.kind} ${target.namespace}/${target.name}${target.owner.name === target.name ? '' : ` of ${target.owner.kind} ${target.owner.name}`}`
    : 'no object'
  return [
    `${alert} about ${about}`,
    `${headline(explained)}`,
    ...(because ? [`  because ${because}`] : []),
    ...section(
      'Rules',
      considered.flatMap((rule) => ruleLines(rule, explained)),
    ),
    ...section(
      'Unknown facts',
      unknownFacts.map(({ fact, why }) => `  ? ${fact}: ${why}`),
    ),
    ...section('Plan', plan ? planLines(plan) : refused ? [`  none: ${refused.because} (${refused.reason})`] : []),
    ...section('Gates', gates.map(gateLine)),
    ...(decision === 'act' && plan ? ['', verdict(gates)] : []),
  ].join('\n')
}

const section = (title: string, lines: readonly string[]): readonly string[] => (lines.length > 0 ? ['', title, ...lines] : [])

function headline({ decision, action, rule, parameters, confidence, candidates }: Explained): string {
  const values = parameters && Object.keys(parameters).length > 0 ? ` ${JSON.stringify(parameters)}` : ''
  if (decision === 'act') return `Decision: ${action}${values} by rule ${rule}, confidence ${confidence}`
  if (decision === 'ambiguous') return `Decision: the rules cannot tell; candidates are ${candidates.join(', ')}`
  if (decision === 'ignore') return 'Decision: nothing, the alert is screened out'
  return rule === null ? 'Decision: people are told' : `Decision: people are told, by rule ${rule}`
}

function ruleLines(rule: RuleConsidered, { rule: winner }: Explained): readonly string[] {
  const fired = rule.rule === winner
  const why = fired ? 'fired' : whyNot(rule)
  return [`  ${MARKS[rule.truth]} ${rule.rule} (${rule.action}, ${rule.file}): ${why}`, ...treeLines(rule.conditions, 2)]
}
function whyNot(rule: RuleConsidered): string {
  if (rule.truth === 'yes') return 'holds too; it was not the one to decide'
  if (rule.truth === 'not read') return 'stands behind the rule that decided'
  const leaves = leavesOf(rule.conditions).filter((leaf) => leaf.truth === rule.truth)
  const first = leaves[0]
  return rule.truth === 'no' ? `does not hold${first ? `, as not: ${first.text}` : ''}` : `cannot be told${first?.unknown ? `: ${first.unknown}` : ''}`
}
const leavesOf = (condition: ConditionSeen): readonly ConditionSeen[] => (condition.children ? condition.children.flatMap(leavesOf) : [condition])

function treeLines(condition: ConditionSeen, depth: number): readonly string[] {
  const line = `${'  '.repeat(depth)}${MARKS[condition.truth]} ${condition.text}${foundText(condition)}`
  return [line, ...(condition.children ?? []).flatMap((child) => treeLines(child, depth + 1))]
}
function foundText({ truth, found, unknown, children }: ConditionSeen): string {
  if (children) return ''
  if (unknown !== undefined) return `  (unknown: ${unknown})`
  return truth === 'not read' ? '  (not read)' : `  (is ${JSON.stringify(found)})`
}

function planLines(plan: Plan): readonly string[] {
  const undo = 'impossible' in plan.undo ? [`  undo: impossible, ${plan.undo.impossible}`] : plan.undo.map((step) => `  undo: ${stepText(step)}`)
  return [`  ${plan.summary} (${plan.safety})`, ...plan.steps.map((step, at) => `  ${at + 1}. ${stepText(step)}`), ...undo]
}
function stepText(step: Step): string {
  const where = `${step.object.kind} ${step.object.namespace}/${step.object.name}`
  const what =
    step.kind === 'patch'
      ? `: ${step.ops
          .filter((op) => op.op !== 'test')
          .map((op) => `${op.op} ${op.path}${'value' in op ? ` = ${JSON.stringify(op.value)}` : ''}`)
          .join(', ')}`
      : ''
  return `${step.kind} ${where}${what} (${step.why})`
}

function gateLine(answer: Answer): string {
  const said = `  ${GATES[answer.says]} ${answer.gate}: ${answer.says}`
  return 'why' in answer ? `${said}, ${answer.why} [${answer.code}]; ${answer.remedy}` : said
}
function verdict(gates: readonly Answer[]): string {
  const stopping = gates.find((answer) => 'why' in answer)
  const words = { refuse: 'It would be refused', hold: 'It would wait', ask: 'People would be asked' } as const
  return stopping ? `${words[stopping.says]}: ${stopping.why}.` : 'It would be done.'
}
