/** Entries being taken away: `unmap_page_range()`, and the tables that nothing needs any more (mm/memory.c). */
import { endAt, indexAt, page, PAGE_LIMIT, pageAt, pmdEnd, PUD_PAGES, type Page, type Pfn } from '../../memory/address.ts'
import { DIRTY, frameOf, isPresent, isSwap, NONE, slotOf, TABLE } from '../../memory/entry.ts'
import { entries, type Fact } from '../../memory/facts.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { frameKind, isAnon } from '../../memory/frames.ts'
import { mmOf, type Memory, type Mm, type MmName } from '../../memory/memory.ts'
import { leafAt } from '../../memory/pagetable.ts'
import { flushTlb } from '../../memory/tlb.ts'
import type { Item, Outcome, Rules } from '../agenda.ts'
import { splitHugePud } from '../dax/devdax.ts'
import { countsAsMapping, isExclusiveEntry } from '../test-hmm/exclusive-entry.ts'
import { dirtied, hugeEntryGone, overRuns, referenced, unmapped } from '../pages/folio.ts'
import { cacheFreed, swapFreed } from '../faults/swapcache.ts'
import { holeAround, splitHugePmd } from './vma.ts'

/** What goes with entries that are taken away: mappings, of device-private pages too; dirt; swap slots; what exclusive entries hold. */
export function entriesGone(memory: Memory, gone: readonly number[]): readonly Fact[] {
  const frames: Pfn[] = []
  const held: Pfn[] = []
  const others: Fact[] = []
  for (const entry of gone) {
    if (isSwap(entry)) others.push(...swapFreed(memory, slotOf(entry)))
    else if (isPresent(entry)) {
      if (!hasPage(entry)) continue
      frames.push(frameOf(entry))
      others.push(...cacheFreed(memory, frameOf(entry)))
      if ((entry & DIRTY) !== 0 && frameKind(memory.frames, frameOf(entry)) === 'file') others.push(...dirtied(memory, frameOf(entry)))
    } else if (countsAsMapping(entry)) frames.push(frameOf(entry))
    else if (isExclusiveEntry(entry)) held.push(frameOf(entry))
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

/** `should_zap_folio()`, `should_zap_cows()`: entries that are left where copies stay. */
const isCow = (memory: Memory, entry: number): boolean =>
  isPresent(entry) ? hasPage(entry) && isAnon(memory.frames, frameOf(entry)) : entry !== NONE

/** The next entries of [at, end) to be taken away, within one table. */
function zap(memory: Memory, item: Item<'unmap_page_range'>, budget: number): Outcome {
  const { mm: name, end } = item
  const mm = mmOf(memory, name)
  for (let at = nextTable(mm, item.at, end); at < end; at = nextTable(mm, at, end)) {
    const { level, index, entry } = leafAt(mm, at)
    const stop = endAt(level === 'pte' ? 'pmd' : level, at, end)
    const rest = stop < end ? [{ ...item, at: stop }] : []
    if (level === 'pud') {
      if (stop - at < PUD_PAGES) return { then: [...splitHugePud(name, at), { ...item, at }] }
      return { facts: [entries('pud', name, index, 1, NONE), ...hugeEntryGone(entry)], then: rest }
    }
    if (level === 'pmd') {
      const whole = pageAt('pmd', index) === at && pmdEnd(at) === stop
      if (!whole) return { then: [...splitHugePmd(name, at), { ...item, at }] }
      return { facts: [entries('pmd', name, index, 1, NONE), ...hugeEntryGone(entry)], then: rest }
    }
    const from = page(mm.pte.next(at, stop))
    if (from < stop) return zapPtes(memory, item, from, stop, budget)
    at = stop
  }
  return {}
}

/** A run of entries that go, from the first that does. */
function zapPtes(memory: Memory, item: Item<'unmap_page_range'>, first: Page, stop: Page, budget: number): Outcome {
  const { mm, end } = item
  const { pte } = mmOf(memory, mm)
  const stays = (p: number): boolean => item.keepsCows === true && isCow(memory, pte.get(p))
  let from = first
  while (from < stop && stays(from)) from = page(pte.next(from + 1, stop))
  const gone: number[] = []
  for (const until = Math.min(stop, from + budget); from + gone.length < until;) {
    const entry = pte.get(from + gone.length)
    if (entry === NONE || stays(from + gone.length)) break
    gone.push(entry)
  }
  const to = page(from + gone.length)
  const then = to < end ? [{ ...item, at: to }] : []
  if (gone.length === 0) return { then }
  return { facts: [entries('pte', mm, from, gone.length, NONE), ...entriesGone(memory, gone)], then, cut: gone.length === budget }
}

/** `try_to_free_pte()`: tables of PTEs that lie in [start, end) as a whole, and have nothing in them, go. */
function freeTables(mm: Mm, name: MmName, start: Page, end: Page): readonly Fact[] {
  const gone: number[] = []
  for (let i = indexAt('pmd', start); pageAt('pmd', i + 1) <= end; i++) {
    const [first, next] = [pageAt('pmd', i), pageAt('pmd', i + 1)]
    if (first >= start && mm.pmd.get(i) === TABLE && mm.pte.next(first, next) === next) gone.push(i)
  }
  return overRuns(gone, (first, count) => [entries('pmd', name, first, count, NONE)])
}

export const zapRules = {
  flush_tlb_range: (memory, { mm, start, end }) => {
    const facts = flushTlb(mm, mmOf(memory, mm), start, end)
    return facts.length === 0 ? {} : { facts }
  },

  unmap_page_range: (memory, item, { budget }) => zap(memory, item, budget),

  try_to_free_ptes: (memory, { mm, start, end }) => {
    const facts = freeTables(mmOf(memory, mm), mm, start, end)
    return facts.length === 0 ? {} : { facts }
  },

  // A table goes if what it could map lies between the neighbours of what was unmapped.
  free_pgtables: (memory, { mm, start, end }) => {
    const tables = mmOf(memory, mm)
    const { floor, ceiling } = holeAround(tables.vmas, start, end, PAGE_LIMIT)
    const facts = (['pmd', 'pud', 'pgd'] as const).flatMap(level => {
      const gone = [...tables[level].indices(indexAt(level, start), indexAt(level, page(end - 1)) + 1)].filter(
        i => tables[level].get(i) === TABLE && pageAt(level, i) >= floor && pageAt(level, i + 1) <= ceiling,
      )
      return overRuns(gone, (first, count) => [entries(level, mm, first, count, NONE)])
    })
    return facts.length === 0 ? {} : { facts }
  },
} satisfies Partial<Rules>
