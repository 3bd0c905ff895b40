// The command line as its users have it: exit codes, sentences for people, one JSON document for scripts.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { realPorts } from '../src/ports.ts'
import { start } from './child-processes.ts'
import { temporaryFolder } from './temporary.ts'

const ROOT = join(import.meta.dirname, '..')
const MAIN = join(ROOT, 'src/cli/main.ts')
const fixture = (...parts: string[]) => join(import.meta.dirname, 'fixtures', ...parts)
const SHOP = fixture('clusters/shop')

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}
interface RunOptions {
  /** What Node runs. */
  readonly file?: string
  readonly cwd?: string
  readonly input?: string
}
/** Nothing of the machine's own configuration reaches it. */
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', NO_COLOR: '1' }
function run(args: readonly string[], { file = MAIN, cwd = ROOT, input = '' }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [file, ...args], { env: ENVIRONMENT, cwd, maxBuffer: 2 ** 24 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    child.stdin?.end(input)
  })
}
async function json(args: readonly string[], options?: RunOptions) {
  const ran = await run([...args, '--json'], options)
  if (ran.out === '') throw new Error(`nothing on stdout, and on stderr ${ran.err}`)
  return { ...ran, json: JSON.parse(ran.out) }
}
const explain = (alert: string, ...more: string[]) => json(['rules', 'explain', '--cluster', SHOP, '--alert', fixture('alerts', alert), ...more])
const stops = (gates: readonly { readonly gate: string; readonly says: string; readonly code?: string }[]) =>
  gates.filter(({ says }) => says === 'refuse' || says === 'hold' || says === 'ask').map(({ gate, says, code }) => `${gate} ${says} ${code}`)

