// The configuration in force as YAML, secrets taken out: what `config print` shows and a bug report may carry.
import * as z from 'zod'
import { REDACTED, redact } from '../domain/redaction.ts'
import { CONFIG, type Config, configSchema } from './schema.ts'
import { isSecret, isTree, mapScalars } from './tree.ts'

/** As the file would have it, with every default, and nothing that the schema marks as secret. */
export function printable(config: Config): unknown {
  const schema: unknown = configSchema()
  const written: unknown = z.encode(CONFIG, config)
  return mapScalars(written, isTree(schema) ? [schema] : [], (scalar, nodes) => {
    if (isSecret(nodes)) return REDACTED
    // An address may carry a password that no schema marks.
    return typeof scalar === 'string' ? redact(scalar) : scalar
  })
}

export async function printConfig(config: Config): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(printable(config), { lineWidth: 0 })
}
