// Every fact there is. Adding one touches its file, its test and one line here; the sweep over this list checks the rest.
import { alert, annotation, label } from './alert.ts'
import { autoscaler } from './autoscaler.ts'
import type { Fact } from './define-fact.ts'
import { dependencies, firing } from './dependencies.ts'
import { disruption } from './disruption.ts'
import { eventCount, events } from './events.ts'
import { alertsInWindow, history } from './history.ts'
import { job } from './job.ts'
import { logs } from './logs.ts'
import { ownership } from './ownership.ts'
import { pod, siblings } from './pod.ts'
import { quota, quotaOf } from './quota.ts'
import { resources, usage } from './resources.ts'
import { replicas, rollout } from './rollout.ts'
import { target, targetAnnotation, targetLabel } from './target.ts'
import { time } from './time.ts'
import { volume } from './volume.ts'

export const FACTS: readonly Fact[] = [
  alert,
  label,
  annotation,
  target,
  targetLabel,
  targetAnnotation,
  pod,
  siblings,
  logs,
  rollout,
  replicas,
  resources,
  usage,
  autoscaler,
  ownership,
  disruption,
  quota,
  quotaOf,
  volume,
  job,
  events,
  eventCount,
  dependencies,
  firing,
  history,
  alertsInWindow,
  time,
]

export const findFact = (name: string): Fact | undefined => FACTS.find((fact) => fact.name === name)
