// The lab actor as a part: a process of its own, with an account of its own.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { LAB } from '../binaries.ts'
import { kubeconfigOf } from './control-plane.ts'
import type { Part } from './part.ts'

export const actor: Part = {
  needs: ['kube-apiserver', 'kwok'],
  binaries: [],
  what: 'plays what kwok does not: volumes that grow, resize in place, scripts of Jobs, logs',
  async start(ground) {
    const folder = ground.file('actor')
    const args = [join(LAB, 'actor', 'main.ts'), kubeconfigOf(ground, 'actor'), folder]
    await ground.run({ name: 'actor', program: process.execPath, args, ready: async () => existsSync(join(folder, 'ready')) })
    return {}
  },
}
