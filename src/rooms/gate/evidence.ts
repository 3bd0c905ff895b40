// Gate 11: nothing of a workload is changed on the alert's word alone.
import { type Gate, PASS, refuse } from './verdict.ts'

export const evidence: Gate = {
  name: 'evidence',
  judge({ plan, decision }) {
    if (plan.safety === 'harmless' || decision.by === 'person' || decision.evidence.length > 0) return PASS
    return refuse(
      'EVIDENCE_MISSING',
      `${plan.action} changes the workload, and nothing but the alert itself speaks for it`,
      'let the rule read a fact of the cluster that shows the cause',
    )
  },
}
