/** Entries being taken away: `unmap_page_range()`, and the tables that nothing needs any more (mm/memory.c). */
import { endAt, indexAt, page, PAGE_LIMIT, pageAt, pmdEnd, type Page, type Pfn } from '../memory/address.ts'
import { DIRTY, frameOf, isPresent, isSwap, kindOf, NONE, SPECIAL, slotOf, TABLE, type Entry } from '../memory/entry.ts'
import { entries, type Fact } from '../memory/facts.ts'
import { frameKind } from '../memory/frames.ts'
import { HUGE_ZERO_PFN, mmOf, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import { leafAt } from '../memory/pagetable.ts'
import type { Cursor, Outcome, Rules } from './agenda.ts'
import { isExclusiveEntry } from './exclusive-entry.ts'
import { dirtied, hugeUnmapped, overRuns, referenced, unmapped } from './folio.ts'
import { holeAround, splitHugePmd } from './vma.ts'

/** What goes with an entry of 2 MiB that is taken away whole. */
export function hugeEntryGone(memory: Memory, entry: Entry): readonly Fact[] {
  const frame = frameOf(entry)
  const kind = frameKind(memory.frames, frame)
  if (frame === HUGE_ZERO_PFN || kind !== 'anon') return []
  return hugeUnmapped(frame)
}

/** What goes with entries that are taken away: mappings, of device-private pages too; dirt; swap slots; what exclusive entries hold. */
export function entriesGone(memory: Memory, gone: readonly number[]): readonly Fact[] {
  const frames: Pfn[] = []
  const held: Pfn[] = []
  const others: Fact[] = []
  for (const entry of gone) {
    if (isSwap(entry)) others.push(['swap-refs', slotOf(entry), -1])
    else if (isPresent(entry)) {
      if ((entry & SPECIAL) !== 0) continue
      frames.push(frameOf(entry))
      if ((entry & DIRTY) !== 0 && frameKind(memory.frames, frameOf(entry)) === 'file') others.push(...dirtied(memory, frameOf(entry)))
    } else if (isExclusiveEntry(entry)) held.push(frameOf(entry))
    else if (kindOf(entry).startsWith('!devpriv')) frames.push(frameOf(entry))
  }
  return [...others, ...unmapped(memory.frames, frames), ...referenced(memory.frames, held, -1)]
}

/** The first page in [at, end) behind gaps in the upper tables, or `end`. */
export function nextTable(mm: Mm, at: Page, end: Page): Page {
  for (let p = at; p < end;) {
    const { level, entry } = leafAt(mm, p)
    if (level === 'pte' || entry !== NONE) return p
    p = endAt(level, p, end)
  }
  return end
}

/** The next entries of [at, end) to be taken away, within one table; `more` is what is left then. */
function zap(memory: Memory, item: Cursor, budget: number): Outcome {
  const { mm: name, end } = item
  const mm = mmOf(memory, name)
  for (let at = nextTable(mm, item.at, end); at < end; at = nextTable(mm, at, end)) {
    const { level, index, entry } = leafAt(mm, at)
    const stop = endAt(level === 'pte' ? 'pmd' : level, at, end)
    const rest = stop < end ? [{ do: 'unmap_page_range', mm: name, at: stop, end } as const] : []
    if (level === 'pmd') {
      const whole = pageAt('pmd', index) === at && pmdEnd(at) === stop
      if (!whole) return { then: [...splitHugePmd(name, at), { do: 'unmap_page_range', mm: name, at, end }] }
      return { facts: [entries('pmd', name, index, 1, NONE), ...hugeEntryGone(memory, entry)], then: rest }
    }
    const from = page(mm.pte.next(at, stop))
    if (from < stop) return zapPtes(memory, name, from, stop, end, budget)
    at = stop
  }
  return {}
}

function zapPtes(memory: Memory, mm: MmName, from: Page, stop: Page, end: Page, budget: number): Outcome {
  const { pte } = mmOf(memory, mm)
  const to = page(Math.min(pte.gap(from), stop, from + budget))
  const gone = Array.from({ length: to - from }, (_, i) => pte.get(from + i))
  return {
    facts: [entries('pte', mm, from, to - from, NONE), ...entriesGone(memory, gone)],
    then: to < end ? [{ do: 'unmap_page_range', mm, at: to, end }] : [],
    cut: to === from + budget,
  }
}

export const zapRules = {
  unmap_page_range: (memory, item, { budget }) => zap(memory, item, budget),

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
