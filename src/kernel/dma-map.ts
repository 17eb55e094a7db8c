/**
 * `struct hmm_dma_map` (include/linux/hmm-dma.h, v6.16): the array of a driver that keeps what it has mapped for DMA, page by
 * page, where `hmm_range_fault()` writes as well. What is mapped stays so, noted in the word of the page, until it is unmapped.
 */
import { HMM_PFN_DMA_MAPPED, HMM_PFN_INOUT_FLAGS, HMM_PFN_VALID } from '../walker/hmm.ts'
import type { Table } from '../memory/table.ts'
import type { Failure } from './failure.ts'

export interface DmaMap {
  /** How many pages can be mapped at once; null: any number. */
  readonly room: number | null
  /** The device needs its caches kept up, or does not reach all of memory. */
  readonly limited: boolean
  /** `pfn_list`, by page number. */
  readonly pfns: Table
  readonly mapped: number
}

/** `hmm_dma_map_alloc()`: such a map is for devices that reach all memory, and see what the CPU sees. */
export const dmaMapAlloc = (map: DmaMap | undefined): Failure | null => (map?.limited === true ? 'EOPNOTSUPP' : null)

export type DmaMapAnswer = 'mapped' | 'was mapped' | 'DMA_MAPPING_ERROR'

/** `hmm_dma_map_pfn()` of a word that the walk has left: one that is mapped has its address already. */
export function mapPfn(map: DmaMap, page: number, word: number): { readonly map: DmaMap; readonly answer: DmaMapAnswer } {
  const pfns = map.pfns.set(page, word | HMM_PFN_DMA_MAPPED)
  if ((word & HMM_PFN_DMA_MAPPED) !== 0) return { map: { ...map, pfns }, answer: 'was mapped' }
  if (map.room !== null && map.mapped >= map.room) return { map, answer: 'DMA_MAPPING_ERROR' }
  return { map: { ...map, pfns, mapped: map.mapped + 1 }, answer: 'mapped' }
}

const VALID_DMA = HMM_PFN_VALID | HMM_PFN_DMA_MAPPED
/** Is there a page in the word, and is it mapped for DMA? */
export const isDmaMapped = ({ pfns }: DmaMap, page: number): boolean => (pfns.get(page) & VALID_DMA) === VALID_DMA

/** `hmm_dma_unmap_pfn()`: what was not mapped is let be (false); else the word forgets that it was. */
export function unmapPfn(map: DmaMap, page: number): { readonly map: DmaMap; readonly answer: boolean } {
  if (!isDmaMapped(map, page)) return { map, answer: false }
  const pfns = map.pfns.set(page, map.pfns.get(page) & ~HMM_PFN_INOUT_FLAGS)
  return { map: { ...map, pfns, mapped: map.mapped - 1 }, answer: true }
}

/** What a driver does when pages are invalidated: each is unmapped. */
export function unmapPfns(map: DmaMap, start: number, end: number): DmaMap {
  let after = map
  for (let p = map.pfns.next(start, end); p < end; p = map.pfns.next(p + 1, end)) after = unmapPfn(after, p).map
  return after
}
