// Percentiles and the machine, for every bench.
import { cpus, totalmem } from 'node:os'

/** Nearest rank; the list need not be sorted. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}
export const round = (value: number, digits = 3): number => Number(value.toFixed(digits))
export const machine = () => ({ node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) })

/** Milliseconds of each call. */
export async function times(count: number, work: (index: number) => Promise<unknown>): Promise<readonly number[]> {
  const taken: number[] = []
  for (let index = 0; index < count; index++) {
    const began = process.hrtime.bigint()
    await work(index)
    taken.push(Number(process.hrtime.bigint() - began) / 1e6)
  }
  return taken
}
