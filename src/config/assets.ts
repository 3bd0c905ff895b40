// Files that come with the program: the library of rules, the default configuration. Found by walking up to its package.json, also from a bundle.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { Fault } from '../domain/fault.ts'

const NAME = 'prometheus-alerts-slm'
const PACKAGE = z.object({ name: z.string(), version: z.string() })

function packageAt(folder: string): z.output<typeof PACKAGE> | undefined {
  const file = join(folder, 'package.json')
  return existsSync(file) ? PACKAGE.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data : undefined
}

/** A package.json of another name (in node_modules, or above us) is not ours. */
export function packageRoot(from: string = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (packageAt(folder)?.name === NAME) return folder
    if (folder === dirname(folder)) throw new Fault('INTERNAL', `no package.json of ${NAME} above ${from}`)
  }
}

export const assetPath = (...parts: readonly string[]): string => join(packageRoot(), ...parts)

/** The text of a file that comes with the program; its absence is a broken installation. */
export function readAsset(...parts: readonly string[]): string {
  const file = assetPath(...parts)
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('INTERNAL', `the file ${parts.join('/')} that comes with the program is missing`, { cause })
  }
}

export const version = (): string => packageAt(packageRoot())?.version ?? '0.0.0'
