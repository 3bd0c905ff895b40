// Tokens and passwords from the configuration or from a file that somebody rotates. A file is looked at when it is needed and at most once a
// second: no watcher, which would miss the `..data` swap of a mounted Secret.
import { readFileSync, statSync } from 'node:fs'
import { Fault } from '../domain/fault.ts'
import type { Clock } from '../domain/ports.ts'

/** Every value that is valid now: several while a token is being rotated. */
export interface Secret {
  current(): readonly string[]
}

/** An empty value is none: it would let in everybody who sends nothing. */
export function fixedSecret(...values: readonly string[]): Secret {
  const valid = values.filter((value) => value !== '')
  return { current: () => valid }
}

export interface FileSecretOptions {
  readonly clock: Clock
  /** The file could not be read, or is empty: the last good values stay valid. Called once per trouble. */
  readonly onTrouble?: (why: string) => void
}

const LOOK_EVERY_MS = 1_000

/** One value a line: during a rotation the file holds the old and the new token. */
export function fileSecret(path: string, { clock, onTrouble }: FileSecretOptions): Secret {
  const look = () => {
    const { mtimeMs, ino, size } = statSync(path)
    return `${mtimeMs} ${ino} ${size}`
  }
  let values = readOrFault(path)
  let seen = look()
  let lookedAt = clock.elapsed()
  let trouble = false
  const refresh = () => {
    try {
      const now = look()
      if (now === seen && !trouble) return
      values = linesOf(path)
      seen = now
      trouble = false
    } catch (error) {
      if (!trouble) onTrouble?.(`${path} cannot be used, the last good value stays: ${error instanceof Error ? error.message : 'unreadable'}`)
      trouble = true
    }
  }
  return {
    current() {
      const now = clock.elapsed()
      if (now - lookedAt >= LOOK_EVERY_MS) {
        lookedAt = now
        refresh()
      }
      return values
    },
  }
}

function readOrFault(path: string): readonly string[] {
  try {
    return linesOf(path)
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `the secret file ${path} cannot be used: ${cause instanceof Error ? cause.message : 'unreadable'}`, { cause })
  }
}

function linesOf(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (lines.length === 0) throw new Error('it holds no value')
  return lines
}
