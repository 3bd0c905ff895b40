// The library's own tests, rule by rule: the same runner as `alerts-slm rules test`.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../src/actions/catalogue.ts'
import { FACTS } from '../src/facts/catalogue.ts'
import { locate } from '../src/rooms/locate/locate.ts'
import { lint } from '../src/rulebook/lint.ts'
import { loadBook } from '../src/rulebook/load.ts'
import { renderProblems } from '../src/rulebook/problem.ts'
import { readTests } from '../src/simulate/rule-test-file.ts'
import { runRuleTest, uncovered } from '../src/simulate/rule-tests.ts'

const library = fileURLToPath(new URL('../rules', import.meta.url))
const catalogues = { facts: new Map(FACTS.map((fact) => [fact.name, fact])), actions: new Map(ACTIONS.map((action) => [action.name, action])) }
const loaded = await loadBook({ library }, catalogues)
if (!loaded.ok) throw new Error(renderProblems(loaded.problems, loaded.sources))
const { book, files } = loaded
const testFiles = readdirSync(library, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.yaml'))
const read = await Promise.all(testFiles.sort().map((name) => readTests(join(library, name))))
const tests = read.flatMap((file) => file.tests)
const testing = { book, facts: FACTS, locate: (reader: Parameters<typeof locate>[0]['read'], namespace: string) => locate({ read: reader, namespace }) }
const results = await Promise.all(tests.map((test) => runRuleTest(test, testing)))

/** The alerts of kube-prometheus that speak of one namespace's workloads, claims and quotas, and the usual one for lack of memory. */
const COMMON = [
  'KubePodCrashLooping',
  'KubePodNotReady',
  'KubeContainerWaiting',
  'KubeContainerOOMKilled',
  'CPUThrottlingHigh',
  'KubeDeploymentReplicasMismatch',
  'KubeDeploymentGenerationMismatch',
  'KubeDeploymentRolloutStuck',
  'KubeStatefulSetReplicasMismatch',
  'KubeStatefulSetGenerationMismatch',
  'KubeStatefulSetUpdateNotRolledOut',
  'KubeDaemonSetRolloutStuck',
  'KubeDaemonSetNotScheduled',
  'KubeDaemonSetMisScheduled',
  'KubeJobFailed',
  'KubeJobNotCompleted',
  'KubeHpaReplicasMismatch',
  'KubeHpaMaxedOut',
  'KubePersistentVolumeFillingUp',
  'KubePersistentVolumeErrors',
  'KubeQuotaAlmostFull',
  'KubeQuotaFullyUsed',
  'KubeQuotaExceeded',
]

describe('the library', () => {
  it('answers for the most common alerts', () => {
    const answered = files.flatMap((file) => file.alerts)
    expect(COMMON.filter((name) => !answered.includes(name))).toEqual([])
  })

  it('has nothing for lint to say', async () => {
    const { problems, sources } = await lint({ library }, catalogues)
    expect(renderProblems(problems, sources)).toBe('')
  })

  it('has test files that can be read', () => {
    expect(read.flatMap((file) => file.problems)).toEqual([])
  })

  it('has a hit and a near miss for every rule', () => {
    expect(uncovered(book, results)).toEqual([])
  })

  it('says a reason for every rule, and acts only with a stated confidence', () => {
    const rules = files.flatMap((file) => file.rules)
    expect(rules.filter((rule) => rule.because === undefined).map((rule) => rule.id)).toEqual([])
    const acting = rules.filter((rule) => !['notify_only', 'collect_diagnostics'].includes(rule.then.action))
    expect(acting.filter((rule) => rule.then.confidence === undefined).map((rule) => rule.id)).toEqual([])
  })
})

describe('rules of the library', () => {
  it.each(results.map((result) => [`${result.file.slice(library.length + 1)}:${result.line} ${result.name}`, result] as const))('%s', (_, result) => {
    expect(result.differences).toEqual([])
  })
})
