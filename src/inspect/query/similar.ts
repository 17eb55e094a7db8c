/** What somebody may have meant who wrote a word that is not known. */

/** The least number of characters to put in, take out or change to make one word of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length] ?? 0
}

const LONGEST = 40

/** `. Did you mean a or b?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const wrote = word.toLowerCase()
  if (wrote === '' || wrote.length > LONGEST) return ''
  const near = [...new Set(known)].filter(
    name =>
      name.toLowerCase().startsWith(wrote) || (wrote.length > 2 && distance(wrote, name.toLowerCase()) <= Math.min(2, wrote.length / 3)),
  )
  return near.length === 0 ? '' : `. Did you mean ${near.slice(0, 4).join(' or ')}?`
}