describe('rules explain, against a folder', () => {
  it('says what would be done, by which rule, with every gate', async () => {
    const { code, json: explained } = await explain('web-crashes.json', '--mode', 'enforce')
    expect(code).toBe(0)
    expect(explained).toMatchObject({
      alert: 'KubePodCrashLooping',
      decision: 'act',
      action: 'rollback_deployment',
      parameters: {},
      by: 'rule',
      rule: 'crash-looping-since-new-revision',
      confidence: 0.9,
      target: { kind: 'Pod', namespace: 'shop', name: 'web-2-x', owner: { kind: 'Deployment', name: 'web' } },
      plan: { action: 'rollback_deployment', steps: [{ kind: 'patch', object: { kind: 'Deployment', name: 'web' } }] },
      unknownFacts: [],
    })
    // A folder cannot tell rights; nothing else is in the way.
    expect(stops(explained.gates)).toEqual(['rights hold RIGHTS_UNKNOWN'])
    expect(explained.gates.at(-1)).toEqual({ gate: 'rehearsal', says: 'not-asked' })
  })

  it('judges in the configured mode, which is observe by itself', async () => {
    const { json: explained } = await explain('web-crashes.json')
    expect(stops(explained.gates)).toContain('mode refuse OBSERVE_MODE')
  })

  it('names the gate that refuses', async () => {
    const { json: explained } = await explain('cache-crashes.json', '--mode', 'enforce')
    expect(explained).toMatchObject({ decision: 'act', action: 'increase_resources', rule: 'crash-looping-for-memory', parameters: { container: 'cache' } })
    expect(stops(explained.gates)).toContain('protected-objects refuse PROTECTED')
  })

  it('says that the rules cannot tell, what they would need, and what could be asked for', async () => {
    const { json: explained } = await explain('worker-crashes.json')
    expect(explained).toMatchObject({ decision: 'ambiguous', action: null, rule: null, plan: null, gates: [], unknownFacts: [{ fact: 'logs' }] })
    expect(explained.candidates).toContain('restart_pod')
  })

  it('ignores what is resolved', async () => {
    const { json: explained } = await explain('resolved.json')
    expect(explained).toMatchObject({ decision: 'ignore', because: 'it is resolved', target: null, plan: null })
  })

  it('takes alerts about one workload as one case, and gives a list for several', async () => {
    const { json: explained } = await explain('several.json')
    expect(explained.map(({ alerts, target }: { alerts: string[]; target: { owner: { name: string } } }) => [target.owner.name, ...alerts])).toEqual([
      ['web', 'KubePodCrashLooping', 'KubeDeploymentReplicasMismatch'],
      ['worker', 'KubePodCrashLooping'],
    ])
  })

  it('looks at the folder at another time when asked to', async () => {
    const { json: explained } = await explain('web-crashes.json', '--now', '2026-01-15T18:00:00Z')
    expect(explained.rule).not.toBe('crash-looping-since-new-revision')
  })

  it('counts earlier attempts of history.json', async () => {
    const folder = join(temporaryFolder(), 'shop')
    cpSync(SHOP, folder, { recursive: true })
    const attempt = (outcome: string | null, at: string) => ({ at, alert: 'KubePodCrashLooping', target: 'Deployment web', action: 'rollback_deployment', outcome })
    writeFileSync(join(folder, 'history.json'), JSON.stringify([attempt('unproven', '2026-01-15T11:58:00Z'), attempt(null, '2026-01-15T11:00:00Z')]))
    const { json: explained } = await json(['rules', 'explain', '--cluster', folder, '--alert', fixture('alerts/web-crashes.json'), '--mode', 'enforce'])
    expect(stops(explained.gates)).toContain('cooldown hold COOLDOWN')
  })

  it('reads the alert from standard input', async () => {
    const { json: explained } = await json(['rules', 'explain', '--cluster', SHOP, '--alert', '-'], { input: readFileSync(fixture('alerts/worker-crashes.json'), 'utf8') })
    expect(explained.target.owner.name).toBe('worker')
  })

  it('decides by the rules of another folder', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'crash.yaml'), RULE)
    const { json: explained } = await explain('worker-crashes.json', '--rules', folder)
    expect(explained).toMatchObject({ decision: 'act', action: 'restart_pod', rule: 'ends-often' })
  })

  it('is a page for people without --json', async () => {
    const { out } = await run(['rules', 'explain', '--cluster', SHOP, '--alert', fixture('alerts/cache-crashes.json'), '--mode', 'enforce'])
    expect(out).toMatch(/Decision: increase_resources .* by rule crash-looping-for-memory/)
    expect(out).toContain('✗ crash-looping-alone (restart_pod, workloads/kube-pod-crash-looping.yaml): does not hold')
    expect(out).toContain('It would be refused: Deployment shop/cache carries the protected label')
  })

  it('shows hostile labels and does not let the terminal obey them', async () => {
    const { out } = await run(['rules', 'explain', '--cluster', SHOP, '--alert', '-'], {
      input: JSON.stringify({ labels: { alertname: '\u001b[2JCrash\u0007', namespace: 'shop', pod: 'web-2-x' } }),
    })
    expect(out).toMatch(/^ \[2JCrash {2}about Pod shop\/web-2-x/)
  })

  it.each([
    ['no such file', ['--cluster', SHOP, '--alert', '/nowhere/alert.json'], '/nowhere/alert.json cannot be read'],
    ['no JSON', ['--cluster', SHOP, '--alert', join(SHOP, 'web.yaml')], 'web.yaml is no JSON'],
    ['no alert in it', ['--cluster', SHOP, '--alert', join(SHOP, 'snapshot.json')], '/labels: '],
    ['no such folder', ['--cluster', '/nowhere', '--alert', fixture('alerts/web-crashes.json')], '/nowhere cannot be read as a folder'],
    ['no such mode', ['--cluster', SHOP, '--alert', fixture('alerts/web-crashes.json'), '--mode', 'eager'], '--mode takes observe, approve, enforce'],
  ])('says what is wrong with its input: %s', async (_, args, sentence) => {
    const { code, out, err } = await run(['rules', 'explain', ...args])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(sentence)
    expect(err).not.toContain('    at ')
  })
})

