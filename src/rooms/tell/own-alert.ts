// Channel: Alertmanager itself. Cases come back as alerts of our own, so the user's own routes reach people. Open cases are renewed until they close.
import type { Alertmanager, OwnAlert } from '../../alertmanager/client.ts'
import type { Clock } from '../../domain/ports.ts'
import type { Notice, NoticeKind } from './notice.ts'
import type { Channel } from './tell.ts'

/** Screened out when it comes back to us. */
export const CASE_LABEL = 'alerts_slm_case'

export interface RenewalOptions {
  readonly clock: Clock
  /** How often an open case is raised again. */
  readonly everyMs: number
  /** How long the alert of a closed case stays: longer than the routes wait. */
  readonly keepMs: number
}

export interface Renewals {
  /** What to post for this notice, with the ends of what earlier ones of the same case raised. The same again when posting failed. */
  raise(notice: Notice): readonly OwnAlert[]
  /** What to post now: open cases again, and ends that could not be posted. */
  due(): readonly OwnAlert[]
  /** Alertmanager has them: ends need not be posted again. */
  posted(alerts: readonly OwnAlert[]): void
}

/** Missing two renewals does not end the alert. */
const LASTS = 3

export function makeRenewals({ clock, everyMs, keepMs }: RenewalOptions): Renewals {
  const open = new Map<string, OwnAlert>()
  const ending = new Set<OwnAlert>()
  const until = (milliseconds: number) => clock.now() + milliseconds
  const end = (caseId: string) => {
    const raised = open.get(caseId)
    open.delete(caseId)
    if (raised) ending.add({ ...raised, endsAt: clock.now() })
  }
  return {
    raise(notice) {
      const alert = ownAlert(notice, clock.now(), until(notice.open ? LASTS * everyMs : keepMs))
      const same = open.get(notice.caseId)?.labels['alertname'] === alert.labels['alertname']
      if (!same) end(notice.caseId)
      if (notice.open && notice.forPeople) open.set(notice.caseId, alert)
      const ends = [...ending].filter(({ labels }) => labels[CASE_LABEL] === notice.caseId)
      return [...ends, ...(notice.forPeople ? [alert] : [])]
    },
    due: () => [...ending, ...[...open.values()].map((alert) => ({ ...alert, endsAt: until(LASTS * everyMs) }))],
    posted(alerts) {
      for (const alert of alerts) ending.delete(alert)
    },
  }
}

const NAMES: Readonly<Record<NoticeKind, string>> = {
  fixed: 'AlertsSlmCaseFixed',
  unproven: 'AlertsSlmCaseUnproven',
  undone: 'AlertsSlmCaseUndone',
  refused: 'AlertsSlmCaseRefused',
  told: 'AlertsSlmCaseTold',
  observed: 'AlertsSlmCaseObserved',
  cancelled: 'AlertsSlmCaseCancelled',
  failed: 'AlertsSlmCaseFailed',
  asks: 'AlertsSlmCaseAsks',
  waits: 'AlertsSlmCaseWaits',
}

function ownAlert(notice: Notice, startsAt: number, endsAt: number): OwnAlert {
  const { caseId, kind, reason, alert, namespace, title, why, lines, whatToDo, object } = notice
  return {
    labels: {
      alertname: NAMES[kind],
      severity: 'warning',
      [CASE_LABEL]: caseId,
      // An empty label is no label to Alertmanager.
      ...(namespace !== '' && { namespace }),
      ...(alert !== '' && { about: alert }),
      ...(object && { kind: object.kind, name: object.name }),
      reason,
    },
    annotations: { summary: title, description: [`Why: ${why}`, ...lines, `What to do: ${whatToDo}`].join('\n') },
    startsAt,
    endsAt,
  }
}

/** Notices that close a case end what was raised for it, also those that are not for people. */
export const alertmanagerChannel = (post: Alertmanager['post'], renewals: Renewals): Channel => ({
  name: 'alertmanager',
  carries: ({ forPeople, open }) => forPeople || !open,
  async send(notice) {
    const alerts = renewals.raise(notice)
    if (alerts.length === 0) return
    await post(alerts)
    renewals.posted(alerts)
  },
})
