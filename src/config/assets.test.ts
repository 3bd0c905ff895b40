import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { packageRoot, readAsset, version } from './assets.ts'

const folder = mkdtempSync(join(tmpdir(), 'assets-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('finds our own package.json above, past those of others', () => {
  const inner = join(folder, 'node_modules', 'other', 'dist')
  mkdirSync(inner, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'prometheus-alerts-slm', version: '1.2.3' }))
  writeFileSync(join(folder, 'node_modules', 'other', 'package.json'), JSON.stringify({ name: 'other', version: '9.9.9' }))
  expect(packageRoot(inner)).toBe(folder)
})

it('reads what comes with the program', () => {
  expect(JSON.parse(readAsset('package.json'))).toMatchObject({ version: version() })
  expect(() => readAsset('no', 'such.file')).toThrow('no/such.file')
})

it('says so where there is no such package', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'nowhere-'))
  try {
    expect(() => packageRoot(elsewhere)).toThrow('no package.json')
  } finally {
    rmSync(elsewhere, { recursive: true })
  }
})
