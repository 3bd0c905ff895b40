// The webhook as a process of its own for the intake bench: the real door, and behind it the real intake on a file, or nothing at all.

import { listen } from '../src/doors/listen.ts'
import { fixedSecret } from '../src/doors/secrets.ts'
import { makeWebhook } from '../src/doors/webhook.ts'
import { Database } from '../src/libsql/database.ts'
import { realPorts } from '../src/ports.ts'
import { makeIntake } from '../src/rooms/record/intake.ts'
import { openHistory } from '../src/rooms/record/record.ts'

const [file] = process.argv.slice(2)
const durable = () => {
  const database = new Database(file ?? '')
  openHistory(database, realPorts)
  return makeIntake(database, realPorts, { capacity: Number.POSITIVE_INFINITY, onCommitted: () => {} })
}
const intake = file === 'storeless' ? { accept: async () => {} } : durable()
const webhook = makeWebhook({
  intake,
  clock: realPorts.clock,
  security: () => {},
  log: { warn: () => {} },
  config: { bearer: [fixedSecret('bench')], rate: { perSecond: 1e9, burst: 1e9 } },
})
const listening = await listen({ fetch: (request, env) => webhook.fetch(request, env), host: '127.0.0.1', port: 0, timers: realPorts.timers })
process.stdout.write(`${listening.port}\n`)
process.once('SIGTERM', () => process.exit(0))
