// The mode that holds for one workload: the lowest of the policy's and of the labels on the target and its owners.
import type { Planned } from '../../domain/case-file.ts'
import { lowest, MODES, type Mode } from '../../domain/policy.ts'
import { isUnknown, type Unknown, unknown } from '../../domain/unknown.ts'
import { mustBeRead, objectIn, objectsOf, type Seen } from './seen.ts'

const MODE_LABEL = 'alerts-slm.io/mode'

/** A word that is no mode is read as observe: whoever wrote it wanted less, not more. */
const modeOf = (label: string): Mode => MODES.find((mode) => mode === label) ?? 'observe'

export interface EffectiveMode {
  readonly mode: Mode
  readonly why: string
}

export function effectiveMode(file: Pick<Planned, 'target' | 'plan'>, seen: Pick<Seen, 'policy' | 'objects'>): EffectiveMode | Unknown {
  let lowered: EffectiveMode = { mode: seen.policy.mode, why: `the policy says ${seen.policy.mode}` }
  let unread: string | undefined
  for (const ref of objectsOf(file)) {
    const object = objectIn(seen, ref)
    if (isUnknown(object)) {
      if (mustBeRead(file, ref)) unread ??= object.unknown
      continue
    }
    const label = object.metadata?.labels?.[MODE_LABEL]
    if (label === undefined || lowest(modeOf(label), lowered.mode) === lowered.mode) continue
    lowered = { mode: modeOf(label), why: `${ref.kind} ${ref.name} carries ${MODE_LABEL}=${label}` }
  }
  // Nothing is lower than observe, so what could not be read does not matter any more.
  return unread === undefined || lowered.mode === 'observe' ? lowered : unknown(unread)
}
