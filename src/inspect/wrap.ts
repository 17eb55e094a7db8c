/** Text in lines of at most so many columns. */

/** Broken at spaces; the lines after the first are to be indented by `hanging`, and are so much shorter. */
export function wrapped(text: string, width: number, hanging: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const limit = lines.length === 0 ? width : width - hanging
    if (line !== '' && line.length + 1 + word.length > limit) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** A line that stays as indented as it begins; what does not fit stands further in below it. */
export function hung(line: string, width: number): readonly string[] {
  if (line.length <= width) return [line]
  const text = line.trimStart()
  const indent = line.length - text.length
  const [first = '', ...more] = wrapped(text, width - indent, HANGING)
  return [' '.repeat(indent) + first, ...more.map(rest => ' '.repeat(indent + HANGING) + rest.trimStart())]
}
const HANGING = 4

/** Columns have at least so much room, or they are none. */
const ROOM = 20
const GAP = '  '

/**
 * Columns under each other, indented. The last is broken where the width asks for it; where that leaves it too little room, it
 * is one with the column before, from cell to cell.
 */
export function aligned(rows: readonly (readonly string[])[], width = Infinity): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => (row[i] ?? '').length)))
  const before = (columns: number): number => widths.slice(0, columns).reduce((sum, w) => sum + w + GAP.length, GAP.length)
  let kept = Math.max(0, widths.length - 1)
  if (before(widths.length) - GAP.length > width) while (kept > 0 && width - before(kept) < ROOM) kept--
  const start = before(kept)
  return rows.flatMap(row => {
    const left = row.slice(0, kept).map((cell, i) => cell.padEnd(widths[i] ?? 0) + GAP)
    const [first = '', ...more] = flowing(row.slice(kept), width - start)
    return [`${GAP}${left.join('')}${first}`.trimEnd(), ...more.map(line => ' '.repeat(start) + line)]
  })
}

/** Cells one after the other; each begins a line if the one that it would stand in has too little room. */
function flowing(cells: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const cell of cells.filter(text => text !== '')) {
    const last = lines.at(-1)
    const hanging = lines.length === 0 || cells.length === 1 ? 0 : GAP.length
    if (last !== undefined && last.length + GAP.length + cell.length <= width) lines[lines.length - 1] = `${last}${GAP}${cell}`
    else lines.push(...wrapped(cell, width - hanging, 0).map(text => ' '.repeat(hanging) + text.trimStart()))
  }
  return lines
}
