/** The calls by which drivers ask for what a process has mapped, release by release: part of the vocabulary of agendas. */
import type { Page } from '../../memory/address.ts'
import type { MmName } from '../../memory/memory.ts'
import type { ActorName } from '../offer.ts'
import type { Cursor, DmaPages, FaultAccess, RangeFault, Span, VmaFault } from '../operands.ts'

export interface HmmItems {
  // faults/hmm.ts
  hmm_range_fault: RangeFault
  walk_page_range: RangeFault
  hmm_vma_fault: Cursor & { readonly access: FaultAccess; readonly mayRetry?: boolean }

  // faults/hmm-vma.ts
  hmm_vma_range: VmaFault
  hmm_vma_walk: VmaFault & { readonly last: Page }
  hmm_vma_walk_range: VmaFault & { readonly last: Page }
  /** A failure that comes by leaves the array empty from there on. */
  hmm_pfns_clear: Span & { readonly who: ActorName }
  hmm_vma_range_done: { readonly mm: MmName; readonly who: ActorName }
  // faults/hmm-5-2.ts
  /** `pgmap`: the page map that it holds; `again`: where the walk begins that counts, if this one is for nothing. */
  hmm_walk_area: RangeFault & { readonly at: Page; readonly pgmap?: string | null; readonly again?: Page }
  hmm_range_again: RangeFault
  // faults/hmm-dma.ts
  hmm_range_dma_map: DmaPages
  hmm_dma_needs_retry: DmaPages
  dma_map_page: DmaPages
  hmm_range_dma_unmap: Pick<DmaPages, 'dma' | 'at' | 'end'>
  // faults/hmm-dma-map.ts
  hmm_dma_pfn_list: { readonly device: ActorName }
  /** Pages [at, end) are still to be mapped; `mapped` were, and had not been before. */
  hmm_dma_map_pfn: { readonly device: ActorName; readonly at: Page; readonly end: Page; readonly mapped: number }
}
