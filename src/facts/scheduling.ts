// Why a pod cannot be placed or started, as classes: the scheduler's and the kubelet's sentences, without their names and numbers.

type Classes = readonly (readonly [name: string, pattern: RegExp])[]

const SCHEDULING: Classes = [
  ['insufficientMemory', /Insufficient memory/i],
  ['insufficientCpu', /Insufficient cpu/i],
  ['insufficientStorage', /Insufficient ephemeral-storage|not enough free storage/i],
  ['insufficientOther', /Insufficient (?!memory|cpu|ephemeral-storage)\S/i],
  ['tooManyPods', /Too many pods/i],
  ['taint', /untolerated taint|had taint/i],
  ['affinity', /node affinity|node selector|anti-affinity|pod affinity|topology spread/i],
  ['port', /free ports/i],
  ['volume', /persistentvolumeclaim|volume node affinity|volume\(s\)|unbound immediate/i],
  ['noNodes', /no nodes available|^0\/0 nodes/i],
]
const STARTING: Classes = [
  [
    'imageNotFound',
    /manifest unknown|not found: manifest|repository does not exist|failed to resolve reference.*not found|image.*not found|\bnot found\b.*manifest|NotFound.*image/i,
  ],
  ['imageForbidden', /unauthorized|authentication required|access denied|denied: |forbidden|pull access/i],
  ['registryLimit', /toomanyrequests|rate limit/i],
  ['registryUnreachable', /i\/o timeout|no such host|connection refused|TLS handshake|dial tcp|deadline exceeded|network is unreachable/i],
  ['configMapMissing', /configmaps? "?[^"\s]+"? not found/i],
  ['secretMissing', /secrets? "?[^"\s]+"? not found/i],
  ['keyMissing', /couldn't find key|references non-existent config key|references non-existent secret key/i],
  ['runAsNonRoot', /runAsNonRoot|non-numeric user|will run as root/i],
  ['commandNotFound', /executable file not found|no such file or directory|exec format error/i],
]

const matching = (classes: Classes, text: string): string[] => {
  const bounded = text.slice(0, 4_096)
  return classes.filter(([, pattern]) => pattern.test(bounded)).map(([name]) => name)
}

export const SCHEDULING_CLASSES = SCHEDULING.map(([name]) => name)
export const schedulingProblems = (message: string): string[] => matching(SCHEDULING, message)

/** The first class that fits; InvalidImageName needs no message. */
export function startProblem(reason: string, message: string): string | null {
  if (reason === 'InvalidImageName') return 'imageNameInvalid'
  return matching(STARTING, message)[0] ?? null
}
