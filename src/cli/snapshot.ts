// `alerts-slm snapshot -n NAMESPACE DIR`: a namespace as a folder, for a bug report or to decide again at a desk. No secret goes in.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { stringify } from 'yaml'
import { version } from '../config/assets.ts'
import { Fault, isFault } from '../domain/fault.ts'
import type { Attempt } from '../domain/history.ts'
import { unknown } from '../domain/unknown.ts'
import { alertmanagerOf } from '../edges.ts'
import { makeLedger } from '../kube/ledger.ts'
import { makeReader } from '../kube/reader.ts'
import { realPorts } from '../ports.ts'
import { mergeAttempts } from '../rooms/gate/attempts.ts'
import { takeSnapshot } from '../simulate/snapshot.ts'
import { configured } from './configured.ts'
import { connected } from './live.ts'
import { withPast } from './local-history.ts'
import { paint, print, printJson } from './output.ts'

interface Options {
  readonly namespace?: string
  readonly config?: string
  readonly force?: boolean
  readonly json?: boolean
}

async function snapshot(folder: string, options: Options): Promise<void> {
  const given = await configured(options.config)
  const config = options.namespace === undefined ? given : { ...given, namespace: options.namespace }
  mustBeEmpty(folder, options.force === true)
  const { transport, namespace } = await connected(config, realPorts)
  const takenAt = realPorts.clock.now()
  const alertmanager = alertmanagerOf(config, realPorts, { warn: ({ why }) => void process.stderr.write(`${why}\n`) })
  const past = await attemptsOf(config.store.path, makeLedger(transport, namespace))
  const { files, missing, unreadable } = await takeSnapshot({
    read: makeReader(transport, namespace),
    active: async () => (alertmanager ? alertmanager.active({ namespace }) : unknown('no Alertmanager is configured (alertmanager.urls)')),
    attempts: past.attempts,
    toYaml: (documents) => documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n'),
    hash: (text) => createHash('sha256').update(text).digest('hex').slice(0, 12),
  })
  const about = { takenAt: new Date(takenAt).toISOString(), namespace, version: version(), missing: [...missing, ...past.missing], unreadable }
  const written = [...files, ['snapshot.json', `${JSON.stringify(about, null, 2)}\n`] as const]
  for (const [path, text] of written) write(join(folder, path), text)
  if (options.json) return printJson({ folder, ...about, files: written.map(([path]) => path) })
  print(`${written.length} files of namespace ${namespace} in ${folder}`)
  for (const line of about.missing) print(`${paint('yellow', 'could not be read')}  ${line}`)
  print(
    `\nSecrets are not read, values of environment variables are hashes, logs are redacted: look through it before you send it.\nalerts-slm rules explain --alert ALERT.json --cluster ${folder}`,
  )
}

/** What is already there would be taken for part of the namespace. */
function mustBeEmpty(folder: string, force: boolean): void {
  try {
    mkdirSync(folder, { recursive: true })
    if (!force && readdirSync(folder).length > 0) throw new Fault('INPUT_INVALID', `${folder} is not empty: name a new folder, or add --force to write into it`)
  } catch (error) {
    if (isFault(error)) throw error
    throw new Fault('INPUT_INVALID', `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** From the ledger, and from the history where the command runs beside it. */
async function attemptsOf(store: string, ledger: ReturnType<typeof makeLedger>): Promise<{ readonly attempts: readonly Attempt[]; readonly missing: readonly string[] }> {
  const missing: string[] = []
  const entries = await ledger.entries().catch((error: unknown) => {
    if (!isFault(error)) throw error
    missing.push(`earlier attempts in the ledger: ${error.message}`)
    return []
  })
  return withPast(
    store,
    realPorts,
    () => entries,
    async ({ attempts }) => ({ attempts: mergeAttempts(attempts.inNamespace(0), entries, () => true), missing }),
  )
}

export function command(): Command {
  return new Command('snapshot')
    .description('write a namespace into a folder of manifests, logs and firing alerts, secrets left out')
    .argument('<dir>', 'a new or empty folder')
    .option('-n, --namespace <name>', 'which namespace (default: as configured)')
    .option('--config <file>', 'the configuration file')
    .option('--force', 'also into a folder that is not empty')
    .option('--json', 'as JSON: what was written, what could not be read')
    .action(snapshot)
}
