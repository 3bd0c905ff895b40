// How people are told, wired by hand: the channels that the configuration names, and the renewal of what is still open.
import type { Alertmanager } from './alertmanager/client.ts'
import type { Config } from './config/schema.ts'
import { type Closed, type Parked, park } from './domain/case-file.ts'
import { isFault } from './domain/fault.ts'
import type { Policy } from './domain/policy.ts'
import type { Cancel, Ports } from './domain/ports.ts'
import { fileSecret, fixedSecret } from './doors/secrets.ts'
import type { TellEvent } from './kube/events.ts'
import type { History } from './rooms/record/record.ts'
import { chatChannel } from './rooms/tell/chat.ts'
import { eventChannel } from './rooms/tell/event.ts'
import { logChannel } from './rooms/tell/log.ts'
import { noticeOf } from './rooms/tell/notice.ts'
import { alertmanagerChannel, CASE_LABEL, makeRenewals } from './rooms/tell/own-alert.ts'
import { keepRenewing } from './rooms/tell/renew.ts'
import { type Channel, tell } from './rooms/tell/tell.ts'
import { errorFields, type Log } from './telemetry/log.ts'

export interface PeopleOptions {
  readonly config: Config
  readonly ports: Ports
  readonly log: Log
  readonly alertmanager: Alertmanager | undefined
  readonly namespace: string
  readonly tellEvent: TellEvent
  readonly policy: () => Policy
}

/** The alert of a closed case stays for a day's work: longer than routes wait, and until somebody has looked. */
const KEEP_MS = 4 * 3_600_000
const CHAT_TIMEOUT_MS = 10_000

export function makePeople({ config, ports, log, alertmanager, namespace, tellEvent, policy }: PeopleOptions) {
  const { tell: wanted } = config
  const stopping = new AbortController()
  const renewals = makeRenewals({ clock: ports.clock, everyMs: wanted.renew_every, keepMs: KEEP_MS })
  const into = wanted.alertmanager ? alertmanager : undefined
  const chat = wanted.chat
  const chatUrl =
    chat &&
    (chat.url_file === undefined
      ? fixedSecret(chat.url ?? '')
      : fileSecret(chat.url_file, { clock: ports.clock, onTrouble: (why) => log.warn({ why }, 'a secret file is in trouble') }))
  const channels: Channel[] = [
    logChannel(log),
    ...(wanted.events ? [eventChannel(tellEvent, () => policy().mode !== 'observe' && !policy().killSwitch)] : []),
    ...(into ? [alertmanagerChannel((alerts) => into.post(alerts), renewals)] : []),
    ...(chat && chatUrl
      ? [
          chatChannel({
            http: ports.http(),
            url: () => chatUrl.current()[0] ?? '',
            timers: ports.timers,
            timeoutMs: CHAT_TIMEOUT_MS,
            ...(chat.outcomes && { kinds: chat.outcomes }),
          }),
        ]
      : []),
  ]
  const telling = tell({
    channels,
    timers: ports.timers,
    random: ports.random,
    retries: wanted.retries,
    signal: stopping.signal,
    onFailed: (channel, notice, error) => log.error({ channel, case: notice.caseId, ...errorFields(error) }, 'people could not be told by this channel'),
  })
  let stopRenewing: Cancel = () => {}
  return {
    /** True when every channel has been tried to its end; false when a shutdown cut it short, and it is told again at the next start. */
    async tell(result: Closed | Parked): Promise<boolean> {
      const notice = noticeOf(result)
      const { cluster } = config.app
      const { failed } = await telling(cluster === undefined ? notice : { ...notice, lines: [`Cluster: ${cluster}`, ...notice.lines] })
      return failed.length === 0 || !stopping.signal.aborted
    },
    /** Something about this agent itself, not about a case. */
    warn(name: string, what: string): void {
      log.warn({ about: name }, what)
      const own = {
        labels: { alertname: name, severity: 'warning', namespace, [CASE_LABEL]: 'none' },
        annotations: { summary: what.slice(0, 1_000) },
        endsAt: ports.clock.now() + KEEP_MS,
      }
      into?.post([own]).catch((error: unknown) => {
        if (!isFault(error)) throw error
        log.error(errorFields(error), 'Alertmanager did not take a notification of ours')
      })
    },
    /** Open cases that people were asked about are raised again, so that a restart does not end their alert. */
    start(history: History): void {
      for (const { page, waitingFor, dueAt, because } of history.openCases())
        if (waitingFor === 'approval') renewals.raise(noticeOf(park(page, waitingFor, dueAt ?? 0, because ?? '')))
      if (into)
        stopRenewing = keepRenewing({
          post: (alerts) => into.post(alerts),
          renewals,
          timers: ports.timers,
          everyMs: wanted.renew_every,
          onFailed: (error) => log.error(errorFields(error), 'open cases could not be renewed in Alertmanager'),
        })
    },
    stop(): void {
      stopping.abort(new Error('stopping'))
      stopRenewing()
    },
  }
}
