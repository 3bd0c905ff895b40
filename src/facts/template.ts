// What differs between two pod templates, field by field; annotations do not count, so a mere restart is no change.
import { parseQuantity } from '../domain/quantity.ts'
import type { Kinds } from '../kube/wire.ts'
import { each, isRecord, sameJson } from './plain.ts'

export type Template = NonNullable<NonNullable<Kinds['Deployment']['spec']>['template']>
type Container = NonNullable<Template['spec']>['containers'][number]

interface TemplateChange {
  readonly image: boolean
  readonly env: boolean
  readonly command: boolean
  readonly probes: boolean
  readonly volumes: boolean
  readonly resources: boolean
  readonly resourcesLowered: boolean
  readonly whatRuns: boolean
}

const containersOf = (template: Template): readonly Container[] => [...each(template.spec?.initContainers), ...each(template.spec?.containers)]
const picked = (template: Template, pick: (container: Container) => unknown): unknown => containersOf(template).map((container) => [container.name, pick(container)])

const LIMITS = ['memory', 'cpu'] as const
/** A limit that was not there before is lower than none. */
function isLowered(before: Container, after: Container): boolean {
  return LIMITS.some((resource) => {
    const limit = parseQuantity(after.resources?.limits?.[resource])
    const was = parseQuantity(before.resources?.limits?.[resource])
    return limit !== undefined && limit < (was ?? Number.POSITIVE_INFINITY)
  })
}
function anyLowered(before: Template, after: Template): boolean {
  const old = containersOf(before)
  return containersOf(after).some((container) => {
    const was = old.find((other) => other.name === container.name)
    return was !== undefined && isLowered(was, container)
  })
}

/** All of the template but annotations, the revision's own label and the resources. */
function rest(template: Template): unknown {
  const { 'pod-template-hash': _, ...labels } = template.metadata?.labels ?? {}
  const bare = (list: readonly Container[] | null | undefined) => each(list).map((container) => ({ ...container, resources: null }))
  const spec = isRecord(template.spec) ? { ...template.spec, containers: bare(template.spec.containers), initContainers: bare(template.spec.initContainers) } : null
  return { labels, spec }
}

export function compareTemplates(before: Template, after: Template): TemplateChange {
  const differs = (pick: (container: Container) => unknown) => !sameJson(picked(before, pick), picked(after, pick))
  const resourcesLowered = anyLowered(before, after)
  return {
    image: differs((c) => c.image),
    env: differs((c) => [c.env, c.envFrom]),
    command: differs((c) => [c.command, c.args, c.workingDir]),
    probes: differs((c) => [c.readinessProbe, c.livenessProbe, c.startupProbe]),
    volumes: differs((c) => c.volumeMounts) || !sameJson(before.spec?.volumes, after.spec?.volumes),
    resources: differs((c) => c.resources),
    resourcesLowered,
    whatRuns: resourcesLowered || !sameJson(rest(before), rest(after)),
  }
}
