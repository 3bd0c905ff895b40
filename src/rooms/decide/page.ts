// What the judgement makes of the case: a decided page, or people are told.
import { alertName } from '../../domain/alert.ts'
import { close, type Decided, type Located, type Next } from '../../domain/case-file.ts'
import type { Judgement } from '../../domain/decision.ts'

/** Without a model an ambiguous case ends with people; `candidates` are what would have been asked. */
export function pageOf(file: Located, judgement: Judgement): Next<Decided> {
  const { explanation } = judgement
  switch (judgement.kind) {
    case 'act':
      return { ...file, at: 'decided', decision: judgement.decision, explanation }
    case 'ambiguous': {
      const candidates = judgement.candidates.length > 0 ? ` Candidates: ${judgement.candidates.join(', ')}.` : ''
      const reason = judgement.why === 'conflict' ? 'AMBIGUOUS_CONFLICT' : 'AMBIGUOUS_NO_MODEL'
      return close(file, 'told', reason, `the rules cannot tell: ${judgement.because}.${candidates} No model is configured, so people decide`, { explanation })
    }
    case 'notify':
      return close(file, 'told', explanation.considered.length === 0 ? 'NO_RULE' : 'RULE_SAYS_TELL', judgement.because || `no rule acts on ${alertName(file.alerts[0])} here`, {
        explanation,
      })
    default:
      return judgement satisfies never
  }
}
