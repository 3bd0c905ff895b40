// One line of the Prometheus text format, and how lines become a page.

export type Labels = Readonly<Record<string, string | undefined>>
export interface Sample {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/** Nothing where the value is not known: an absent number is not zero. */
export const sample = (name: string, labels: Labels, value: number | undefined): readonly Sample[] => (value === undefined ? [] : [{ name, labels, value }])
export const flag = (name: string, labels: Labels, holds: boolean): readonly Sample[] => [{ name, labels, value: holds ? 1 : 0 }]
/** One series for each of a closed set, of which one is 1. */
export const oneOf = (name: string, labels: Labels, label: string, all: readonly string[], now: string | undefined): readonly Sample[] =>
  all.flatMap((value) => flag(name, { ...labels, [label]: value }, value === now))

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
const line = ({ name, labels, value }: Sample): string => {
  const written = Object.entries(labels).flatMap(([label, text]) => (text === undefined ? [] : [`${label}="${escaped(text)}"`]))
  return `${name}{${written.join(',')}} ${value}\n`
}

/** All samples of one name stand together, as the format asks. */
export function page(samples: readonly Sample[]): string {
  const names = Map.groupBy(samples, ({ name }) => name)
  return [...names].map(([name, found]) => `# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n${found.map(line).join('')}`).join('')
}
