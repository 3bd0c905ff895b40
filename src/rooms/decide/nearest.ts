// What somebody may have meant: the name that takes the fewest changes, when it takes few.

function changes(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length] ?? 0
}

function nearest(name: string, names: Iterable<string>): string | undefined {
  const ranked = [...names].map((known) => ({ known, far: changes(name.slice(0, 80).toLowerCase(), known.toLowerCase()) })).sort((a, b) => a.far - b.far)
  const best = ranked[0]
  return best && best.far <= Math.max(1, Math.floor(name.length / 3)) ? best.known : undefined
}

/** The hint of a finding, to be spread: nothing when nothing is near. */
export function didYouMean(name: string, names: Iterable<string>): { readonly hint?: string } {
  const known = [...names]
  const near = nearest(name, known)
  if (near) return { hint: `did you mean ${near}?` }
  return known.length > 0 && known.length <= 12 ? { hint: `there are: ${known.join(', ')}` } : {}
}
