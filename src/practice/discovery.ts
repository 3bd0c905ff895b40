// What the server says about itself: API groups, their resources, its version, its health.
import type { Plain } from './fields.ts'
import type { Resource, Resources } from './resources.ts'

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const SUB: Readonly<Record<string, Plain>> = {
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] },
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  status: { verbs: ['get', 'patch', 'update'] },
  resize: { verbs: ['get', 'patch', 'update'] },
  log: { verbs: ['get'] },
}

function entriesOf(resource: Resource): readonly Plain[] {
  const { plural, kind, namespaced } = resource
  const verbs = resource.review ? ['create'] : resource.apiVersion.startsWith('metrics.k8s.io/') ? ['get', 'list'] : VERBS
  const main = { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs, ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}) }
  return [main, ...resource.subresources.map((sub) => ({ name: `${plural}/${sub}`, singularName: '', namespaced, kind, ...SUB[sub] }))]
}
/** `/api/v1`, `/apis/<group>/<version>`; undefined when it is not served. */
export function resourceList(resources: Resources, apiVersion: string): Plain | undefined {
  const served = resources.all().filter((each) => each.apiVersion === apiVersion)
  if (served.length === 0) return undefined
  const sorted = served.flatMap(entriesOf).sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1))
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources: sorted }
}

export const coreVersions = (host: string): Plain => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: host }],
})
function groupOf(name: string, versions: readonly string[]): Plain {
  const each = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: each, preferredVersion: each[0] }
}
export function groupList(resources: Resources): Plain {
  const groups = new Map<string, Set<string>>()
  for (const { group, version } of resources.all()) if (group !== '') groups.set(group, (groups.get(group) ?? new Set()).add(version))
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: [...groups].map(([name, versions]) => groupOf(name, [...versions])) }
}
export function group(resources: Resources, name: string): Plain | undefined {
  const versions = new Set(resources.all().flatMap((each) => (each.group === name ? [each.version] : [])))
  return versions.size === 0 ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, [...versions]) }
}

export const VERSION: Plain = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.3+practice',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
}
