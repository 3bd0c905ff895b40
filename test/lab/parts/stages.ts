// How pods live on the lab's nodes, as kwok stages: what a kubelet would report, and how a pod fails as its annotations say.
// Restart counts, last states and conditions are kept as a kubelet keeps them, so that facts and alerts read them as they would there.

type Manifest = Readonly<Record<string, unknown>>

/** On the pod template; the words of `fails` are those of the practice world's Behaviour. */
export const FATE = {
  fails: 'lab.alerts-slm.io/fails',
  /** The container that fails; by default the first. */
  container: 'lab.alerts-slm.io/container',
  /** How long it works before it fails, such as 700ms. */
  after: 'lab.alerts-slm.io/after',
  backOff: 'lab.alerts-slm.io/back-off',
  exitCode: 'lab.alerts-slm.io/exit-code',
  /** It fails only while its first container's memory limit is below this. */
  needsMemory: 'lab.alerts-slm.io/needs-memory',
  /** It crashes once its first container's memory limit is this or more: a change that was meant well. */
  breaksFromMemory: 'lab.alerts-slm.io/breaks-from-memory',
  /** How long the pod of a Job runs. */
  runs: 'lab.alerts-slm.io/runs',
} as const

const annotation = (name: string): string => `.metadata.annotations["${name}"]`

/** jq: what becomes of the pod, `none` for one that works. */
const FATE_NOW = [
  'def bytes: capture("^(?<n>[0-9.]+)(?<u>Ki|Mi|Gi|k|M|G)?$") | (.n | tonumber) * ({"Ki":1024,"Mi":1048576,"Gi":1073741824,"k":1000,"M":1000000,"G":1000000000}[.u // ""] // 1);',
  `(${annotation(FATE.fails)} // "none") as $fails`,
  `| (${annotation(FATE.needsMemory)} // "0") as $needs`,
  `| (${annotation(FATE.breaksFromMemory)} // "1000001Gi") as $breaks`,
  '| (.spec.containers[0].resources.limits.memory // "1000000Gi") as $limit',
  '| if ($limit | bytes) >= ($breaks | bytes) then "crash" elif $needs != "0" and ($limit | bytes) >= ($needs | bytes) then "none" else $fails end',
].join(' ')
const CONTAINER_STATE = '.status.containerStatuses.[].state'

type Expression = Manifest
const has = (key: string): Expression => ({ key, operator: 'Exists' })
const hasNot = (key: string): Expression => ({ key, operator: 'DoesNotExist' })
const isOneOf = (key: string, ...values: string[]): Expression => ({ key, operator: 'In', values })
const isNoneOf = (key: string, ...values: string[]): Expression => ({ key, operator: 'NotIn', values })
const ALIVE = hasNot('.metadata.deletionTimestamp')
const phase = (...names: string[]): Expression => isOneOf('.status.phase', ...names)
const fate = (...names: string[]): Expression => isOneOf(FATE_NOW, ...names)
const fateIsNot = (...names: string[]): Expression => isNoneOf(FATE_NOW, ...names)
const ready = (is: boolean): Expression => (is ? isOneOf : isNoneOf)('.status.conditions.[] | select( .type == "Ready" ) | .status', 'True')
const ofJob = isOneOf('.metadata.ownerReferences.[].kind', 'Job')

interface Stage {
  readonly name: string
  readonly when: readonly Expression[]
  readonly afterMs: number
  /** The annotation that says otherwise. */
  readonly unless?: string
  readonly status?: string
  readonly event?: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }
  readonly gone?: true
}

const stage = (kind: string, { name, when, afterMs, unless, status, event, gone }: Stage): Manifest => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: {
    resourceRef: { apiGroup: 'v1', kind },
    selector: { matchExpressions: when },
    delay: { durationMilliseconds: afterMs, ...(unless && { durationFrom: { expressionFrom: annotation(unless) } }) },
    next: { ...(event && { event }), ...(gone && { delete: true }), ...(status && { statusTemplate: status }) },
  },
})

