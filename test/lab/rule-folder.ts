// A folder of operator's rules with one rule, in place of the library's: for this alert, this action.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { JsonObject } from '../../src/domain/json.ts'
import { temporaryFolder } from '../temporary.ts'

/** Facts of the cluster that agree, since nothing is changed on the alert's word alone; several, so that one which cannot be read leaves the rule true. */
const WHEN = {
  any: [
    { fact: 'replicas', path: '$.desired', operator: 'greaterThan', value: 0 },
    { fact: 'siblings', path: '$.total', operator: 'greaterThan', value: 0 },
  ],
}

export function rulesFor(alert: string, action: string, parameters: JsonObject, ends?: (undo: () => void) => void): string {
  const folder = temporaryFolder(ends)
  const rule = { id: 'the-lab-asks', when: WHEN, then: { action, ...(Object.keys(parameters).length > 0 && { parameters }), confidence: 0.9 }, because: 'the lab asks for it' }
  writeFileSync(join(folder, 'lab.yaml'), stringify({ alerts: [alert], layer: 'replace', rules: [rule] }))
  return folder
}
