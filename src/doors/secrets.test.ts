import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileSecret, fixedSecret } from './secrets.ts'

let dir = ''
const time = { ms: 0 }
const clock = { now: () => time.ms, elapsed: () => time.ms }
const later = () => (time.ms += 1_000)
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'secret-'))
  time.ms = 0
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('a fixed secret has its values, and an empty one has none', () => {
  expect(fixedSecret('a', 'b').current()).toEqual(['a', 'b'])
  expect(fixedSecret('').current()).toEqual([])
})

describe('a secret in a file', () => {
  const path = () => join(dir, 'token')
  it('has one value a line, without the newline that editors add', () => {
    writeFileSync(path(), 'old\r\n new \n\n')
    expect(fileSecret(path(), { clock }).current()).toEqual(['old', 'new'])
  })
  it('is read again when the file changes, at most once a second', () => {
    writeFileSync(path(), 'first')
    const secret = fileSecret(path(), { clock })
    writeFileSync(path(), 'second value')
    time.ms += 999
    expect(secret.current()).toEqual(['first'])
    time.ms += 1
    expect(secret.current()).toEqual(['second value'])
  })
  it('follows the swap of a mounted Secret', () => {
    for (const [version, value] of [
      ['v1', 'first'],
      ['v2', 'other'],
    ] as const) {
      mkdirSync(join(dir, version))
      writeFileSync(join(dir, version, 'token'), value)
    }
    symlinkSync('v1', join(dir, '..data'))
    symlinkSync(join('..data', 'token'), path())
    const secret = fileSecret(path(), { clock })
    expect(secret.current()).toEqual(['first'])
    symlinkSync('v2', join(dir, '..tmp'))
    renameSync(join(dir, '..tmp'), join(dir, '..data'))
    later()
    expect(secret.current()).toEqual(['other'])
  })
  it('keeps the last good value while the file is gone or empty, says so once, and comes back', () => {
    const troubles: string[] = []
    writeFileSync(path(), 'good')
    const secret = fileSecret(path(), { clock, onTrouble: (why) => troubles.push(why) })
    unlinkSync(path())
    later()
    expect(secret.current()).toEqual(['good'])
    later()
    secret.current()
    writeFileSync(path(), '\n')
    later()
    expect(secret.current()).toEqual(['good'])
    expect(troubles).toEqual([expect.stringContaining('the last good value stays')])
    writeFileSync(path(), 'better')
    later()
    expect(secret.current()).toEqual(['better'])
  })
  it('that is not there or empty at start is refused, by name', () => {
    expect(() => fileSecret(path(), { clock })).toThrow(path())
    writeFileSync(path(), '')
    expect(() => fileSecret(path(), { clock })).toThrow('holds no value')
  })
})