// ── what the templates share ───────────────────────────────────────────────────────────────────────────────────────────
const PREAMBLE = `{{ $now := Now }}
{{ $root := . }}
{{ $annotations := or .metadata.annotations dict }}
{{ $failing := or (index $annotations "${FATE.container}") (index .spec.containers 0).name }}
{{ $ready := "Unknown" }}{{ range .status.conditions }}{{ if eq .type "Ready" }}{{ $ready = .status }}{{ end }}{{ end }}
`
/** lastTransitionTime moves only with the status, as a kubelet does it: how long a pod is unready is read from there. */
const readiness = (is: boolean): string => `{{ if ne $ready "${is ? 'True' : 'False'}" }}
conditions:
${['Ready', 'ContainersReady']
  .map(
    (type) => `- type: ${type}
  status: "${is ? 'True' : 'False'}"
  lastTransitionTime: {{ $now | Quote }}
  ${is ? 'reason: ""\n  message: ""' : 'reason: ContainersNotReady\n  message: "containers with unready status: [{{ $failing }}]"'}`,
  )
  .join('\n')}
{{ end }}
`
const NAMED = `- name: {{ $item.name | Quote }}
  image: {{ $item.image | Quote }}
`
const IDENTITY = `${NAMED}  imageID: {{ $item.image | Quote }}
  containerID: "kwok://{{ $root.metadata.uid }}/{{ $item.name }}"
`
/** One block for the container that fails, given `$before`, its status until now; the others go on as they are. */
const containers = (failing: string): string => `containerStatuses:
{{ range $index, $item := .spec.containers }}
{{ $before := index $root.status.containerStatuses $index }}
${IDENTITY}  {{ if eq $item.name $failing }}
${failing}
  {{ else }}
  ready: {{ $before.ready }}
  started: {{ or $before.started false }}
  restartCount: {{ $before.restartCount }}
  {{ with $before.lastState }}
  lastState:
    {{ YAML . 2 }}
  {{ end }}
  state:
    {{ YAML $before.state 2 }}
  {{ end }}
{{ end }}
`
const begun = (working: boolean): string => `${PREAMBLE}
${readiness(working).replace('conditions:', 'conditions:\n- type: Initialized\n  status: "True"\n  lastTransitionTime: {{ $now | Quote }}\n- type: PodReadyToStartContainers\n  status: "True"\n  lastTransitionTime: {{ $now | Quote }}')}
phase: Running
startTime: {{ $now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
initContainerStatuses:
{{ range $item := .spec.initContainers }}
${IDENTITY}  ready: true
  restartCount: 0
  {{ if eq (or $item.restartPolicy "") "Always" }}
  started: true
  state:
    running:
      startedAt: {{ $now | Quote }}
  {{ else }}
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
  {{ end }}
{{ end }}
containerStatuses:
{{ range $item := .spec.containers }}
${IDENTITY}  ready: ${working ? 'true' : '{{ ne $item.name $failing }}'}
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
`
const waiting = (reason: string, message: string): string => `${PREAMBLE}
${readiness(false)}
phase: Pending
containerStatuses:
{{ range $item := .spec.containers }}
${NAMED}  ready: false
  started: false
  restartCount: 0
  state:
    waiting:
      reason: {{ if eq $item.name $failing }}${reason}{{ else }}ContainerCreating{{ end }}
      {{ if eq $item.name $failing }}
      message: ${message}
      {{ end }}
{{ end }}
`

const ended = (exitCode: string, reason: string): string => `  ready: false
  started: false
  restartCount: {{ $before.restartCount }}
  {{ with $before.lastState }}
  lastState:
    {{ YAML . 2 }}
  {{ end }}
  state:
    terminated:
      exitCode: ${exitCode}
      reason: ${reason}
      startedAt: {{ (or (index $before.state "running") dict).startedAt | Quote }}
      finishedAt: {{ $now | Quote }}
      containerID: "kwok://{{ $root.metadata.uid }}/{{ $item.name }}"`
const BACKING_OFF = `  ready: false
  started: false
  restartCount: {{ $before.restartCount }}
  lastState:
    {{ YAML $before.state 2 }}
  state:
    waiting:
      reason: CrashLoopBackOff
      message: "back-off restarting failed container={{ $item.name }} pod={{ $root.metadata.name }}_{{ $root.metadata.namespace }}({{ $root.metadata.uid }})"`
const againRunning = (works: boolean): string => `  ready: ${works}
  started: true
  restartCount: {{ add $before.restartCount 1 }}
  lastState:
    {{ YAML $before.lastState 2 }}
  state:
    running:
      startedAt: {{ $now | Quote }}`
const stillRunning = (works: boolean): string => `  ready: ${works}
  started: true
  restartCount: {{ $before.restartCount }}
  {{ with $before.lastState }}
  lastState:
    {{ YAML . 2 }}
  {{ end }}
  state:
    {{ YAML $before.state 2 }}`
const exitCode = (otherwise: number): string => `{{ or (index $annotations "${FATE.exitCode}") ${otherwise} }}`

// ── the life of a pod ──────────────────────────────────────────────────────────────────────────────────────────────────
const CRASHES = ['crash', 'oom']
const UNSTARTED = ['imageMissing', 'configMissing']
const UNREADY = ['neverReady', ...CRASHES]
const isIn = (state: string) => has(`${CONTAINER_STATE}.${state}`)
const waitsFor = (...reasons: string[]) => isOneOf(`${CONTAINER_STATE}.waiting.reason`, ...reasons)
const BACK_OFF = 'CrashLoopBackOff'

