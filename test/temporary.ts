// A folder that goes away with the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Tests that run side by side give the `onTestFinished` of their own context. */
export function temporaryFolder(ends: (undo: () => void) => void = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-slm-'))
  ends(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
