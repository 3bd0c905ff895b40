// scale_deployment: sets the replica count of a Deployment through its scale subresource.
import { defineAction } from './define-action.ts'
import { planScale, scaleParams } from './scale.ts'
import { seeScale } from './see-effect.ts'

export const scaleDeployment = defineAction({
  name: 'scale_deployment',
  summary: 'Set the replica count of a Deployment, absolutely or from what it is now.',
  category: 'core',
  targets: ['Deployment'],
  scope: 'namespace',
  safety: 'reversible',
  undoWhen: 'worse',
  params: scaleParams,
  needs: [
    { apiGroup: 'apps', resource: 'deployments', verbs: ['get'] },
    { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['patch'] },
    { apiGroup: 'apps', resource: 'replicasets', verbs: ['list'] },
    { apiGroup: '', resource: 'pods', verbs: ['list'] },
  ],
  plan: planScale,
  verify: seeScale,
})
