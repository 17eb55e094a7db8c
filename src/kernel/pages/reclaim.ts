/** Reclaim of single folios, as `MADV_PAGEOUT` asks for it (mm/vmscan.c, mm/rmap.c). */
import { page, pfn, PMD_PAGES, slot, type Page, type Slot } from '../../memory/address.ts'
import { DIRTY, frameOf, isPresent, NONE, swapEntry, type Entry } from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { cached, pte, type Fact } from '../../memory/facts.ts'
import { FOLIO_DIRTY, folioMapcount, folioSize, frameFlags, frameKind, isExclusive, isLarge, LAZYFREE } from '../../memory/frames.ts'
import { mmOf, type Memory, type Swap } from '../../memory/memory.ts'
import { hasPmdTable } from '../../memory/pagetable.ts'
import { section, type Agenda, type Isolated, type Item, type Outcome, type Rules } from '../agenda.ts'
import { slotCaching } from '../faults/swapcache.ts'
import { dirtied, flagged, unmapped } from './folio.ts'
import { anonPlaces, filePlaces, type Place } from './rmap.ts'
import { splitHugePmd } from '../areas/vma.ts'

/** The reference that isolating took. */
const ISOLATED = 1

/** References that neither mappings, nor the page cache, nor reclaim itself account for: somebody uses the folio. */
const inUse = ({ frames, swap }: Memory, { folio, file }: Isolated): boolean => {
  const caches = file === '' ? (slotCaching(swap, folio) === undefined ? 0 : 1) : 1
  return frames.refs.get(folio) > ISOLATED + folioMapcount(frames, folio) + caches
}
/** Where the folio may be mapped, in the order in which it is unmapped there. */
const placesOf = (memory: Memory, { folio, file, index }: Isolated): readonly Place[] =>
  file === '' ? anonPlaces(memory, folio) : filePlaces(memory, file, index, 1)

/** The lowest free slots. */
function freeSlots(swap: Swap, count: number): readonly Slot[] {
  const slots: Slot[] = []
  for (let at: number = swap.free; slots.length < count; at++) if (swap.refs.get(at) === 0 && swap.cache.get(at) === 0) slots.push(slot(at))
  return slots
}

/** `try_to_unmap_one()` on a folio freed lazily: dropped if it is clean still; written since, it is kept and counts again. */
function unmapLazyFree(memory: Memory, { mm, folio }: Item<'try_to_unmap'>, entries: readonly (readonly [Page, Entry])[]): readonly Fact[] {
  const clean = (frameFlags(memory.frames, folio) & FOLIO_DIRTY) === 0 && entries.every(([, entry]) => (entry & DIRTY) === 0)
  if (!clean) return flagged(memory.frames, folio, FOLIO_DIRTY, LAZYFREE)
  return [
    ...entries.map(([p]) => pte(mm, p, NONE)),
    ...unmapped(
      memory.frames,
      entries.map(([, entry]) => frameOf(entry)),
    ),
  ]
}

/** The entries of the place that map the folio. */
function entriesOf(memory: Memory, { mm, start, end, folio }: Item<'try_to_unmap'>): readonly (readonly [Page, Entry])[] {
  const table = mmOf(memory, mm).pte
  const found: (readonly [Page, Entry])[] = []
  for (let p = page(table.next(start, end)); p < end; p = page(table.next(p + 1, end))) {
    const entry = table.get(p) as Entry
    const offset = frameOf(entry) - folio
    if (isPresent(entry) && hasPage(entry) && offset >= 0 && offset < folioSize(memory.frames, folio)) found.push([p, entry])
  }
  return found
}

function unmap(memory: Memory, item: Item<'try_to_unmap'>): Outcome {
  const { mm, folio } = item
  const { frames, swap } = memory
  const found = entriesOf(memory, item)
  if (found.length === 0) return {}
  const list = found.map(([, entry]) => frameOf(entry))
  if (frameKind(frames, folio) === 'file') {
    const dirty = found.filter(([, entry]) => (entry & DIRTY) !== 0).flatMap(([, entry]) => dirtied(memory, frameOf(entry)))
    return { facts: [...found.map(([p]) => pte(mm, p, NONE)), ...dirty, ...unmapped(frames, list)] }
  }
  if ((frameFlags(frames, folio) & LAZYFREE) !== 0) return { facts: unmapLazyFree(memory, item, found) }
  const slots = freeSlots(swap, found.length)
  return {
    facts: [
      ...found.flatMap(([p, entry], i): readonly Fact[] => {
        const to = slots[i] ?? slot(0)
        return [['swap', to, frames.content.get(frameOf(entry))], pte(mm, p, swapEntry(to, isExclusive(frames, frameOf(entry))))]
      }),
      ...unmapped(frames, list),
    ],
  }
}

