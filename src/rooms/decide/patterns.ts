// Text against patterns, in time linear in the text whoever wrote the pattern: RE2 expressions, and globs.
import type { RE2JS } from 're2js'

type Compile = (pattern: string) => RE2JS
let compile: Compile | undefined
const compiled = new Map<string, RE2JS>()

/** RE2's tables cost memory that most sidecars never need: loaded when the first book has a pattern. */
export async function loadPatterns(): Promise<void> {
  if (compile) return
  const { RE2JS } = await import('re2js')
  compile = (pattern) => RE2JS.compile(pattern)
}

/** undefined when it is a good pattern, or when patterns are not loaded yet. */
export function patternProblem(pattern: string): string | undefined {
  try {
    compile?.(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Found anywhere in the text, as grep does; undefined when patterns are not loaded or the pattern is no good. */
export function matches(text: string, pattern: string): boolean | undefined {
  let expression = compiled.get(pattern)
  if (!expression) {
    if (!compile || patternProblem(pattern) !== undefined) return undefined
    expression = compile(pattern)
    if (compiled.size > 5_000) compiled.clear()
    compiled.set(pattern, expression)
  }
  return expression.matcher(text).find()
}

/**
 * `*` any text, `?` one character, `[a-z]` one of, `{a,b}` either; `\` takes the next one as it is. The whole text must fit.
 * Written out because picomatch makes backtracking expressions: `*a*a*b` against a label of 3,000 characters takes it seconds.
 */
export function glob(text: string, pattern: string): boolean {
  const characters = [...text]
  return alternatives(pattern).some((one) => fits(characters, tokens(one)))
}

type Token = 'many' | ((character: string) => boolean)

const ALTERNATIVES = 256
const escaped = (pattern: string, at: number): boolean => /(?:^|[^\\])(?:\\\\)*\\$/.test(pattern.slice(0, at))

/** `{a,b}` written out, the innermost first. */
function alternatives(pattern: string): readonly string[] {
  const open = [pattern]
  const done: string[] = []
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const found = /\{([^{}]*,[^{}]*)\}/.exec(next)
    if (!found || escaped(next, found.index) || done.length + open.length > ALTERNATIVES) done.push(next)
    else for (const part of (found[1] ?? '').split(',')) open.push(next.slice(0, found.index) + part + next.slice(found.index + found[0].length))
  }
  return done
}

function tokens(pattern: string): readonly Token[] {
  const characters = [...pattern]
  const list: Token[] = []
  for (let at = 0; at < characters.length; at++) {
    const here = characters[at] ?? ''
    const end = here === '[' ? characters.indexOf(']', at + 2) : -1
    if (here === '*') {
      if (list.at(-1) !== 'many') list.push('many')
    } else if (here === '?') list.push(() => true)
    else if (end > 0) {
      list.push(oneOf(characters.slice(at + 1, end)))
      at = end
    } else {
      const literal = here === '\\' ? (characters[++at] ?? '\\') : here
      list.push((character) => character === literal)
    }
  }
  return list
}

function oneOf(inside: readonly string[]): Token {
  const negated = inside[0] === '!' || inside[0] === '^'
  const members = negated ? inside.slice(1) : inside
  return (character) => {
    for (let at = 0; at < members.length; at++) {
      const low = members[at] ?? ''
      const high = members[at + 1] === '-' ? members[at + 2] : undefined
      if (high === undefined ? character === low : character >= low && character <= high) return !negated
      if (high !== undefined) at += 2
    }
    return negated
  }
}

/** Greedy with one place to come back to: the last `*` only, which is enough, so the cost is text times pattern. */
function fits(text: readonly string[], pattern: readonly Token[]): boolean {
  let at = 0
  let token = 0
  let star = -1
  let starAt = 0
  while (at < text.length) {
    const wanted = pattern[token]
    if (wanted === 'many') {
      star = token++
      starAt = at
    } else if (wanted?.(text[at] ?? '')) {
      at++
      token++
    } else if (star >= 0) {
      token = star + 1
      at = ++starAt
    } else return false
  }
  while (pattern[token] === 'many') token++
  return token === pattern.length
}
