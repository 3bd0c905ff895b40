// Every action there is, by name. A test compares this list with the files of this folder, both ways.
import { collectDiagnostics } from './collect-diagnostics.ts'
import type { Action } from './define-action.ts'
import { increaseResources } from './increase-resources.ts'
import { notifyOnly } from './notify-only.ts'
import { restartPod } from './restart-pod.ts'
import { rollbackDeployment } from './rollback-deployment.ts'
import { rolloutRestart } from './rollout-restart.ts'
import { scaleDeployment } from './scale-deployment.ts'
import { scaleStatefulset } from './scale-statefulset.ts'

export const ACTIONS: readonly Action[] = [collectDiagnostics, increaseResources, notifyOnly, restartPod, rollbackDeployment, rolloutRestart, scaleDeployment, scaleStatefulset]

export const findAction = (name: string): Action | undefined => ACTIONS.find((action) => action.name === name)
