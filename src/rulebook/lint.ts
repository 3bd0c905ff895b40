// Lint: everything that would keep a book from loading, and what loads but cannot be meant.
import { stat } from 'node:fs/promises'
import { type BookRule, overlap } from '../rooms/decide/book.ts'
import type { Node } from '../rooms/decide/compile.ts'
import type { RuleFile } from '../rooms/decide/written.ts'
import { LAYERS, locateOf } from './layers.ts'
import { type Catalogues, type LayerPaths, type LoadedBook, loadBook } from './load.ts'
import { problemAt } from './parse.ts'
import type { Problem } from './problem.ts'

export interface Linted {
  readonly problems: readonly Problem[]
  readonly sources: ReadonlyMap<string, string>
}

export async function lint(paths: LayerPaths, catalogues: Catalogues): Promise<Linted> {
  const loaded = await loadBook(paths, catalogues)
  if (!loaded.ok) return { problems: loaded.problems, sources: loaded.sources }
  return { problems: [...unreachable(loaded), ...contradictions(loaded), ...(await untested(loaded))], sources: loaded.sources }
}

const warning = (loaded: LoadedBook, file: RuleFile, at: readonly (string | number)[], message: string, hint: string): Problem => ({
  ...problemAt(file.path, locateOf(loaded.layers, file.path), { at, message, hint }),
  severity: 'warning',
})

/** What must hold for the condition to hold, each as one text. */
const demands = (node: Node): readonly string[] => (node.kind === 'all' ? node.children.flatMap(demands) : [written(node)])
function written(node: Node): string {
  return node.kind === 'test' ? node.text : `${node.kind}(${node.children.map(written).sort().join(' | ')})`
}

/** A rule that demands all that an earlier one demands never decides: whenever it holds, the earlier one holds too. */
function unreachable(loaded: LoadedBook): readonly Problem[] {
  const compiled = new Map(loaded.book.rules.map((rule) => [rule.id, rule]))
  return loaded.files.flatMap((file) => {
    const rules = file.rules.flatMap((rule, at) => {
      const found = compiled.get(rule.id)
      return found ? [{ rule: found, at, demands: new Set(demands(found.judged.root)) }] : []
    })
    return rules.flatMap((later) => {
      const earlier = rules.find((other) => ahead(other, later) && [...other.demands].every((demand) => later.demands.has(demand)))
      if (!earlier) return []
      const same = earlier.demands.size === later.demands.size
      const message = same
        ? `${later.rule.id} repeats the conditions of ${earlier.rule.id}`
        : `${later.rule.id} never decides: whenever it holds, ${earlier.rule.id} holds too and stands before it`
      return [warning(loaded, file, ['rules', later.at, 'id'], message, same ? 'remove one of them' : 'put the narrower rule first, or give it a higher priority')]
    })
  })
}
interface Placed {
  readonly rule: BookRule
  readonly at: number
}
const ahead = (a: Placed, b: Placed): boolean => a.rule.priority > b.rule.priority || (a.rule.priority === b.rule.priority && a.at < b.at)

/** Two files of one layer that answer for one alert at one priority: where both hold and want different things, the case is ambiguous. */
function contradictions(loaded: LoadedBook): readonly Problem[] {
  return loaded.files.flatMap((file, at) =>
    loaded.files.slice(0, at).flatMap((other) => {
      if (other.rank !== file.rank || !overlap(file, other) || !compatible(file, other)) return []
      const pair = file.rules.flatMap((a, index) =>
        other.rules.filter((b) => (a.priority ?? 0) === (b.priority ?? 0) && a.then.action !== b.then.action).map((b) => ({ a, b, index })),
      )
      const [first] = pair
      if (!first) return []
      const message = `${first.a.id} (${first.a.then.action}) and ${first.b.id} (${first.b.then.action}) in ${other.path} answer for the same alert at the same priority`
      return [warning(loaded, file, ['rules', first.index, 'id'], message, 'where both hold the case is ambiguous; give one a priority, or put them into one file')]
    }),
  )
}
const compatible = (a: RuleFile, b: RuleFile): boolean => Object.entries(a.labels ?? {}).every(([key, value]) => b.labels?.[key] === undefined || b.labels[key] === value)

/** A layer that was read from a folder carries its tests beside its rules. */
async function untested(loaded: LoadedBook): Promise<readonly Problem[]> {
  const folders = loaded.files.filter((file) => loaded.sources.has(file.path) && file.rules.length > 0)
  const missing = await Promise.all(
    folders.map(async (file) => {
      const test = file.path.replace(/\.(ya?ml)$/, '.test.$1')
      const there = await stat(test).then(
        () => true,
        () => false,
      )
      return there ? [] : [warning(loaded, file, ['rules'], `the ${LAYERS[file.rank] ?? ''} file has no tests beside it`, `write ${test}: for every rule a hit and a near miss`)]
    }),
  )
  return missing.flat()
}