const RULE = `alerts: [KubePodCrashLooping]
rules:
  - id: ends-often
    when: { fact: pod, path: $.restarts, operator: greaterThan, value: 3 }
    then: { action: restart_pod, confidence: 0.8 }
`
const RULE_TEST = `tests:
  - name: ends often
    alert: { labels: { alertname: KubePodCrashLooping, namespace: shop, pod: worker-1-a } }
    cluster: ${SHOP}
    expect: { action: ACTION }
  - name: has no pod
    alert: { labels: { alertname: KubePodCrashLooping, namespace: shop, pod: other } }
    expect: { decision: notify }
`
function ruleFolder(rule: string, test?: string): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'crash.yaml'), rule)
  if (test) writeFileSync(join(folder, 'crash.test.yaml'), test)
  return folder
}

describe('rules lint', () => {
  it('finds nothing in the library', async () => {
    expect(await run(['rules', 'lint'])).toMatchObject({ code: 0, out: 'no problems\n' })
  })

  it('shows the line with a caret and ends with 1', async () => {
    const folder = ruleFolder(RULE.replace('$.restarts', '$.restart'))
    const { code, out } = await run(['rules', 'lint', 'crash.yaml'], { cwd: folder })
    expect(code).toBe(1)
    expect(out).toContain('crash.yaml:4:24: error: fact pod: there is no restart in it')
    expect(out).toContain(`    4 |     when: { fact: pod, path: $.restart, operator: greaterThan, value: 3 }\n      |${' '.repeat(24)}^`)
    expect(out).toContain('1 error, 0 warnings')
  })

  it('gives warnings without failing, and everything as JSON', async () => {
    const { code, json: linted } = await json(['rules', 'lint', ruleFolder(RULE)])
    expect(code).toBe(0)
    expect(linted).toMatchObject({ ok: true, errors: 0, warnings: 1, problems: [{ severity: 'warning', line: 2, message: expect.stringContaining('no tests beside it') }] })
  })

  it('judges a folder with the library below it, whose conditions it may use and whose ids it may not', async () => {
    const { code, json: linted } = await json(['rules', 'lint', ruleFolder(RULE.replace('ends-often', 'crash-looping-alone').replace(/\{ fact: pod.*\}/, '{ condition: hangs }'))])
    expect(code).toBe(1)
    expect(linted.problems.filter(({ severity }: { severity: string }) => severity === 'error')).toMatchObject([{ message: expect.stringContaining('exists already') }])
  })

  it('says what to do about a path that is not there', async () => {
    expect(await run(['rules', 'lint', '/nowhere'])).toMatchObject({ code: 2, err: expect.stringContaining('/nowhere does not exist') })
  })
})

describe('rules test', () => {
  it('passes, and names a rule without a near miss', async () => {
    const { code, json: tested } = await json(['rules', 'test', ruleFolder(RULE, RULE_TEST.replace('ACTION', 'restart_pod'))])
    expect(code).toBe(0)
    expect(tested).toMatchObject({ ok: true, passed: 2, failed: 0, problems: [], uncovered: [{ rule: 'ends-often', missing: 'near miss' }] })
  })

  it('fails with what was expected and what was found', async () => {
    const { code, out } = await run(['rules', 'test', ruleFolder(RULE, RULE_TEST.replace('ACTION', 'rollout_restart'))])
    expect(code).toBe(1)
    expect(out).toContain('action: expected "rollout_restart", got "restart_pod"')
    expect(out).toContain('1 of 2 tests passed')
  })

  it('runs the test beside a rule file that is named', async () => {
    const { code, json: tested } = await json(['rules', 'test', 'rules/quota/kube-quota-exceeded.yaml'])
    expect(code).toBe(0)
    expect([...new Set(tested.tests.map(({ file }: { file: string }) => basename(file)))]).toEqual(['kube-quota-exceeded.test.yaml'])
    expect(tested.uncovered).toEqual([])
  })

  it('does not pass when there is nothing to run', async () => {
    expect(await run(['rules', 'test', ruleFolder(RULE)])).toMatchObject({ code: 2, err: expect.stringContaining('there is no test here') })
  })
})

