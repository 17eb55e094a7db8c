/** The swap cache: pages that are in memory and in a swap slot at once, because several entries lead to the slot. */
import { pfn, slot, type Pfn, type Slot } from '../memory/address.ts'
import type { Fact } from '../memory/facts.ts'
import type { Swap } from '../memory/memory.ts'

/** The slot that the swap cache keeps a frame for, if it keeps it. */
export function slotCaching(swap: Swap, frame: Pfn): Slot | undefined {
  for (const [first, count] of swap.cache.runs()) {
    for (let i = first; i < first + count; i++) if (swap.cache.get(i) === frame) return slot(i)
  }
  return undefined
}

/** `folio_free_swap()`: the swap cache gives the page up. */
export const uncached = (from: Slot, frame: Pfn): readonly Fact[] => [
  ['swap-cache', from, pfn(0)],
  ['refs', frame, 1, -1],
]
