/** Entries being taken away: `unmap_page_range()`, and the tables that nothing needs any more (mm/memory.c). */
import { indexAt, page, PAGE_LIMIT, pageAt, type Page, type Pfn } from '../memory/address.ts'
import { DIRTY, frameOf, isPresent, isSwap, NONE, SPECIAL, slotOf, TABLE } from '../memory/entry.ts'
import { entries, type Fact } from '../memory/facts.ts'
import { FOLIO_DIRTY, frameFlags, frameKind, stateWord } from '../memory/frames.ts'
import { mmOf, type Memory, type MmName } from '../memory/memory.ts'
import type { Rules } from './agenda.ts'
import { holeAround } from './vma.ts'

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

/** Mappings and the references that they held are gone. */
export const unmapped = (frames: readonly Pfn[]): readonly Fact[] =>
  overRuns(frames, (first, count) => [
    ['maps', first, count, -1],
    ['refs', first, count, -1],
  ])

/** What an entry says of dirt goes to the page of a file when the entry goes: `folio_mark_dirty()`. */
export const dirtied = (memory: Memory, frame: Pfn): readonly Fact[] => {
  const flags = frameFlags(memory.frames, frame)
  return (flags & FOLIO_DIRTY) !== 0 ? [] : [['state', frame, stateWord(frameKind(memory.frames, frame), flags | FOLIO_DIRTY)]]
}

/** Clears the entries of [from, to), none of which is empty. */
function clear(memory: Memory, mm: MmName, from: Page, to: Page): readonly Fact[] {
  const { pte } = mmOf(memory, mm)
  const frames: Pfn[] = []
  const others: Fact[] = []
  for (let p = from; p < to; p = page(p + 1)) {
    const entry = pte.get(p)
    if (isSwap(entry)) others.push(['swap-refs', slotOf(entry), -1])
    else if (isPresent(entry) && (entry & SPECIAL) === 0) {
      frames.push(frameOf(entry))
      if ((entry & DIRTY) !== 0 && frameKind(memory.frames, frameOf(entry)) === 'file') others.push(...dirtied(memory, frameOf(entry)))
    }
  }
  return [entries('pte', mm, from, to - from, NONE), ...others, ...unmapped(frames)]
}

export const zapRules = {
  unmap_page_range: (memory, item, { budget }) => {
    const { pte } = mmOf(memory, item.mm)
    const from = page(pte.next(item.at, item.end))
    if (from >= item.end) return {}
    const to = page(Math.min(pte.gap(from), item.end, from + budget))
    return {
      facts: clear(memory, item.mm, from, to),
      then: to < item.end ? [{ do: 'unmap_page_range', mm: item.mm, at: to, end: item.end }] : [],
      cut: to === from + budget,
    }
  },

  // A table goes if what it could map lies between the neighbours of what was unmapped.
  free_pgtables: (memory, { mm, start, end }) => {
    const tables = mmOf(memory, mm)
    const { floor, ceiling } = holeAround(tables.vmas, start, end, PAGE_LIMIT)
    const facts = (['pmd', 'pud', 'pgd'] as const).flatMap(level => {
      const gone: number[] = []
      for (let i = indexAt(level, start); pageAt(level, i) < end; i++) {
        if (tables[level].get(i) === TABLE && pageAt(level, i) >= floor && pageAt(level, i + 1) <= ceiling) gone.push(i)
      }
      return overRuns(gone, (first, count) => [entries(level, mm, first, count, NONE)])
    })
    return facts.length === 0 ? {} : { facts }
  },
} satisfies Partial<Rules>
