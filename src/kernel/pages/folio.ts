/** What mappings mean for the folios that they map: references, map counts, dirt; facts about many at once. */
import { pfn, PMD_PAGES, type Pfn } from '../../memory/address.ts'
import { DEVMAP, frameOf, isPresent } from '../../memory/entry.ts'
import type { Fact } from '../../memory/facts.ts'
import { folioSize, FOLIO_DIRTY, frameFlags, frameKind, headOf, stateWord } from '../../memory/frames.ts'
import { HUGE_ZERO_PFN, type Frames, type Memory } from '../../memory/memory.ts'

/** Facts about frames or entries, with consecutive ones told as one. */
export function overRuns<N extends number>(numbers: readonly N[], tell: (first: N, count: number) => readonly Fact[]): readonly Fact[] {
  const facts: Fact[] = []
  for (let i = 0; i < numbers.length;) {
    const first = numbers[i] as N
    let count = 1
    while (numbers[i + count] === first + count) count++
    facts.push(...tell(first, count))
    i += count
  }
  return facts
}

/** One reference more or less for each of these frames: those of a large folio are its head's. */
export function referenced(frames: Frames, list: readonly Pfn[], change: number): readonly Fact[] {
  const small = list.filter(frame => headOf(frames, frame) === frame && folioSize(frames, frame) === 1)
  const heads = new Map<Pfn, number>()
  for (const frame of list) {
    const head = headOf(frames, frame)
    if (folioSize(frames, head) > 1) heads.set(head, (heads.get(head) ?? 0) + change)
  }
  return [
    ...overRuns(small, (first, count) => [['refs', first, count, change]]),
    ...[...heads].map(([head, sum]): Fact => ['refs', head, 1, sum]),
  ]
}

/** PTEs map these frames, each with a reference. */
export const mapped = (frames: Frames, list: readonly Pfn[]): readonly Fact[] => [
  ...overRuns(list, (first, count) => [['maps', first, count, 1]]),
  ...referenced(frames, list, 1),
]

/** PTEs that mapped these frames are gone, and the references that they held. */
export const unmapped = (frames: Frames, list: readonly Pfn[]): readonly Fact[] => [
  ...overRuns(list, (first, count) => [['maps', first, count, -1]]),
  ...referenced(frames, list, -1),
]

/** A huge entry maps a folio. */
export const hugeMapped = (head: Pfn): readonly Fact[] => [
  ['hugeMaps', head, 1, 1],
  ['refs', head, 1, 1],
]

/** A huge entry that mapped a folio is gone. */
export const hugeUnmapped = (head: Pfn): readonly Fact[] => [
  ['hugeMaps', head, 1, -1],
  ['refs', head, 1, -1],
]

/** What goes with a huge entry that is taken away whole: the huge zero page is not counted, nor what is marked as DAX. */
export const hugeEntryGone = (entry: number): readonly Fact[] =>
  frameOf(entry) === HUGE_ZERO_PFN || (isPresent(entry) && (entry & DEVMAP) !== 0) ? [] : hugeUnmapped(frameOf(entry))

/** A folio's flags changed: `set` are added, `cleared` go. Nothing if that changes nothing. */
export function flagged(frames: Frames, frame: Pfn, set: number, cleared = 0): readonly Fact[] {
  const flags = frameFlags(frames, frame)
  const after = (flags | set) & ~cleared
  return after === flags ? [] : [['state', frame, 1, stateWord(frameKind(frames, frame), after)]]
}

/** What an entry says of dirt goes to the folio when the entry goes: `folio_mark_dirty()`. */
export const dirtied = (memory: Memory, frame: Pfn): readonly Fact[] => flagged(memory.frames, headOf(memory.frames, frame), FOLIO_DIRTY)

/** Free frames, the lowest first. */
export function* freeFrames(frames: Frames): Generator<Pfn> {
  for (let at = frames.free; ; at = pfn(frames.refs.gap(at + 1))) yield at
}

/** The first of 512 free frames that begin at a multiple of 512, not before `from`. */
export function freeBlock({ refs, freeBlock: lowest }: Frames, from: number = lowest): Pfn {
  for (let first = from; ; first += PMD_PAGES) if (refs.next(first, first + PMD_PAGES) === first + PMD_PAGES) return pfn(first)
}

/** What was written into frames; nothing for those that contain it already. */
export function contents(frames: Frames, written: readonly (readonly [frame: number, value: number])[]): readonly Fact[] {
  const facts: ['content', Pfn, number, number, number][] = []
  for (const [frame, value] of written) {
    if (frames.content.get(frame) === value) continue
    const run = facts.at(-1)
    if (run !== undefined && run[1] + run[2] === frame && (run[2] === 1 || run[3] + run[2] * run[4] === value)) {
      if (run[2] === 1) run[4] = value - run[3]
      run[2]++
    } else facts.push(['content', pfn(frame), 1, value, 0])
  }
  return facts
}

/** What frames contain is copied, from `from` on to `to` on. */
export function copied(frames: Frames, from: Pfn, to: Pfn, count: number): readonly Fact[] {
  return contents(
    frames,
    Array.from({ length: count }, (_, i) => [to + i, frames.content.get(from + i)]),
  )
}