describe('config', () => {
  const withConfig = (text: string): string => {
    const file = join(temporaryFolder(), 'config.yaml')
    writeFileSync(file, text)
    return file
  }
  it('prints what is in force without secrets', async () => {
    const { json: printed, out } = await json(['config', 'print', '--config', withConfig('webhook: { port: 9000, auth: { token: s3cret-of-mine } }')])
    expect(printed).toMatchObject({ webhook: { port: 9000, path: '/alerts' }, actions: { mode: 'observe' } })
    expect(out).not.toContain('s3cret-of-mine')
  })

  it('checks everything at once, also what no schema can tell', async () => {
    const { code, json: schema } = await json(['config', 'check', '--config', withConfig('webhook: { port: high }\nactions: { mode: sometimes }')])
    expect(code).toBe(1)
    expect(schema.problems.map(({ path }: { path: string }) => path)).toEqual(['webhook.port', 'actions.mode'])
    const { code: later, json: start } = await json(['config', 'check', '--config', withConfig('webhook: { allow_from: [home], auth: { token_file: /nowhere/token } }')])
    expect(later).toBe(1)
    expect(start.problems.map(({ problem }: { problem: string }) => problem)).toEqual([expect.stringContaining('not a network: home'), expect.stringContaining('/nowhere/token')])
    expect(await run(['config', 'check'])).toMatchObject({ code: 0, out: 'the configuration is sound\n' })
  })

  it('is described by a JSON schema', async () => {
    const { json: schema } = await json(['config', 'schema'])
    expect(Object.keys(schema.properties)).toContain('webhook')
  })
})

