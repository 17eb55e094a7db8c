/** The swap cache: pages that are in memory and in a swap slot at once, because several entries lead to the slot. */
import { pfn, slot, type Pfn, type Slot } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import type { Memory, Swap } from '../../memory/memory.ts'

/** The slot that the swap cache keeps a frame for, if it keeps it. */
export function slotCaching(swap: Swap, frame: Pfn): Slot | undefined {
  for (const i of swap.cache.indices()) if (swap.cache.get(i) === frame) return slot(i)
  return undefined
}

/** `folio_free_swap()`: the swap cache gives the page up. */
export const uncached = (from: Slot, frame: Pfn): readonly Fact[] => [
  ['swap-cache', from, pfn(0)],
  ['refs', frame, 1, -1],
]

/** `free_swap_and_cache()`: an entry that led to the slot is gone. With the last of them, a page that nothing maps goes too. */
export function swapFreed({ frames, swap }: Memory, gone: Slot): readonly Fact[] {
  const cached = swap.cache.get(gone) as Pfn
  const last = cached !== 0 && swap.refs.get(gone) === 1 && frames.maps.get(cached) === 0
  return [['swap-refs', gone, -1], ...(last ? uncached(gone, cached) : [])]
}

/** `free_swap_cache()`: a page that is unmapped for the last time leaves the swap cache, if no entry leads to its slot any more. */
export function cacheFreed({ frames, swap }: Memory, frame: Pfn): readonly Fact[] {
  if (frames.maps.get(frame) !== 1) return []
  const slot = slotCaching(swap, frame)
  return slot === undefined || swap.refs.get(slot) > 0 ? [] : uncached(slot, frame)
}