/** Each page by itself: `split_folio_to_list()` puts those that are still mapped on the list, for reclaim in their turn. */
const splitFirst = (memory: Memory, isolated: Isolated): Agenda => [
  {
    do: 'split_folio',
    folio: isolated.folio,
    pins: ISOLATED,
    split: [{ do: 'shrink_split', folio: isolated.folio }],
    kept: [{ do: 'folio_put', folio: isolated.folio }],
  },
]

export const reclaimRules = {
  shrink_folio: (memory, item, { profile }) => {
    const { do: _, ...isolated } = item
    const { frames } = memory
    const { folio } = isolated
    // A folio that is pinned, used, or not mapped any more is put back as it is.
    if (inUse(memory, isolated) || folioMapcount(frames, folio) === 0) return { then: [{ do: 'reclaim_folio', ...isolated }] }
    const large = isLarge(frames, folio)
    if (large && frames.hugeMaps.get(folio) === 0 && !profile.swapsSmallMapped) return { then: splitFirst(memory, isolated) }
    if (large && folioMapcount(frames, folio) !== PMD_PAGES && frames.hugeMaps.get(folio) === 0)
      return { then: splitFirst(memory, isolated) }
    return {
      then: [
        ...placesOf(memory, isolated).map(place => ({ do: 'try_to_unmap_in', ...isolated, ...place }) as const),
        { do: 'reclaim_folio', ...isolated },
      ],
    }
  },

  // One place after the other, until nothing maps the folio any more.
  try_to_unmap_in: (memory, { do: _, ...item }, { profile }) => {
    const { mm, start, end, folio } = item
    if (folioMapcount(memory.frames, folio) === 0) return {}
    const large = isLarge(memory.frames, folio)
    const split: Item<'split_huge_pmd'> = { do: 'split_huge_pmd', mm, page: start, folio, freeze: false }
    const before = large && profile.unmapSplitsFirst && hasPmdTable(mmOf(memory, mm), start) ? splitHugePmd(mm, start, folio) : []
    const inside = large && !profile.unmapSplitsFirst ? [split] : []
    return { then: [...before, ...section({ mm, event: 'CLEAR', start, end }, [...inside, { do: 'try_to_unmap', mm, start, end, folio }])] }
  },
  try_to_unmap: unmap,

  // `pageout()` and `__remove_mapping()`: a page that nothing maps any more goes; of a file's, the dirty ones to swap.
  reclaim_folio: (memory, { do: _, ...isolated }) => {
    const { folio, file, index } = isolated
    const { frames, swap } = memory
    const putback = ['refs', folio, 1, -ISOLATED] as const
    const keeps = file === '' || (memory.files[file]?.kind !== 'shmem' && memory.files[file]?.kind !== 'memfd')
    if (keeps || folioMapcount(frames, folio) > 0 || inUse(memory, isolated)) return { facts: [putback] }
    const dirty = (frameFlags(frames, folio) & FOLIO_DIRTY) !== 0
    const kept: readonly Fact[] = dirty
      ? [['swap', swap.free, frames.content.get(folio)], cached(file, index, swapEntry(swap.free, false))]
      : [cached(file, index, NONE)]
    return { facts: [...kept, ['refs', folio, 1, -1], putback] }
  },
  folio_put: (_, { folio }) => ({ facts: [['refs', folio, 1, -1]] }),
  // The reference of isolating is the head's; the others are taken off their list by splitting.
  shrink_split: (memory, { folio }) => {
    const { frames } = memory
    const pages = Array.from({ length: PMD_PAGES }, (_, i) => pfn(folio + i)).filter(frame => frames.maps.get(frame) > 0)
    const first = pages[0] === folio
    return {
      facts: [
        ...pages.filter(frame => frame !== folio).map((frame): Fact => ['refs', frame, 1, ISOLATED]),
        ...(first ? [] : ([['refs', folio, 1, -ISOLATED]] as const)),
      ],
      then: pages.map(frame => ({ do: 'shrink_folio', folio: frame, file: '', index: frames.index.get(frame) })),
    }
  },
} satisfies Partial<Rules>
