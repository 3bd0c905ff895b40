// Chromium without a window, steered over its DevTools protocol.
import { pathOf } from '../binaries.ts'
import { answers } from '../ground.ts'
import type { Part } from './part.ts'

export const chromium: Part = {
  needs: [],
  binaries: ['chromium'],
  what: 'Chromium without a window, for the pages',
  async start(ground) {
    const port = await ground.port()
    const url = `http://127.0.0.1:${port}`
    const args = [
      '--headless',
      // Its sandbox does not start as root; it sees nothing but our own pages.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      `--user-data-dir=${ground.file('chromium')}`,
      `--remote-debugging-port=${port}`,
      'about:blank',
    ]
    await ground.run({ name: 'chromium', program: pathOf('chromium'), args, ready: () => answers(`${url}/json/version`) })
    return { chromium: url }
  },
}
