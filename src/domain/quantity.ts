// Kubernetes quantities (apimachinery's resource.Quantity grammar): `512Mi`, `1.5Gi`, `250m`, `2`, `1e3`.
const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}
const QUANTITY = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/

/** The number a quantity stands for, in its base unit (bytes, cores, count); undefined when it is not a quantity. */
export function parseQuantity(text: string | number | undefined | null): number | undefined {
  if (typeof text === 'number') return Number.isFinite(text) ? text : undefined
  const found = typeof text === 'string' ? QUANTITY.exec(text.trim()) : null
  if (!found) return undefined
  return found[2] ? Number(`${found[1]}${found[2]}`) : Number(found[1]) * (FACTORS[found[3] ?? ''] ?? Number.NaN)
}

const BINARY = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const

/** Bytes as Kubernetes writes memory: the largest binary unit that divides it, rounded up to a whole Mi above 1 Mi. */
export function formatBytes(bytes: number): string {
  const whole = bytes >= 2 ** 20 ? Math.ceil(bytes / 2 ** 20) * 2 ** 20 : Math.ceil(bytes)
  const unit = BINARY.find((name) => whole % (FACTORS[name] ?? 1) === 0 && whole > 0)
  return unit ? `${whole / (FACTORS[unit] ?? 1)}${unit}` : String(whole)
}

/** Cores as Kubernetes writes CPU: `2`, `250m`. */
export function formatCores(cores: number): string {
  const milli = Math.ceil(cores * 1000 - 1e-9)
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`
}
