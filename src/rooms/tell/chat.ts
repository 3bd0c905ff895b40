// Channel: a webhook in the common chat format, {"text": …}: Slack, Mattermost, Rocket.Chat, Google Chat, Zulip.
import { Fault } from '../../domain/fault.ts'
import { deadline, type Http, type HttpResponse, type Timers } from '../../domain/ports.ts'
import type { Notice } from './notice.ts'
import type { Channel } from './tell.ts'

export interface ChatOptions {
  readonly http: Http
  /** Secret, and read each time: it may be rotated. It never appears in a message of ours. */
  readonly url: () => string
  readonly timers: Timers
  readonly timeoutMs: number
  /** Of these kinds only; by default everything that is for people. */
  readonly kinds?: readonly string[]
}

export const chatChannel = ({ http, url, timers, timeoutMs, kinds }: ChatOptions): Channel => ({
  name: 'chat',
  carries: (notice) => (kinds ? kinds.includes(notice.kind) : notice.forPeople),
  async send(notice) {
    const { signal, cancel } = deadline(timers, timeoutMs, 'the chat webhook')
    try {
      const body = JSON.stringify({ text: chatText(notice) })
      judge(await reached(http({ method: 'POST', url: url(), headers: { 'content-type': 'application/json; charset=utf-8' }, body, signal })))
    } finally {
      cancel()
    }
  },
})

async function reached(exchange: Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    const answer = await exchange
    await answer.text()
    return answer
  } catch {
    // The cause may carry the address, which is the secret itself.
    throw new Fault('CHAT_UNREACHABLE', 'the chat webhook did not answer')
  }
}

function judge({ status, headers }: HttpResponse): void {
  if (status >= 200 && status < 300) return
  const seconds = Number(headers['retry-after'])
  const later = Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {}
  if (status === 429 || status >= 500) throw new Fault('CHAT_UNREACHABLE', `the chat webhook answered ${status}`, { status, ...later })
  throw new Fault('CHAT_REFUSED', `the chat webhook answered ${status}`, { status })
}

const chatText = ({ title, why, lines, whatToDo }: Notice): string =>
  [`*${harmless(title)}*`, `Why: ${harmless(why)}`, ...lines.map(harmless), `What to do: ${harmless(whatToDo)}`].join('\n')

/** Text from labels must not call everybody (`<!channel>`, `@all`) nor hide where a link leads (`<https://…|here>`). */
const harmless = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('@', '@\u200b')
