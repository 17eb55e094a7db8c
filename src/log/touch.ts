/** Which indices of a table, or of frames, a block of a log touches: collected step by step, drawn together where there are many. */
import { INDEX_LIMIT } from '../memory/table.ts'

/** Touched as a whole (0), or these indices: from, end, from, end, … ascending. */
export type Touch = 0 | readonly number[]

/** Does what was touched meet these indices? */
export function meets(touch: Touch | undefined, { from = 0, end = Infinity }: { readonly from?: number; readonly end?: number }): boolean {
  if (touch === undefined || touch === 0) return touch === 0
  for (let i = 0; i < touch.length; i += 2) if ((touch[i] ?? 0) < end && from < (touch[i + 1] ?? 0)) return true
  return false
}

/** Ranges of indices, as they come. */
export type Ranges = number[]
/** More ranges than these in one block are drawn together. */
const MOST = 64
/** Ranges that are kept before they are put in order. */
const HELD = 2048

/** These indices are touched too: from `from`, to before `end`. */
export function add(ranges: Ranges, from: number, end: number): void {
  const last = ranges.length
  if (last > 0 && (ranges[last - 2] ?? 0) <= from && from <= (ranges[last - 1] ?? 0)) {
    if (end > (ranges[last - 1] ?? 0)) ranges[last - 1] = end
    return
  }
  ranges.push(from, end)
  if (last > HELD) ranges.splice(0, ranges.length, ...ordered(ranges))
}

/** In ascending order, none meeting another, and not too many. */
function ordered(ranges: Ranges): number[] {
  if (ranges.length <= 2) return ranges
  const pairs: [number, number][] = []
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0])
  pairs.sort(([a], [b]) => a - b)
  for (let gap = 0; ; gap = gap * 2 + 1) {
    const merged: number[] = []
    for (const [from, end] of pairs) {
      const last = merged.length - 1
      if (last > 0 && from <= (merged[last] ?? 0) + gap) merged[last] = Math.max(merged[last] ?? 0, end)
      else merged.push(from, end)
    }
    if (merged.length <= 2 * MOST) return merged
  }
}

/** All there is, is touched. */
export const touchWhole = (ranges: Ranges): void => add(ranges, 0, INDEX_LIMIT)

/** The ranges of a column, none as yet if it is new. */
export function rangesOf(columns: Map<string, Ranges>, column: string): Ranges {
  let ranges = columns.get(column)
  if (ranges === undefined) columns.set(column, (ranges = []))
  return ranges
}

/** Ranges as an index keeps them. */
export function touchOf(ranges: Ranges): Touch {
  const merged = ordered(ranges)
  return merged[0] === 0 && merged[1] === INDEX_LIMIT ? 0 : merged
}
