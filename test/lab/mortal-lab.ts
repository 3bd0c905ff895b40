// A lab in a process of its own, to be killed: brings up the parts that it is told in the folder that it is told, and says so.
import { staysAlive } from '../../src/ports.ts'
import { isPart } from './parts/catalogue.ts'
import { startLab } from './running-lab.ts'

const [folder = '', ...names] = process.argv.slice(2)
await startLab(names.filter(isPart), folder)
process.stdout.write('up\n')
await staysAlive(new Promise<never>(() => {}))
