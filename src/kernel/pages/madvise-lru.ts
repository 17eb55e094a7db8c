/** `MADV_FREE`, `MADV_COLD` and `MADV_PAGEOUT`: what reclaim may do with pages, and what it does at once (mm/madvise.c). */
import { endAt, page, pageAt, PMD_PAGES, pmdEnd, type Page, type Pfn } from '../../memory/address.ts'
import { ACCESSED, DEVMAP, DIRTY, frameOf, isPresent, isSwap, NONE, slotOf, withoutFlags, type Entry } from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { entries, pte, type Fact } from '../../memory/facts.ts'
import {
  ACTIVE,
  FOLIO_DIRTY,
  folioMapcount,
  folioSize,
  frameFlags,
  frameKind,
  headOf,
  isAnon,
  isLarge,
  LAZYFREE,
  REFERENCED,
} from '../../memory/frames.ts'
import { mmOf, type Batched, type Memory, type MmName } from '../../memory/memory.ts'
import { entryAt, leafAt } from '../../memory/pagetable.ts'
import { linearIndex, vmaAt } from '../../memory/vma.ts'
import type { Agenda, Item, Outcome, Rules } from '../agenda.ts'
import { splitHugePud } from '../dax/devdax.ts'
import { flagged } from './folio.ts'
import { batched } from './lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { isUnevictable } from './rmap.ts'
import { slotCaching, swapFreed, uncached } from '../faults/swapcache.ts'
import { nextTable } from '../areas/zap.ts'

/** `MADV_FREE` on a folio: it becomes clean, and reclaim may drop it; `waits` are those that wait for that in a batch. */
const lazy = (memory: Memory, head: Pfn, waits: Batched[]): readonly Fact[] => {
  if (folioMapcount(memory.frames, head) > 1 && isUnevictable(memory, head)) return []
  const slot = slotCaching(memory.swap, head)
  if ((frameFlags(memory.frames, head) & LAZYFREE) === 0) waits.push(['lru_lazyfree', head])
  return [...flagged(memory.frames, head, LAZYFREE, FOLIO_DIRTY), ...(slot === undefined ? [] : uncached(slot, head))]
}

/** May a folio of one size or the other be freed lazily? Not one that others map too, or that the swap cache keeps for others. */
function mayFree(memory: Memory, head: Pfn): boolean {
  const { frames, swap } = memory
  const slot = slotCaching(swap, head)
  if ((frameFlags(frames, head) & FOLIO_DIRTY) === 0 && slot === undefined) return true
  return folioMapcount(frames, head) === folioSize(frames, head) && (slot === undefined || swap.refs.get(slot) === 0)
}

/** `MADV_FREE` on one entry: swapped contents go; a page of this process alone becomes clean, and reclaim may drop it. */
function freed(memory: Memory, mm: MmName, p: Page, waits: Batched[]): readonly Fact[] {
  const entry = mmOf(memory, mm).pte.get(p) as Entry
  if (isSwap(entry)) return [pte(mm, p, NONE), ...swapFreed(memory, slotOf(entry))]
  const frame = frameOf(entry)
  const driver = isPresent(entry) && hasPage(entry) && frameKind(memory.frames, frame) === 'driver'
  // A driver's page has no place in reclaim's lists, but its entry is cleaned all the same, where it is not shared.
  if (driver) return (entry & (ACCESSED | DIRTY)) === 0 ? [] : [pte(mm, p, withoutFlags(entry, ACCESSED | DIRTY))]
  if (!isReclaimable(memory, entry) || !mayFree(memory, frame)) return []
  return [...((entry & (ACCESSED | DIRTY)) === 0 ? [] : [pte(mm, p, withoutFlags(entry, ACCESSED | DIRTY))]), ...lazy(memory, frame, waits)]
}

/** A present entry of memory that has a place in reclaim's lists: not the zero page, and not a device's. */
const isReclaimable = (memory: Memory, entry: Entry): boolean =>
  isPresent(entry) && hasPage(entry) && /^(anon|file)$/.test(frameKind(memory.frames, frameOf(entry)))

/** `folio_likely_mapped_shared()`, `folio_estimated_sharers()`: does somebody else map the folio too? */
function isShared(memory: Memory, frame: Pfn, profile: Profile): boolean {
  const { frames } = memory
  const head = headOf(frames, frame)
  if (!profile.estimatesSharing) return frames.maps.get(frame) + frames.hugeMaps.get(head) !== 1
  const count = folioMapcount(frames, head)
  if (!isLarge(frames, head)) return count > 1
  if (count <= 1) return false
  return frames.hugeMaps.get(head) > 0 || count > PMD_PAGES || frames.maps.get(head) > 1
}

