// Every part there is, by name. A further program of the lab is one more line here.
import type { Binary } from '../binaries.ts'
import { actor } from './actor.ts'
import { alertmanager, alertmanagerOfDebian } from './alertmanager.ts'
import { chromium } from './chromium.ts'
import { apiServer, controllerManager, etcd, scheduler } from './control-plane.ts'
import { exporter } from './exporter.ts'
import { kubernetesMcpServer } from './mcp-server.ts'
import { metricsServer } from './metrics-server.ts'
import { kwok } from './nodes.ts'
import { ollama } from './ollama.ts'
import type { Part } from './part.ts'
import { postgresql } from './postgresql.ts'
import { prometheus } from './prometheus.ts'

export const PARTS = {
  etcd,
  'kube-apiserver': apiServer,
  'controller-manager': controllerManager,
  scheduler,
  kwok,
  exporter,
  alertmanager,
  'alertmanager-debian': alertmanagerOfDebian,
  prometheus,
  'metrics-server': metricsServer,
  actor,
  ollama,
  postgresql,
  'kubernetes-mcp-server': kubernetesMcpServer,
  chromium,
} as const satisfies Readonly<Record<string, Part>>
export type PartName = keyof typeof PARTS

export const PART_NAMES: readonly string[] = Object.keys(PARTS)
export const isPart = (name: string): name is PartName => Object.hasOwn(PARTS, name)
export const partOf = (name: PartName): Part => PARTS[name]

/** These parts and all below them, what is needed before who needs it. */
export function withNeeds(names: readonly PartName[]): readonly PartName[] {
  const found = new Set<PartName>()
  const visit = (name: PartName): void => {
    for (const need of partOf(name).needs) if (isPart(need)) visit(need)
    found.add(name)
  }
  for (const name of names) visit(name)
  return [...found]
}

/** setpriv belongs to every part: it ends what outlives us. */
export const binariesOf = (names: readonly PartName[]): readonly Binary[] => [...new Set<Binary>(['setpriv', ...withNeeds(names).flatMap((name) => partOf(name).binaries)])]
