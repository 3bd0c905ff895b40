// scale_statefulset: sets the replica count of a StatefulSet through its scale subresource.
import { defineAction } from './define-action.ts'
import { planScale, scaleParams } from './scale.ts'
import { seeScale } from './see-effect.ts'

export const scaleStatefulset = defineAction({
  name: 'scale_statefulset',
  summary: 'Set the replica count of a StatefulSet, absolutely or from what it is now.',
  category: 'core',
  targets: ['StatefulSet'],
  scope: 'namespace',
  safety: 'reversible',
  undoWhen: 'worse',
  params: scaleParams,
  needs: [
    { apiGroup: 'apps', resource: 'statefulsets', verbs: ['get'] },
    { apiGroup: 'apps', resource: 'statefulsets/scale', verbs: ['patch'] },
    { apiGroup: '', resource: 'pods', verbs: ['list'] },
  ],
  plan: planScale,
  verify: seeScale,
})