/** Does a run of like entries from `p` on map the whole of its folio? `madvise_folio_pte_batch()` */
function mapsWhole(memory: Memory, mm: MmName, p: Page, end: Page): boolean {
  const { pte: table } = mmOf(memory, mm)
  const first = table.get(p)
  const head = headOf(memory.frames, frameOf(first))
  if (frameOf(first) !== head || p + PMD_PAGES > end) return false
  const like = (a: number, b: number): boolean => ((a ^ b) & ~(ACCESSED | DIRTY) & 0xff) === 0
  for (let i = 1; i < PMD_PAGES; i++) {
    const entry = table.get(p + i)
    if (!isPresent(entry) || frameOf(entry) !== head + i || !like(entry, first)) return false
  }
  return true
}

/** What is done about part of a large folio: it is split, and looked at again; one that others map stays, and older kernels stop there. */
function splitPart(
  memory: Memory,
  item: Item<'madvise_free_pte_range' | 'madvise_cold_or_pageout_pte_range'>,
  p: Page,
  stop: Page,
  profile: Profile,
): Agenda {
  const frame = frameOf(mmOf(memory, item.mm).pte.get(p))
  const folio = headOf(memory.frames, frame)
  const behind: Agenda = [{ ...item, at: profile.goesOnBehindShared ? page(p + 1) : stop }]
  // Newer kernels' `MADV_FREE` asks how often the first page is mapped, the others how often this one is.
  if (isShared(memory, item.do === 'madvise_free_pte_range' && profile.freeAsksFirstPage ? folio : frame, profile)) return behind
  return [{ do: 'split_folio', folio, pins: 0, split: [{ ...item, at: p }], kept: behind }]
}

function freeRange(memory: Memory, item: Item<'madvise_free_pte_range'>, budget: number, profile: Profile): Outcome {
  const { mm: name, end } = item
  if (item.at >= end) return {}
  const mm = mmOf(memory, name)
  const { level, index, entry } = leafAt(mm, item.at)
  const stop = endAt(level === 'pte' ? 'pmd' : level, item.at, end)
  const rest: Agenda = stop < end ? [{ ...item, at: stop }] : []
  if (level !== 'pte') {
    if (level !== 'pmd' || !isReclaimable(memory, entry)) return { then: rest }
    return freeHuge(memory, item, entry, index, stop, rest, profile)
  }
  const facts: Fact[] = []
  const waits: Batched[] = []
  const done = (then: Agenda, cut = false): Outcome =>
    facts.length === 0 ? { then } : { facts: [...facts, ...batched(memory, waits, profile)], then, cut }
  let at = page(mm.pte.next(item.at, stop))
  for (let left = budget; at < stop && left > 0; left--) {
    const small = mm.pte.get(at) as Entry
    if (isReclaimable(memory, small) && isLarge(memory.frames, frameOf(small))) {
      if (!profile.estimatesSharing || !mapsWhole(memory, name, at, stop)) {
        return done(splitPart(memory, item, at, stop, profile))
      }
      for (let i = 0; i < PMD_PAGES; i++) facts.push(...agedWhole(memory, name, page(at + i)))
      if (mayFree(memory, frameOf(small))) facts.push(...lazy(memory, frameOf(small), waits))
      at = page(at + PMD_PAGES)
    } else {
      facts.push(...freed(memory, name, at, waits))
      at = page(mm.pte.next(at + 1, stop))
    }
  }
  return done(at < stop ? [{ ...item, at }] : rest, at < stop)
}

const agedWhole = (memory: Memory, mm: MmName, p: Page): readonly Fact[] => {
  const entry = mmOf(memory, mm).pte.get(p)
  return (entry & (ACCESSED | DIRTY)) === 0 || !mayFree(memory, headOf(memory.frames, frameOf(entry)))
    ? []
    : [pte(mm, p, withoutFlags(entry, ACCESSED | DIRTY))]
}

/** `madvise_free_huge_pmd()`: a whole entry becomes clean; part of one is split first. */
function freeHuge(
  memory: Memory,
  item: Item<'madvise_free_pte_range'>,
  entry: Entry,
  index: number,
  stop: Page,
  rest: Agenda,
  profile: Profile,
): Outcome {
  const frame = frameOf(entry)
  const whole = pageAt('pmd', index) === item.at && pmdEnd(item.at) === stop
  if (isShared(memory, frame, profile) || folioMapcount(memory.frames, frame) !== 1) return { then: rest }
  if (!whole) return { then: [{ do: 'split_folio', folio: frame, pins: 0, split: [item], kept: rest }] }
  const facts = [
    ...((entry & (ACCESSED | DIRTY)) === 0 ? [] : [entries('pmd', item.mm, index, 1, withoutFlags(entry, ACCESSED | DIRTY))]),
    ...flagged(memory.frames, frame, LAZYFREE, FOLIO_DIRTY),
    ...((frameFlags(memory.frames, frame) & LAZYFREE) === 0 ? batched(memory, [['lru_lazyfree', frame]], profile) : []),
  ]
  return facts.length === 0 ? { then: rest } : { facts, then: rest }
}

