// The other side of the webhook: what fires in Alertmanager now is read at start and every few minutes, so that what was lost with a
// disk, or on the way, comes back, and what ended unheard ends here too. Edge-triggered for speed, level-triggered for truth.
import type { ActiveAlert } from '../alertmanager/client.ts'
import type { Alert } from '../domain/alert.ts'
import type { Cancel, Ports } from '../domain/ports.ts'
import { isUnknown, type Unknown } from '../domain/unknown.ts'
import type { Intake } from '../rooms/record/intake.ts'
import type { History } from '../rooms/record/record.ts'

export interface PullOptions {
  readonly ports: Pick<Ports, 'clock' | 'timers'>
  readonly active: () => Promise<readonly ActiveAlert[] | Unknown>
  readonly intake: Pick<Intake, 'accept'>
  readonly history: Pick<History, 'openEpisodes' | 'episode'>
  readonly everyMs: number
  /** `pulled`: alerts that no delivery had brought. */
  readonly onPulled: (found: { readonly pulled: number; readonly ended: number } | Unknown) => void
  readonly onError: (error: unknown) => void
}

export function makePull(options: PullOptions) {
  const { ports, history } = options
  let missing = new Set<string>()
  let cancel: Cancel | undefined
  let stopped = false

  /** Reads once. An open episode is ended only when two readings in a row do not have it: a peer that has just restarted knows nothing yet. */
  async function once(): Promise<void> {
    const active = await options.active()
    if (isUnknown(active)) return options.onPulled(active)
    const fresh = active.filter((alert) => !alert.suppressed && !inHand(alert))
    const present = new Set(active.map((alert) => alert.fingerprint))
    const absent = history.openEpisodes().filter(({ alert }) => !present.has(alert.fingerprint))
    const ended = absent.filter(({ alert }) => missing.has(alert.fingerprint)).map(({ alert }): Alert => ({ ...alert, status: 'resolved', endsAt: ports.clock.now() }))
    missing = new Set(absent.map(({ alert }) => alert.fingerprint))
    await options.intake.accept([...fresh.map(({ suppressed: _, ...alert }) => alert), ...ended], { source: 'pull' })
    options.onPulled({ pulled: fresh.length, ended: ended.length })
  }
  /** Known, and being worked on or mended. One that people were left with is looked at again as if it had been delivered. */
  const inHand = ({ fingerprint }: Alert): boolean => {
    const episode = history.episode(fingerprint)
    return episode !== undefined && episode.resolvedAt === undefined && (episode.caseOpen || episode.outcome === 'fixed')
  }
  const turn = async (): Promise<void> => {
    try {
      await once()
    } catch (error) {
      options.onError(error)
    }
    if (!stopped) cancel = ports.timers.after(options.everyMs, () => void turn())
  }
  return {
    /** Resolves after the first reading. */
    start: turn,
    /** At once, for instance because a delivery said that it was cut short. */
    once,
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