const PODS: readonly Stage[] = [
  { name: 'pod-is-ended', when: [has('.metadata.deletionTimestamp')], afterMs: 300, gone: true },
  {
    name: 'pod-starts',
    when: [ALIVE, phase('Pending'), hasNot('.status.containerStatuses'), fateIsNot(...UNSTARTED, ...UNREADY)],
    afterMs: 400,
    status: begun(true),
    event: { type: 'Normal', reason: 'Started', message: 'Started container' },
  },
  {
    name: 'pod-starts-unready',
    when: [ALIVE, phase('Pending'), hasNot('.status.containerStatuses'), fate(...UNREADY)],
    afterMs: 400,
    status: begun(false),
    event: { type: 'Normal', reason: 'Started', message: 'Started container' },
  },
  {
    name: 'pod-gets-no-image',
    when: [ALIVE, phase('Pending'), hasNot('.status.containerStatuses'), fate('imageMissing')],
    afterMs: 400,
    status: waiting('ErrImagePull', '"failed to pull and unpack image {{ $item.image }}: not found"'),
    event: { type: 'Warning', reason: 'Failed', message: 'Failed to pull image: not found' },
  },
  {
    name: 'pod-backs-off-from-the-image',
    when: [ALIVE, waitsFor('ErrImagePull')],
    afterMs: 700,
    status: waiting('ImagePullBackOff', '"Back-off pulling image {{ $item.image }}"'),
    event: { type: 'Warning', reason: 'BackOff', message: 'Back-off pulling image' },
  },
  {
    name: 'pod-misses-configuration',
    when: [ALIVE, phase('Pending'), hasNot('.status.containerStatuses'), fate('configMissing')],
    afterMs: 400,
    status: waiting('CreateContainerConfigError', '"configmap \\"settings\\" not found"'),
    event: { type: 'Warning', reason: 'Failed', message: 'Error: configmap "settings" not found' },
  },
  ...CRASHES.map(
    (how): Stage => ({
      name: `pod-ends-by-${how}`,
      when: [ALIVE, phase('Running'), fate(how), isNoneOf('.spec.restartPolicy', 'Never'), hasNot(`${CONTAINER_STATE}.waiting`), hasNot(`${CONTAINER_STATE}.terminated`)],
      afterMs: 700,
      unless: FATE.after,
      status: PREAMBLE + readiness(false) + containers(ended(how === 'oom' ? '137' : exitCode(1), how === 'oom' ? 'OOMKilled' : 'Error')),
    }),
  ),
  {
    name: 'pod-backs-off',
    when: [ALIVE, phase('Running'), isIn('terminated')],
    afterMs: 200,
    status: PREAMBLE + containers(BACKING_OFF),
    event: { type: 'Warning', reason: 'BackOff', message: 'Back-off restarting failed container' },
  },
  { name: 'pod-restarts-in-vain', when: [ALIVE, waitsFor(BACK_OFF), fate(...UNREADY)], afterMs: 2_000, unless: FATE.backOff, status: PREAMBLE + containers(againRunning(false)) },
  {
    name: 'pod-restarts',
    when: [ALIVE, waitsFor(BACK_OFF), fateIsNot(...UNREADY)],
    afterMs: 2_000,
    unless: FATE.backOff,
    status: PREAMBLE + readiness(true) + containers(againRunning(true)),
  },
  {
    name: 'pod-hangs',
    when: [ALIVE, phase('Running'), fate('hang'), ready(true)],
    afterMs: 2_000,
    unless: FATE.after,
    status: PREAMBLE + readiness(false) + containers(stillRunning(false)),
  },
  {
    name: 'pod-gets-ready',
    when: [ALIVE, phase('Running'), fateIsNot(...UNREADY, 'hang'), ready(false), isIn('running'), hasNot(`${CONTAINER_STATE}.waiting`)],
    afterMs: 500,
    status: PREAMBLE + readiness(true) + containers(stillRunning(true)),
  },
  {
    name: 'pod-of-a-job-completes',
    when: [ALIVE, phase('Running'), ofJob, fateIsNot('jobFails', 'hang', ...CRASHES), isIn('running')],
    afterMs: 1_000,
    unless: FATE.runs,
    status: `${PREAMBLE + readiness(false) + containers(ended('0', 'Completed'))}phase: Succeeded\n`,
  },
  {
    name: 'pod-of-a-job-fails',
    when: [ALIVE, phase('Running'), fate('jobFails', ...CRASHES), isOneOf('.spec.restartPolicy', 'Never'), isIn('running')],
    afterMs: 1_000,
    unless: FATE.after,
    status: `${PREAMBLE + readiness(false) + containers(ended(exitCode(1), 'Error'))}phase: Failed\n`,
  },
]

// ── nodes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
const NODE_STATUS = `{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- type: InternalIP
  address: {{ NodeIP | Quote }}
- type: Hostname
  address: {{ .metadata.name | Quote }}
{{ with NodePort }}
daemonEndpoints:
  kubeletEndpoint:
    Port: {{ . }}
{{ end }}
phase: Running
`
const NODES: readonly Stage[] = [{ name: 'node-comes-up', when: [ALIVE, ready(false), hasNot(annotation('lab.alerts-slm.io/not-ready'))], afterMs: 0, status: NODE_STATUS }]

export const STAGES: readonly Manifest[] = [...NODES.map((one) => stage('Node', one)), ...PODS.map((one) => stage('Pod', one))]
