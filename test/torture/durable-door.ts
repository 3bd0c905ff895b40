// The webhook door over the real intake and a real file, as a program of its own: `durable-door.ts FILE FULL|NORMAL`. The product has no
// setting that lowers durability; this program does, to show that the test of it can fail.
import { listen } from '../../src/doors/listen.ts'
import { makeWebhook } from '../../src/doors/webhook.ts'
import { Database } from '../../src/libsql/database.ts'
import { realPorts, staysAlive } from '../../src/ports.ts'
import { makeIntake } from '../../src/rooms/record/intake.ts'
import { openHistory } from '../../src/rooms/record/record.ts'

const [path = '', synchronous] = process.argv.slice(2)
const database = new Database(path, { synchronous: synchronous === 'NORMAL' ? 'NORMAL' : 'FULL' })
openHistory(database, realPorts)
const intake = makeIntake(database, realPorts, { capacity: 1_000, onCommitted: () => undefined })
const webhook = makeWebhook({ intake, clock: realPorts.clock, security: () => undefined, log: { warn: () => undefined } })
const { url } = await listen({ fetch: (request, env) => webhook.fetch(request, env), host: '127.0.0.1', port: 0, timers: realPorts.timers })
process.stdout.write(`process ${process.pid} listens at ${url}\n`)
await staysAlive(new Promise(() => undefined))
