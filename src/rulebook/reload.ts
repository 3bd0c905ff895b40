// Rules that change under a running process: a new book is compiled beside the old one, and the last good one is kept.
import type { Cancel, Timers } from '../domain/ports.ts'
import type { Book } from '../rooms/decide/book.ts'
import { type Catalogues, type LayerPaths, type LoadedBook, loadBook } from './load.ts'
import type { Problem } from './problem.ts'
import { signatureOf } from './read-layer.ts'

export interface ReloadDeps {
  readonly paths: LayerPaths
  readonly catalogues: Catalogues
  readonly timers: Timers
  /** What the process started with. */
  readonly start: LoadedBook
  /** 5 s when it is not said: the kubelet itself needs up to a minute to bring a changed ConfigMap. */
  readonly everyMs?: number
  readonly onSwap: (book: Book) => void
  /** A broken edit; the last good book stays in use. Told once for each edit. */
  readonly onBroken: (problems: readonly Problem[], sources: ReadonlyMap<string, string>) => void
}
export interface Reloading {
  book(): Book
  /** Looks now, and resolves when what it found has been judged. */
  check(): Promise<void>
  stop(): void
}

/** Looked at in turns, not watched: inotify misses the link swap of a mounted ConfigMap, and network file systems have none. */
export function watchRules(deps: ReloadDeps): Reloading {
  const folders = [deps.paths.operatorDir, deps.paths.tenantDir, ...(deps.paths.library.endsWith('.json') ? [] : [deps.paths.library])].filter((folder) => folder !== undefined)
  const signature = async () => (await Promise.all(folders.map(signatureOf))).join('\n\n')
  let good = deps.start
  let seen: string | undefined
  let cancel: Cancel | undefined
  let stopped = false
  let checking: Promise<void> | undefined

  async function look(): Promise<void> {
    const before = await signature()
    if (seen === before) return
    const loaded = await loadBook(deps.paths, deps.catalogues)
    // An edit in progress: whatever was read is a mixture, and the next turn reads it whole.
    if ((await signature()) !== before || stopped) return
    seen = before
    if (!loaded.ok) return deps.onBroken(loaded.problems, loaded.sources)
    const vanished = vanishedLayers(good, loaded)
    if (vanished.length > 0) return deps.onBroken(vanished, loaded.sources)
    const changed = loaded.book.version !== good.book.version
    good = loaded
    if (changed) deps.onSwap(loaded.book)
  }
  const check = (): Promise<void> => {
    checking ??= look().finally(() => {
      checking = undefined
    })
    return checking
  }
  const again = (): void => {
    if (folders.length === 0 || stopped) return
    cancel = deps.timers.after(deps.everyMs ?? 5_000, () => void check().finally(again))
  }
  again()
  return {
    book: () => good.book,
    check,
    stop() {
      stopped = true
      cancel?.()
    },
  }
}

/** A layer that had rules and has none is more likely a failed mount or a deleted key than a decision. */
function vanishedLayers(before: LoadedBook, after: LoadedBook): readonly Problem[] {
  return before.layers
    .filter((layer) => layer.files.length > 0 && after.layers.find((other) => other.name === layer.name)?.files.length === 0)
    .map(
      (layer): Problem => ({
        severity: 'error',
        file: layer.files[0]?.path ?? layer.name,
        line: 0,
        column: 0,
        path: '',
        message: `the ${layer.name} rules have vanished: ${layer.files.length} files before, none now`,
        hint: 'restart to run without them on purpose',
      }),
    )
}