describe('rbac', () => {
  it('prints only the actions that are wanted, bound in the namespace', async () => {
    const { json: list } = await json(['rbac', '--namespace', 'team-a', '--action', 'restart_pod'])
    const named = list.items.map(({ kind, metadata }: { kind: string; metadata: { name: string; namespace?: string } }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    expect(named.filter((name: string) => name.includes('action'))).toEqual(['ClusterRole /alerts-slm-action-restart-pod', 'RoleBinding team-a/alerts-slm-action-restart-pod'])
  })
  it('refuses an action that is not there', async () => {
    expect(await run(['rbac', '--action', 'reboot'])).toMatchObject({ code: 2, err: expect.stringContaining('no action named reboot; there are collect_diagnostics') })
  })
})

// ── against a practice cluster in a process of its own ─────────────────────────────────────────────────────────────────

/** The fixture with its times moved to now, as the live cluster's clock is the real one. */
function shopOfToday(): string {
  const folder = join(temporaryFolder(), 'shop')
  cpSync(SHOP, folder, { recursive: true })
  rmSync(join(folder, 'snapshot.json'))
  const moved = realPorts.clock.now() - Date.parse('2026-01-15T12:00:00Z')
  for (const file of readdirSync(folder).filter((name) => /\.(yaml|json)$/.test(name))) {
    const text = readFileSync(join(folder, file), 'utf8')
    writeFileSync(
      join(folder, file),
      text.replace(/2026-01-\d\dT\d\d:\d\d:\d\dZ/g, (time) => new Date(Date.parse(time) + moved).toISOString().replace(/\.\d+/, '')),
    )
  }
  return folder
}
async function practiceCluster(folder: string, ...more: string[]) {
  const started = start(process.execPath, [MAIN, 'practice', '--load', folder, '--frozen', '--account', 'shop/alerts-slm', '--json', ...more])
  const { url, token, accounts } = JSON.parse((await started.says(/^\{.*\}$/m))[0])
  const home = temporaryFolder()
  const config = (as: string, more: object = {}): string => {
    const file = join(home, `${as}.yaml`)
    writeFileSync(file, JSON.stringify({ kubernetes: { server: url, token: as }, namespace: 'shop', store: { path: join(home, 'history.db') }, ...more }))
    return file
  }
  return { started, url, admin: config(token), account: accounts[0].token, config }
}

interface Told {
  readonly [key: string]: unknown
  readonly plan: { readonly steps: unknown } | null
  readonly unknownFacts: readonly { readonly fact: string }[]
  readonly considered: readonly { readonly rule: string; readonly truth: string }[]
}
/** Without ages, which go on between two looks. */
const told = ({ decision, action, rule, parameters, target, candidates, plan, unknownFacts, considered }: Told) => ({
  decided: [decision, action, rule, parameters, target, candidates],
  steps: plan?.steps,
  unknown: unknownFacts.map(({ fact }) => fact),
  rules: considered.map((each) => `${each.rule} ${each.truth}`),
})

describe('a practice cluster of its own', () => {
  it('is decided the same live and from its snapshot', async () => {
    const { admin } = await practiceCluster(shopOfToday())
    const folder = join(temporaryFolder(), 'snapshot')
    const taken = await json(['snapshot', '-n', 'shop', folder, '--config', admin])
    expect(taken.code).toBe(0)
    expect(taken.json).toMatchObject({ namespace: 'shop', unreadable: ['active-alerts'] })
    expect(taken.json.files).toEqual(expect.arrayContaining(['deployment.yaml', 'pod.yaml', 'logs/web-2-x.web.previous.log', 'history.json']))
    for (const alert of ['web-crashes.json', 'worker-crashes.json', 'cache-crashes.json']) {
      const [live, again] = await Promise.all([
        json(['rules', 'explain', '--alert', fixture('alerts', alert), '--config', admin, '--mode', 'enforce']),
        json(['rules', 'explain', '--alert', fixture('alerts', alert), '--cluster', folder, '--mode', 'enforce']),
      ])
      expect(told(again.json)).toEqual(told(live.json))
      // Live, the rights are known; from the folder they are not. All else is judged the same.
      const others = (gates: readonly { gate: string }[]) => gates.filter(({ gate }) => gate !== 'rights')
      expect(others(again.json.gates)).toEqual(others(live.json.gates))
    }
  }, 60_000)

  it('lets a snapshot go only into an empty folder', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'mine.txt'), '')
    expect(await run(['snapshot', '-n', 'shop', folder])).toMatchObject({ code: 2, err: expect.stringContaining('is not empty') })
  })

  it('writes nothing when it explains, takes a snapshot or is examined', async () => {
    const { admin, url } = await practiceCluster(shopOfToday())
    const headers = { authorization: 'Bearer admin' }
    const http = realPorts.http()
    const everything = async () => {
      const lists = ['/apis/apps/v1/deployments', '/api/v1/pods', '/api/v1/configmaps', '/api/v1/events']
      return Promise.all(lists.map(async (path) => JSON.parse(await (await http({ method: 'GET', url: url + path, headers })).text()).items))
    }
    const before = await everything()
    await run(['rules', 'explain', '--alert', fixture('alerts/web-crashes.json'), '--config', admin, '--mode', 'enforce'])
    await run(['snapshot', join(temporaryFolder(), 'new'), '--config', admin])
    await run(['doctor', '--config', admin])
    expect(await everything()).toEqual(before)
  }, 60_000)

  it('is examined: what is missing for which action, and what grants it', async () => {
    const folder = shopOfToday()
    const granted = await run(['rbac', '--namespace', 'shop', '--action', 'restart_pod'])
    writeFileSync(join(folder, 'rbac.yaml'), granted.out)
    const cluster = await practiceCluster(folder)
    const find = ({ checks }: { checks: { name: string }[] }, part: string) => checks.find(({ name }) => name.includes(part))

    const fine = await json(['doctor', '--config', cluster.admin])
    expect(fine).toMatchObject({ code: 0, json: { ok: true } })
    expect(find(fine.json, 'API server')).toMatchObject({ state: 'ok' })

    const lacking = await json(['doctor', '--config', cluster.config(cluster.account, { actions: { mode: 'enforce' } })])
    expect(lacking).toMatchObject({ code: 1, json: { ok: false } })
    expect(find(lacking.json, 'action-restart-pod')).toMatchObject({ state: 'ok' })
    expect(find(lacking.json, 'action-rollback-deployment')).toMatchObject({
      state: 'wrong',
      missing: ['patch deployments.apps'],
      remedy: 'alerts-slm rbac --namespace shop --action rollback_deployment | kubectl apply -f -',
    })
  }, 60_000)

  it('takes no token over plain HTTP unless it has to, and ends when it is told to', async () => {
    const http = realPorts.http()
    const open = await practiceCluster(shopOfToday())
    expect((await http({ method: 'GET', url: `${open.url}/api/v1/namespaces/shop/pods` })).status).toBe(200)
    await open.started.end('SIGTERM')
    expect(open.started.running()).toBe(false)
    const closed = await practiceCluster(shopOfToday(), '--no-anonymous')
    expect((await http({ method: 'GET', url: `${closed.url}/api/v1/namespaces/shop/pods` })).status).toBe(401)
  }, 60_000)

  it('says which file of the folder it cannot load', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'broken.yaml'), 'kind: Pod\n')
    expect(await run(['practice', '--load', folder, '--once-ready'])).toMatchObject({ code: 2, err: expect.stringContaining('broken.yaml: has no apiVersion') })
  })
})

