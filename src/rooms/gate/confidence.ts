// Gate 17: the decision is certain enough.
import { type Gate, PASS, refuse } from './verdict.ts'

export const confidence: Gate = {
  name: 'confidence',
  judge({ plan, decision }, { policy }) {
    if (plan.safety === 'harmless' || decision.by === 'person') return PASS
    // Not a comparison the other way round: NaN must not pass.
    if (decision.confidence >= policy.minConfidence) return PASS
    return refuse(
      'CONFIDENCE_LOW',
      `the decision is ${decision.confidence} certain, and ${policy.minConfidence} is asked for`,
      'a rule that is surer, or a lower actions.min_confidence',
    )
  },
}
