// Ollama with the smallest instruct model there is: the real server, whose answers have the form that is asked for and no sense.
import { writeFileSync } from 'node:fs'
import { pathOf } from '../binaries.ts'
import { answers } from '../ground.ts'
import type { Part } from './part.ts'
import { ask, withItsChildren } from './programs.ts'

/** The name under which the lab's server has it. */
export const SMALL_MODEL = 'smollm2'

const MODELFILE = (weights: string): string => `FROM ${weights}
TEMPLATE """{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""
PARAMETER stop <|im_end|>
`

export const ollama: Part = {
  needs: [],
  binaries: ['ollama', 'smollm2.gguf', 'unshare'],
  what: 'Ollama with a model of 135 million parameters',
  async start(ground) {
    const host = `127.0.0.1:${await ground.port()}`
    const url = `http://${host}`
    const environment = {
      OLLAMA_HOST: host,
      OLLAMA_MODELS: ground.file('ollama'),
      OLLAMA_CONTEXT_LENGTH: '2048',
      OLLAMA_NUM_PARALLEL: '1',
      // It stays in memory: what a cold load costs is no part of what the suites ask.
      OLLAMA_KEEP_ALIVE: '-1',
    }
    await ground.run({ name: 'ollama', ...withItsChildren(pathOf('ollama'), ['serve']), environment, ready: () => answers(`${url}/api/version`) })
    writeFileSync(ground.file('Modelfile'), MODELFILE(pathOf('smollm2.gguf')))
    await ask(pathOf('ollama'), ['create', SMALL_MODEL, '-f', ground.file('Modelfile')], environment)
    return { ollama: url }
  },
}
