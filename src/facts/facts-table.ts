// The table of facts in src/facts/README.md, rendered from the catalogue so that it cannot lie.
import * as z from 'zod'
import type { Right } from '../domain/plan.ts'
import { FACTS } from './catalogue.ts'
import type { Fact } from './define-fact.ts'
import { isRecord } from './plain.ts'

type Schema = Readonly<Record<string, unknown>>
const schemaOf = (schema: z.ZodType): Schema => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })

const optionsOf = (schema: Schema): readonly Schema[] => (Array.isArray(schema['anyOf']) ? schema['anyOf'].filter(isRecord).flatMap(optionsOf) : [schema])
const isReference = (schema: Schema): boolean => '$ref' in schema
/** `number`, `list of string`, `number or null`; a part that may be unknown by itself says so. */
function typeOf(schema: Schema): string {
  const options = optionsOf(schema)
  const names = options
    .filter((option) => !isReference(option))
    .map((option) => {
      if (Array.isArray(option['enum'])) return option['enum'].map(String).join(', ')
      if (Array.isArray(option['type'])) return option['type'].join(' or ')
      return option['type'] === 'array' ? `list of ${isRecord(option['items']) ? typeOf(option['items']) : 'anything'}` : String(option['type'] ?? 'anything')
    })
  return [...new Set(names), ...(options.some(isReference) ? ['unknown'] : [])].join(' or ')
}
function describe(schema: Schema): string {
  const [said] = [schema, ...optionsOf(schema)].map((part) => part['description']).filter((part) => typeof part === 'string')
  return said ?? ''
}
export const inCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

interface Row {
  readonly path: string
  readonly type: string
  readonly what: string
}
function rowsOf(schema: Schema, path: string): readonly Row[] {
  const own: Row = { path, type: typeOf(schema), what: describe(schema) }
  const below = optionsOf(schema).flatMap((option) => (isRecord(option['properties']) ? Object.entries(option['properties']) : []))
  return [own, ...below.flatMap(([key, child]) => (isRecord(child) ? rowsOf(child, `${path}.${key}`) : []))]
}

/** Padded as the formatter does it, so that the page is the same before and after. */
export function table([head = [], ...rows]: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...rows].map((row) => (row[at] ?? '').length)))
  const line = (cells: readonly string[], fill: string) => `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width, fill)).join(' | ')} |`
  return [line(head, ' '), line([], '-'), ...rows.map((row) => line(row, ' '))]
}

const right = ({ apiGroup, resource, verbs }: Right): string => `${apiGroup ? `${apiGroup}/` : ''}${resource}: ${verbs.join(', ')}`

function section(fact: Fact): string {
  const params = fact.params ? rowsOf(schemaOf(fact.params), '').slice(1) : []
  return [
    `### ${fact.name}`,
    '',
    `${fact.summary}. Cost ${fact.cost}; ${fact.ofCluster ? 'evidence of the cluster' : "no evidence: the alert's own words, or the clock"}.`,
    ...(fact.needs.length ? ['', `Reads ${fact.needs.map(right).join('; ')}.`] : []),
    ...(params.length ? ['', ...params.map(({ path, type, what }) => `- parameter \`${path.slice(1)}\`: ${what ? `${type}, ${what}` : type}`)] : []),
    '',
    ...table([['path', 'type', 'what'], ...rowsOf(schemaOf(fact.schema), '$').map(({ path, type, what }) => [`\`${path}\``, inCell(type), inCell(what)])]),
    '',
  ].join('\n')
}

export function factsTable(): string {
  const groups = [...new Set(FACTS.map((fact) => fact.group))]
  return groups.map((group) => [`## ${group}`, '', ...FACTS.filter((fact) => fact.group === group).map(section)].join('\n')).join('\n')
}

const HEAD = `# Facts

What rules may ask about an alert, its target and the cluster. A fact is read when a rule that could decide asks for it, once
for each case and set of parameters. What is absent by nature is null; what cannot be read is unknown, with the reason, and never
zero or false. Where a type says \`or unknown\`, that part may be unknown by itself. Names, paths, types and units are a public contract.

The rest of this page is made by \`npm run gen\` from the code.

`

/** src/facts/README.md, whole. */
export const factsReadme = (): string => `${HEAD}${factsTable()}`
