import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manualPorts } from '../../test/manual-ports.ts'
import { temporaryFolder } from '../../test/temporary.ts'
import { readFolder } from './folder.ts'
import { makePractice } from './server.ts'

function folder(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}
const POD = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web-1, namespace: shop }\nspec: { nodeName: n, containers: [{ name: app, image: i }] }\n'

describe('a cluster as a folder', () => {
  it('reads manifests of many documents, folders and notations', async () => {
    const found = await readFolder(
      folder({
        'pods.yaml': `${POD}---\n# nothing here\n---\n${POD.replace('web-1', 'web-2')}`,
        'deep/er/map.yml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n',
        'list.json': JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: [] }),
        'README.md': 'not a manifest',
        '.git/config.yaml': 'nor: this',
      }),
    )
    expect(found.manifests).toHaveLength(4)
    expect(found).toMatchObject({ logs: [], activeAlerts: [], history: [] })
  })
  it('reads logs of pods, whatever dots their names have', async () => {
    const root = folder({ 'pod.yaml': POD, 'logs/web-1.app.log': 'now\n', 'logs/web-1.app.previous.log': 'then\n', 'logs/a.b.c.log': 'dots\n' })
    const found = await readFolder(root)
    expect(found.logs).toEqual([
      { pod: 'a.b', container: 'c', previous: false, text: 'dots\n' },
      { pod: 'web-1', container: 'app', previous: false, text: 'now\n' },
      { pod: 'web-1', container: 'app', previous: true, text: 'then\n' },
    ])
    const practice = makePractice({ ports: manualPorts() })
    practice.loadFolder(found)
    expect([practice.logs.get('web-1', 'app', true), practice.store.get('Pod', 'shop', 'web-1')?.kind]).toEqual(['then\n', 'Pod'])
  })
  it('reads other firing alerts and earlier attempts', async () => {
    const attempt = { at: '2026-01-01T00:00:00Z', alert: 'KubePodCrashLooping', target: 'Deployment/web', action: 'restart_pod', outcome: 'unproven' }
    const found = await readFolder(folder({ 'active-alerts.json': JSON.stringify([{ labels: { alertname: 'NodeDown' } }]), 'history.json': JSON.stringify([attempt]) }))
    expect(found.activeAlerts).toEqual([{ status: 'firing', labels: { alertname: 'NodeDown' }, annotations: {} }])
    expect(found.history).toEqual([attempt])
  })
  it('tells every problem at once, with file, place and what to do', async () => {
    const root = folder({
      'broken.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: a\n',
      'nameless.yaml': `${POD}---\napiVersion: v1\nkind: Pod\n`,
      'kindless.json': '{"apiVersion":"v1"}',
      'text.yml': 'just text',
      'half.json': '{"apiVersion":',
      'active-alerts.json': '[{"labels":{"alertname":1}}]',
      'history.json': '{}',
      'logs/nothing.log': '',
      'good.yaml': POD,
    })
    const problems = await readFolder(root).catch((error: unknown) => error)
    expect(problems).toMatchObject({ code: 'INPUT_INVALID' })
    const lines = problems instanceof Error ? problems.message.split('\n') : []
    expect(lines).toEqual([
      expect.stringMatching(/^active-alerts\.json: 0\.labels\.alertname: /),
      expect.stringMatching(/^broken\.yaml: line \d+, column \d+: /),
      expect.stringMatching(/^half\.json: .*correct the file or take it out of the folder$/),
      expect.stringMatching(/^history\.json: the whole file: /),
      'kindless.json: has no kind; add one, such as Pod or Deployment',
      'logs/nothing.log: is no pod log; name it <pod>.<container>.log or <pod>.<container>.previous.log',
      'nameless.yaml: document 2 is a Pod without metadata.name; name it',
      'text.yml: is no Kubernetes manifest; give an object with apiVersion, kind and metadata.name',
    ])
  })
  it('says when the folder cannot be read', async () => {
    await expect(readFolder('/nowhere/at/all')).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('/nowhere/at/all cannot be read as a folder') })
  })
})
