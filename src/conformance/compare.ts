/** Recorded and modelled steps, level by level: where they agree, and where they first do not. */
import type { EventRow, Result, Row } from './recording.ts'

/** From what a program is told to the last page-table bit. */
export const LEVELS = ['result', 'pfns', 'events', 'tables', 'bits'] as const
export type Level = (typeof LEVELS)[number]

export interface Seen {
  readonly res: Result
  readonly obs: Readonly<Record<string, { readonly ev: readonly EventRow[]; readonly pt: readonly Row[] }>>
  /** The kernel died, in this function; or `hang`: it never came back. */
  readonly oops?: string
  /**
   * A device's memory was given up, frame by frame in ascending order. Which frames the device had given out hangs on what
   * earlier programs did with it, which a program that stands alone cannot know: such events are compared as a set.
   */
  readonly evicted?: boolean
  /**
   * Of the values read, those that came from frames which are not the process's any more: a mirror of the test driver does
   * not hear of what its device migrates for another. What such a frame holds cannot be known.
   */
  readonly unknown?: readonly number[]
}

/** A difference: where, what the kernel did, and what the model did. */
export interface Difference {
  readonly level: Level
  /** Into the step: `res.err`, `obs.0.ev.2`, `obs.0.pt.3`. */
  readonly path: string
  readonly expected: unknown
  readonly got: unknown
}

const RESULT_FIELDS = [
  'ret',
  'err',
  'sig',
  'code',
  'at',
  'val',
  'cpages',
  'faults',
  'pages',
  'stale',
  'blocks',
  'resumed',
  'seq',
  'calls',
  'lastseq',
]
/** Values, without those that cannot be known. */
function known(runs: unknown, unknown: readonly number[]): unknown {
  if (unknown.length === 0 || !Array.isArray(runs)) return runs
  const values = (runs as readonly (readonly [number, number])[]).flatMap(([count, value]) => Array.from({ length: count }, () => value))
  return values.map((value, i) => (unknown.includes(i) ? null : value))
}
/** Bits that only the finest level compares. */
const FINE = /[DAX]/g

/** The first difference of each level; levels that agree are absent. `snapshot`: `val` is the driver's snapshot, not data. */
export function differences(expected: Seen, got: Seen, snapshot: boolean): ReadonlyMap<Level, Difference> {
  const found = new Map<Level, Difference>()
  const note = (level: Level, difference: Omit<Difference, 'level'> | undefined): void => {
    if (difference !== undefined && !found.has(level)) found.set(level, { level, ...difference })
  }
  note('result', firstDifference('oops', expected.oops, got.oops))
  // Of a kernel that died, nothing else is known.
  if (expected.oops !== undefined) return found
  for (const field of RESULT_FIELDS) {
    const level = field === 'val' && snapshot ? 'pfns' : 'result'
    const [e, g] =
      field === 'val' ? [expected, got].map(({ res }) => known(res['val'], got.unknown ?? [])) : [expected.res[field], got.res[field]]
    note(level, firstDifference(`res.${field}`, e, g))
  }
  note('pfns', firstDifference('res.pfns', expected.res['pfns'], got.res['pfns']))
  for (const who of new Set([...Object.keys(expected.obs), ...Object.keys(got.obs)])) {
    const [e, g] = [expected.obs[who], got.obs[who]]
    const ev = (seen: typeof e): readonly EventRow[] | undefined => seen && (got.evicted === true ? sortedPairs(seen.ev) : seen.ev)
    note('events', firstDifference(`obs.${who}.ev`, ev(e), ev(g)))
    note('tables', firstDifference(`obs.${who}.pt`, e && coarse(e.pt), g && coarse(g.pt)))
    note('bits', firstDifference(`obs.${who}.pt`, e?.pt, g?.pt))
  }
  return found
}

/** Sections of one page that follow one another, in ascending order of the page. */
function sortedPairs(events: readonly EventRow[]): readonly EventRow[] {
  const sorted: EventRow[] = []
  for (let i = 0; i < events.length;) {
    const run: (readonly EventRow[])[] = []
    for (; isPair(events[i], events[i + 1]); i += 2) run.push(events.slice(i, i + 2))
    sorted.push(...run.toSorted((a, b) => Number(a[0]?.[2]) - Number(b[0]?.[2])).flat())
    const other = events[i]
    if (run.length === 0 && other !== undefined) {
      sorted.push(other)
      i++
    }
  }
  return sorted
}
const isPair = (start: EventRow | undefined, end: EventRow | undefined): boolean =>
  start !== undefined &&
  end !== undefined &&
  start[0] === 'start' &&
  end[0] === 'end' &&
  start[1] === 'CLEAR' &&
  start[2] === end[2] &&
  start[3] === end[3]

/** Rows without the fine bits; rows that then look alike are one, as the recorder would have joined them. */
function coarse(rows: readonly Row[]): readonly Row[] {
  const joined: Row[] = []
  for (const [first, count, level, what, frames] of rows) {
    const plain = what.includes(':') ? what.slice(0, what.indexOf(':') + 1) + what.slice(what.indexOf(':') + 1).replace(FINE, '') : what
    const last = joined.at(-1)
    const follows = last !== undefined && last[0] + last[1] === first && last[2] === level && last[3] === plain && level <= 1
    if (!follows) joined.push(frames === undefined ? [first, count, level, plain] : [first, count, level, plain, frames])
    else
      joined[joined.length - 1] =
        frames === undefined
          ? [last[0], last[1] + count, level, plain]
          : [last[0], last[1] + count, level, plain, [...listed(last[4]), ...listed(frames)]]
  }
  return joined
}
const listed = (frames: Row[4]): readonly number[] => (frames === undefined ? [] : typeof frames === 'number' ? [frames] : frames)

/** Where two values first differ, and what stands there. */
function firstDifference(path: string, expected: unknown, got: unknown): Omit<Difference, 'level'> | undefined {
  if (Object.is(expected, got)) return undefined
  if (Array.isArray(expected) && Array.isArray(got)) {
    for (let i = 0; i < Math.max(expected.length, got.length); i++) {
      const inner = firstDifference(`${path}.${i}`, expected[i], got[i])
      // A row is told whole: one of its fields alone says too little.
      if (inner !== undefined)
        return Array.isArray(expected[i]) || Array.isArray(got[i]) ? { path: `${path}.${i}`, expected: expected[i], got: got[i] } : inner
    }
    return undefined
  }
  if (isRecord(expected) && isRecord(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      const inner = firstDifference(`${path}.${key}`, expected[key], got[key])
      if (inner !== undefined) return inner
    }
    return undefined
  }
  return { path, expected, got }
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null && !Array.isArray(x)