describe('doctor', () => {
  it('says that no cluster can be reached, and what else is well', async () => {
    const { code, json: found } = await json(['doctor'])
    expect(code).toBe(1)
    const state = Object.fromEntries(found.checks.map(({ name, state: is }: { name: string; state: string }) => [name, is]))
    expect(state).toMatchObject({ configuration: 'ok', rules: 'ok', store: 'ok', 'API server': 'wrong' })
  })
})

describe('the command line', () => {
  it.each([['start', '--bogus'], ['rules', 'lintt'], ['cases', 'show'], ['nope']])('says with exit code 2 that `%s %s` could not be tried, and where help is', async (...args) => {
    const { code, err } = await run(args.filter((arg) => arg !== undefined))
    expect(code).toBe(2)
    expect(err).toContain('--help')
  })

  it('names what there is to call when a command is not there', async () => {
    const { code, err } = await run(['repair'])
    expect(code).toBe(2)
    expect(err).toContain("unknown command 'repair'")
  })
  it('ends quietly when nobody reads on', async () => {
    const started = start('sh', ['-c', `"${process.execPath}" "${MAIN}" rbac | true; echo over`])
    await started.says(/over/)
    expect(started.output()).toBe('over\n')
  })
})

describe('gen', () => {
  const GEN = join(ROOT, 'src/cli/gen.ts')
  it('writes everything, then finds it fresh; names what was edited, what is left over, and the command', async () => {
    const root = temporaryFolder()
    expect(await run(['--root', root], { file: GEN })).toMatchObject({ code: 0 })
    expect(await run(['--check', '--root', root], { file: GEN })).toMatchObject({ code: 0, out: '' })
    writeFileSync(join(root, 'deploy/rbac/read.yaml'), 'kind: ClusterRole\n')
    writeFileSync(join(root, 'deploy/rbac/action-gone.yaml'), '')
    const checked = await run(['--check', '--root', root], { file: GEN })
    expect(checked).toMatchObject({ code: 1, err: expect.stringContaining('npm run gen') })
    expect(checked.out).toBe('deploy/rbac/read.yaml: is not what the code says\ndeploy/rbac/action-gone.yaml: is not what the code says\n')
    await run(['--root', root], { file: GEN })
    expect(readdirSync(join(root, 'deploy/rbac'))).not.toContain('action-gone.yaml')
  }, 30_000)

  it('fills the tables of README.md, and says which marker is missing', async () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'src'))
    const names = ['actions', 'gate-codes', 'environment', 'faults']
    writeFileSync(join(root, 'README.md'), names.map((name) => `before ${name}\n\n<!-- gen:${name} -->\nOUTDATED\n<!-- /gen:${name} -->\n`).join(''))
    await run(['--root', root], { file: GEN })
    const page = readFileSync(join(root, 'README.md'), 'utf8')
    expect(page).not.toContain('OUTDATED')
    expect(page).toMatch(/before faults\n\n<!-- gen:faults -->\n\n\| code +\| tried again \|[\s\S]*\| `CONFIG_INVALID` +\| no +\|/)
    writeFileSync(join(root, 'README.md'), page.replace('<!-- /gen:faults -->', ''))
    expect(await run(['--check', '--root', root], { file: GEN })).toMatchObject({ code: 2, err: expect.stringContaining('README.md has no <!-- /gen:faults -->') })
  }, 30_000)
})
