// The programs of the lab: where each comes from, how it is built, and where the build is kept.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const LAB = fileURLToPath(new URL('.', import.meta.url))

/** A program that a Go module brings: the module's versions stand in a .mod file beside this one. */
export interface Built {
  readonly from: 'go'
  readonly modFile: string
  /** The module whose version names the cache folder and is stamped into the program. */
  readonly module: string
  readonly package: string
  readonly ldflags: (version: string) => string
  /** The module cannot be built where it lies: it is copied, and these files are added. */
  readonly copyWith?: Readonly<Record<string, string>>
}
/** A program of the operating system. */
export interface Installed {
  readonly from: 'system'
  readonly program: string
  readonly get: string
}
export type Source = Built | Installed

const stripped = (): string => '-s -w'
const stampedKubernetes = (version: string): string => {
  const [major, minor] = version.replace(/^v/, '').split('.')
  const stamp = { gitVersion: version, gitMajor: major, gitMinor: minor }
  return ['-s -w', ...Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(' ')
}
const kubernetes = (program: string): Built => ({
  from: 'go',
  modFile: 'go.mod',
  module: 'k8s.io/kubernetes',
  package: `k8s.io/kubernetes/cmd/${program}`,
  ldflags: stampedKubernetes,
})
const debian = (program: string, name: string): Installed => ({ from: 'system', program, get: `apt-get install ${name}` })
const alertmanager = (program: string): Built => ({
  from: 'go',
  modFile: 'alertmanager.mod',
  module: 'github.com/prometheus/alertmanager',
  package: `./cmd/${program}`,
  ldflags: (version) => `-s -w -X github.com/prometheus/common/version.Version=${version.replace(/^v/, '')}`,
  // The module's zip leaves out the built pages, which the program embeds.
  copyWith: { 'ui/app/dist/index.html': '<!doctype html><title>Alertmanager</title>\n' },
})

export const BINARIES = {
  etcd: { from: 'go', modFile: 'go.mod', module: 'go.etcd.io/etcd/server/v3', package: 'go.etcd.io/etcd/server/v3', ldflags: stripped },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubectl: kubernetes('kubectl'),
  kwok: { from: 'go', modFile: 'kwok.mod', module: 'sigs.k8s.io/kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', ldflags: stripped },
  alertmanager: alertmanager('alertmanager'),
  amtool: alertmanager('amtool'),
  prometheus: debian('prometheus', 'prometheus'),
  'debian-alertmanager': debian('prometheus-alertmanager', 'prometheus-alertmanager'),
  setpriv: debian('setpriv', 'util-linux'),
} as const satisfies Readonly<Record<string, Source>>
export type Binary = keyof typeof BINARIES

const sourceOf = (binary: Binary): Source => BINARIES[binary]

export function versionOf({ modFile, module }: Built): string {
  const version = new RegExp(`^(?:require)?\\s*${module.replaceAll('.', '\\.')} (v\\S+)`, 'm').exec(readFileSync(join(LAB, modFile), 'utf8'))?.[1]
  if (version === undefined) throw new Error(`${modFile} requires no ${module}`)
  return version
}

const cacheRoot = (): string => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'prometheus-alerts-slm', 'lab')

/** One folder per module version and recipe: another version, or a change of what it is linked with, is another folder. */
export function cacheFolder(built: Built): string {
  const version = versionOf(built)
  const recipe = [built.modFile, built.modFile.replace(/mod$/, 'sum')].map((file) => readFileSync(join(LAB, file), 'utf8'))
  const hash = createHash('sha256')
    .update(JSON.stringify([...recipe, built.ldflags(version), built.copyWith ?? {}, process.arch]))
    .digest('hex')
  return join(cacheRoot(), `${built.module.split('/').at(built.module.endsWith('/v3') ? -3 : -1) ?? 'module'}-${version}-${hash.slice(0, 10)}`)
}

const inPath = (program: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file))

/** undefined: not built, or not installed. */
export function find(binary: Binary): string | undefined {
  const source = sourceOf(binary)
  if (source.from === 'system') return inPath(source.program)
  const file = join(cacheFolder(source), binary)
  return existsSync(file) ? file : undefined
}

export function pathOf(binary: Binary): string {
  const found = find(binary)
  if (found !== undefined) return found
  const source = sourceOf(binary)
  throw new Error(source.from === 'system' ? `${source.program} is not installed: ${source.get}` : `${binary} is not built: npm run lab -- build`)
}

/** What the operating system does not have, as sentences with the command that installs it. */
export const uninstalled = (binaries: readonly Binary[]): readonly string[] =>
  binaries.flatMap((binary) => {
    const source = sourceOf(binary)
    return source.from === 'system' && find(binary) === undefined ? [`${source.program} is not installed: ${source.get}`] : []
  })

export const unbuilt = (binaries: readonly Binary[]): readonly (readonly [Binary, Built])[] =>
  binaries.flatMap((binary): (readonly [Binary, Built])[] => {
    const source = sourceOf(binary)
    return source.from === 'go' && find(binary) === undefined ? [[binary, source]] : []
  })
