// Channel: a Kubernetes Event on the target, for those who look there first.
import type { TellEvent } from '../../kube/events.ts'
import type { Notice, NoticeKind } from './notice.ts'
import type { Channel } from './tell.ts'

/** `mayWrite`: an Event is a write, too, and observe mode sends none. */
export const eventChannel = (tellEvent: TellEvent, mayWrite: (notice: Notice) => boolean): Channel => ({
  name: 'event',
  carries: (notice) => notice.object !== undefined && (notice.forPeople || notice.kind === 'fixed') && mayWrite(notice),
  async send(notice) {
    if (!notice.object) return
    await tellEvent({
      object: notice.object,
      type: notice.forPeople ? 'Warning' : 'Normal',
      reason: `AlertsSlm${capitalised(notice.kind)}`,
      action: notice.action ?? 'Tell',
      note: `${notice.title}. ${notice.why}. ${notice.whatToDo}. Case ${notice.caseId}`,
    })
  },
})

const capitalised = (kind: NoticeKind): string => `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
