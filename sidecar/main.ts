// The sidecar's own program: configuration, signals and exit codes, and nothing else. It loads no command line.
import { startApp } from '../src/app.ts'
import { loadConfig } from '../src/config/load.ts'
import { Fault } from '../src/domain/fault.ts'
import { realPorts } from '../src/ports.ts'

async function run(): Promise<void> {
  const app = await startApp({ config: await loadConfig({ environment: process.env }), ports: realPorts, environment: process.env })
  const stop = (signal: NodeJS.Signals) => {
    app.stop(signal).then(
      () => process.exit(0),
      (error: unknown) => failed(error),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

function failed(error: unknown): void {
  process.stderr.write(error instanceof Fault ? `${error.message}\n${error.hint}\n` : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(error instanceof Fault ? 2 : 1)
}

run().catch(failed)
