// The lab's exporter, a small program of ours: kube-state-metrics itself is not to be had as a Go module or a package.
import { join } from 'node:path'
import { LAB } from '../binaries.ts'
import { answers } from '../ground.ts'
import { kubeconfigOf } from './control-plane.ts'
import type { Part } from './part.ts'

export const exporter: Part = {
  needs: ['kube-apiserver'],
  binaries: [],
  what: 'prints the series of kube-state-metrics from what it watches',
  async start(ground) {
    const port = await ground.port()
    const url = `http://127.0.0.1:${port}`
    const args = [join(LAB, 'exporter', 'main.ts'), kubeconfigOf(ground, 'exporter'), String(port)]
    await ground.run({ name: 'exporter', program: process.execPath, args, ready: () => answers(`${url}/metrics`) })
    return { exporter: url }
  },
}
