import { expect, it } from 'vitest'
import { ALERT, plannedCase } from '../../../test/gate-case.ts'
import { manualPorts } from '../../../test/manual-ports.ts'
import { close } from '../../domain/case-file.ts'
import { isFault } from '../../domain/fault.ts'
import type { Http, HttpRequest } from '../../domain/ports.ts'
import { chatChannel } from './chat.ts'
import { noticeOf } from './notice.ts'

const SECRET = 'https://chat.example.com/hooks/hush'
const told = (name = 'KubePodCrashLooping') => noticeOf(close(plannedCase({}, { alerts: [{ ...ALERT, labels: { ...ALERT.labels, alertname: name } }] }), 'told', 'NO_RULE', 'b'))
const answering =
  (status: number, headers: Record<string, string> = {}): Http =>
  async () => ({ status, headers, text: async () => '', async *chunks() {} })

function chat(http: Http, kinds?: readonly string[]) {
  const ports = manualPorts()
  return { ports, channel: chatChannel({ http, url: () => SECRET, timers: ports.timers, timeoutMs: 5_000, ...(kinds && { kinds }) }) }
}
const failure = (http: Http) =>
  chat(http)
    .channel.send(told())
    .then(
      () => undefined,
      (error: unknown) => error,
    )

it('posts one text in the common format', async () => {
  const requests: HttpRequest[] = []
  const { channel } = chat(async (request) => {
    requests.push(request)
    return answering(200)(request)
  })
  await channel.send(told())
  expect(requests).toMatchObject([{ method: 'POST', url: SECRET, headers: { 'content-type': 'application/json; charset=utf-8' } }])
  expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ text: expect.stringContaining('*KubePodCrashLooping on Deployment team-a/web: needs a person*') })
})

it('lets no label call everybody or disguise a link', async () => {
  const bodies: string[] = []
  const { channel } = chat(async (request) => {
    bodies.push(request.body ?? '')
    return answering(200)(request)
  })
  await channel.send(told('<!channel> @all <https://evil.example.com|click>'))
  expect(bodies[0]).not.toMatch(/<|@all/)
})

it('calls a full or failing server unreachable for now, and a refusal final', async () => {
  expect(await failure(answering(429, { 'retry-after': '7' }))).toMatchObject({ code: 'CHAT_UNREACHABLE', retryable: true, retryAfterMs: 7_000 })
  expect(await failure(answering(503))).toMatchObject({ code: 'CHAT_UNREACHABLE', status: 503 })
  expect(await failure(answering(404))).toMatchObject({ code: 'CHAT_REFUSED', retryable: false })
})

it('never shows its address, which is the secret', async () => {
  const error = await failure(() => Promise.reject(new Error(`connect ECONNREFUSED ${SECRET}`)))
  if (!isFault(error, 'CHAT_UNREACHABLE')) throw error
  expect(`${error.message} ${String(error.cause)} ${error.stack}`).not.toContain('hush')
})

it('does not wait for ever', async () => {
  const hanging: Http = ({ signal }) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  const { ports, channel } = chat(hanging)
  const sending = channel.send(told()).catch((error: unknown) => error)
  await ports.advance(5_000)
  expect(await sending).toMatchObject({ code: 'CHAT_UNREACHABLE' })
})

it('carries what is for people, or only the kinds that are asked for', () => {
  const fixed = noticeOf(close(plannedCase(), 'fixed', 'VERIFIED', 'b'))
  expect([told(), fixed].map(chat(answering(200)).channel.carries)).toEqual([true, false])
  expect([told(), fixed].map(chat(answering(200), ['fixed']).channel.carries)).toEqual([false, true])
})
