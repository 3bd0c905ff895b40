// Label selectors, as the API writes them, evaluated on objects that we hold in memory.

type Requirement = (labels: Readonly<Record<string, string>>) => boolean

const SET = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/
const EQUALITY = /^([^\s!=]+)\s*(==|=|!=)\s*([^\s=]*)$/
const PRESENCE = /^(!?)\s*([^\s!=(),]+)$/

/** Splits at commas that are not within parentheses. */
const clauses = (selector: string): string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((clause) => clause.trim())
    .filter(Boolean)

function requirement(clause: string): Requirement | undefined {
  const [, setKey, operator, list] = SET.exec(clause) ?? []
  if (setKey !== undefined && list !== undefined) {
    const values = list.split(',').map((value) => value.trim())
    const within: Requirement = (labels) => labels[setKey] !== undefined && values.includes(labels[setKey])
    return operator === 'in' ? within : (labels) => !within(labels)
  }
  const [, key, sign, value] = EQUALITY.exec(clause) ?? []
  if (key !== undefined) return sign === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value
  const [, not, present] = PRESENCE.exec(clause) ?? []
  if (present !== undefined) return (labels) => Object.hasOwn(labels, present) === (not === '')
  return undefined
}

/** undefined when the selector is not understood: the API server is asked instead. */
export function parseLabelSelector(selector: string): Requirement | undefined {
  const all = clauses(selector).map(requirement)
  if (all.some((one) => one === undefined)) return undefined
  return (labels) => all.every((one) => one?.(labels) === true)
}
