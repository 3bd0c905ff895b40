// The doctor's look at this machine: rules, store, secret files, and the people's channels.
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { isFault } from '../domain/fault.ts'
import { deadline, type Ports } from '../domain/ports.ts'
import { isUnknown } from '../domain/unknown.ts'
import { fileSecret } from '../doors/secrets.ts'
import { alertmanagerOf, CATALOGUES, layersOf, secretFilesOf, webhookIsOpen } from '../edges.ts'
import { loadBook } from '../rulebook/load.ts'
import { type Check, note, ok, warn, wrong } from './doctor-check.ts'

export async function localChecks(config: Config, ports: Ports): Promise<readonly Check[]> {
  return [await rules(config), store(config), ...secrets(config, ports), webhook(config), ...(await Promise.all([...alertmanagers(config, ports), ...chat(config, ports)]))]
}

async function rules(config: Config): Promise<Check> {
  const loaded = await loadBook(layersOf(config), CATALOGUES)
  if (loaded.ok) return ok('rules', `${loaded.book.rules.length} rules, book ${loaded.book.version}`)
  return wrong('rules', `${loaded.problems.length} problems, the first: ${loaded.problems[0]?.file}: ${loaded.problems[0]?.message}`, 'alerts-slm rules lint')
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)}Mi`

/** The folder is not made here: its nearest parent tells whether it could be. */
function store({ store: { path, max_bytes: most } }: Config): Check {
  const folder = dirname(resolve(path))
  let there = folder
  while (!existsSync(there)) there = dirname(there)
  try {
    accessSync(there, constants.W_OK)
    if (existsSync(path)) accessSync(path, constants.W_OK)
    const { bavail, bsize } = statfsSync(there)
    const free = bavail * bsize
    const says = `${path} can be written, ${mebibytes(free)} free`
    return free < most && !existsSync(path)
      ? warn('store', `${says}, and it may grow to ${mebibytes(most)}`, 'give the volume more room, or lower store.max_bytes')
      : ok('store', says)
  } catch (error) {
    return wrong(
      'store',
      `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      'mount a volume there that this user may write, or set store.path',
    )
  }
}

function secrets(config: Config, { clock }: Ports): readonly Check[] {
  return secretFilesOf(config, clock).flatMap((look) => {
    try {
      look()
      return []
    } catch (error) {
      if (!isFault(error)) throw error
      return [wrong('secret files', error.message, 'mount the Secret, or correct its path')]
    }
  })
}

function webhook(config: Config): Check {
  const { host, port, path } = config.webhook
  if (!webhookIsOpen(config)) return ok('webhook', `${host}:${port}${path} asks senders who they are`)
  const says = `${host}:${port}${path} takes alerts from whoever reaches it`
  return config.actions.mode === 'observe'
    ? note('webhook', says, 'set webhook.auth before the mode is more than observe')
    : warn('webhook', says, 'set webhook.auth.token_file, and the same token in Alertmanager’s receiver')
}

function alertmanagers(config: Config, ports: Ports): readonly Promise<Check>[] {
  const { urls } = config.alertmanager
  if (urls.length === 0)
    return [
      Promise.resolve(note('Alertmanager', 'none is configured: silences are not seen, and what was lost with a disk does not come back', 'set alertmanager.urls to every peer')),
    ]
  return urls.map(async (url) => {
    const name = `Alertmanager ${new URL(url).host}`
    try {
      const one = alertmanagerOf({ ...config, alertmanager: { ...config.alertmanager, urls: [url] } }, ports, { warn: () => undefined })
      const active = await one?.active(config.namespace ? { namespace: config.namespace } : {})
      if (active === undefined || isUnknown(active)) return wrong(name, active?.unknown ?? 'was not asked', 'check alertmanager.urls, its token, and the network policies between')
      return ok(name, `answers, ${active.length} alerts fire${config.namespace ? ` in ${config.namespace}` : ''}`)
    } catch (error) {
      if (!isFault(error)) throw error
      return wrong(name, error.message, error.hint)
    }
  })
}

const CHAT_TIMEOUT_MS = 5_000

/** Nothing is said there; whatever answers shows that the address is reached. The address itself is a secret. */
function chat({ tell }: Config, ports: Ports): readonly Promise<Check>[] {
  const { chat: wanted } = tell
  if (!wanted) return [Promise.resolve(note('chat', 'none is configured', 'set tell.chat to tell people there'))]
  const reach = async (): Promise<Check> => {
    const { signal, cancel } = deadline(ports.timers, CHAT_TIMEOUT_MS, 'the chat webhook')
    try {
      const url = wanted.url ?? fileSecret(wanted.url_file ?? '', { clock: ports.clock }).current()[0] ?? ''
      const answer = await ports.http()({ method: 'GET', url, signal })
      await answer.text()
      return ok('chat', `answers (${answer.status} to a look without a message)`)
    } catch {
      return wrong('chat', 'does not answer', 'check tell.chat, and that its address can be reached from here')
    } finally {
      cancel()
    }
  }
  return [reach()]
}