/** One table's part of `MADV_COLD` and `MADV_PAGEOUT`: folios are taken off their list first, and then reclaimed one after the other. */
function coldRange(memory: Memory, item: Item<'madvise_cold_or_pageout_pte_range'>, budget: number, profile: Profile): Outcome {
  const { mm: name, end, pageout } = item
  if (item.at >= end) return { then: item.isolated.map(i => ({ do: 'shrink_folio', ...i })) }
  const mm = mmOf(memory, name)
  const { level, index, entry } = leafAt(mm, item.at)
  const ages = !pageout || profile.pageoutClearsAccessed
  if (level !== 'pte') {
    // A kernel that does not know what it sees takes the entry away, and says nothing.
    if ((entry & DEVMAP) !== 0 && !profile.reclaimKnowsDaxPmd) return { facts: [['clear_bad', name, 'pmd', index]] }
    if (level !== 'pmd' || !isReclaimable(memory, entry)) return {}
    const folio = frameOf(entry)
    if (isShared(memory, folio, profile)) return {}
    const whole = pageAt('pmd', index) === item.at && pmdEnd(item.at) === end
    if (!whole) return { then: [{ do: 'split_folio', folio, pins: 0, split: [item], kept: [] }] }
    const facts: readonly Fact[] = [
      ...((entry & ACCESSED) !== 0 && ages ? [entries('pmd', name, index, 1, withoutFlags(entry, ACCESSED))] : []),
      ...(pageout ? ([['refs', folio, 1, 1]] as const) : []),
    ]
    const then = pageout ? ([{ do: 'shrink_folio', folio, file: '', index: memory.frames.index.get(folio) }] as const) : []
    return facts.length === 0 ? { then } : { facts, then }
  }

  const facts: Fact[] = []
  const isolated = [...item.isolated]
  const waits: Batched[] = []
  const finished = (then: Agenda): Outcome => {
    const all = [...facts, ...batched(memory, waits, profile)]
    return all.length === 0 ? { then } : { facts: all, then }
  }
  let at = page(mm.pte.next(item.at, end))
  for (let left = budget; at < end && left > 0; left--) {
    const small = mm.pte.get(at) as Entry
    const vma = vmaAt(mm.vmas, at)
    let count = 1
    if (vma !== undefined && isReclaimable(memory, small)) {
      const folio = headOf(memory.frames, frameOf(small))
      if (isLarge(memory.frames, folio)) {
        const whole = profile.estimatesSharing && mapsWhole(memory, name, at, end)
        if (!whole) return finished(splitPart(memory, { ...item, isolated }, at, end, profile))
        count = PMD_PAGES
      }
      if (folioMapcount(memory.frames, folio) === count) {
        for (let i = 0; i < count; i++) {
          const each = mm.pte.get(at + i)
          if ((each & ACCESSED) !== 0 && ages) facts.push(pte(name, page(at + i), withoutFlags(each, ACCESSED)))
        }
        // It was not accessed, and is not among those that are used, or waits not to be.
        const lru = memory.frames.lru.get(folio)
        const cold = pageout ? 0 : lru & ~REFERENCED
        if (cold !== lru) facts.push(['lru', folio, 1, cold])
        if ((cold & ACTIVE) !== 0) waits.push(['lru_deactivate', folio])
        if (pageout) {
          facts.push(['refs', folio, 1, 1])
          // A private copy of a file's page is anonymous memory.
          const own = isAnon(memory.frames, folio)
          isolated.push({ folio, file: own ? '' : vma.file, index: own ? memory.frames.index.get(folio) : linearIndex(vma, at) })
        }
      }
    }
    at = page(mm.pte.next(at + count, end))
  }
  return { ...finished([{ ...item, at, isolated }]), cut: at < end }
}

export const madviseLruRules = {
  madvise_free_pte_range: (memory, item, { budget, profile }) => freeRange(memory, item, budget, profile),
  madvise_cold_or_pageout: (memory, item) => {
    const { mm, end, pageout } = item
    const at = nextTable(mmOf(memory, mm), item.at, end)
    if (at >= end) return {}
    // The walk for small entries splits those of 1 GiB on its way.
    if (isPresent(entryAt(mmOf(memory, mm), 'pud', at))) return { then: [...splitHugePud(mm, at), { ...item, at }] }
    const stop = endAt('pmd', at, end)
    return {
      then: [
        { do: 'madvise_cold_or_pageout_pte_range', mm, at, end: stop, pageout, isolated: [] },
        { do: 'madvise_cold_or_pageout', mm, at: stop, end, pageout },
      ],
    }
  },
  madvise_cold_or_pageout_pte_range: (memory, item, { budget, profile }) => coldRange(memory, item, budget, profile),
} satisfies Partial<Rules>
