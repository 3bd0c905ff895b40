// What commands print: tables and sentences for people, one JSON document for scripts; colour only on a terminal.
import { styleText } from 'node:util'
import Table from 'cli-table3'

type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'

/** Plain when stdout is no terminal or NO_COLOR is set. */
export const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))
/** One line: what a script reads as it comes. */
export const printJsonLine = (value: unknown): void => print(JSON.stringify(value))

/** Columns without borders, as kubectl prints them. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const none = Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'].map((place) => [
      place,
      '',
    ]),
  )
  const table = new Table({
    head: head.map((word) => paint('bold', word)),
    chars: { ...none, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  for (const row of rows) table.push([...row])
  print(
    table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  )
}

const OUTCOME_STYLE: Readonly<Record<string, Style>> = {
  fixed: 'green',
  undone: 'yellow',
  unproven: 'yellow',
  refused: 'yellow',
  told: 'cyan',
  observed: 'cyan',
  cancelled: 'dim',
  failed: 'red',
}
export const paintOutcome = (outcome: string): string => paint(OUTCOME_STYLE[outcome] ?? 'dim', outcome)
