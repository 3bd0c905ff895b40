// Every promise is kept by a test, and every test that cites one cites one that exists.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { PROMISES } from './promises.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const OWN = 'promises.test.ts'
const CITED = /\bpromise\(\s*'([^']*)'/g

const sources = ['src', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith(OWN))
    .map((file) => join(root, folder, file)),
)
/** Only what stands in the title of a test: a comment or a skipped test keeps no promise. */
const TITLE = /\bit(?:\.each\([^\n]*\))?\(\s*promise\(\s*'([^']*)'/g
const found = (pattern: RegExp): ReadonlySet<string> => new Set(sources.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, id = '']) => id)))

describe('promises', () => {
  it('are each kept by a test', () => {
    const kept = found(TITLE)
    expect(Object.keys(PROMISES).filter((id) => !kept.has(id))).toEqual([])
  })

  it('are the only ones that tests cite', () => {
    expect([...found(CITED)].filter((id) => !Object.hasOwn(PROMISES, id))).toEqual([])
  })

  it('are sentences that differ', () => {
    const sentences = Object.values(PROMISES)
    expect(new Set(sentences).size).toBe(sentences.length)
    for (const sentence of sentences) expect(sentence).toMatch(/^[a-z"'][^.]*[a-z]$/)
  })
})
