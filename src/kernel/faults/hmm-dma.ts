/**
 * `hmm_range_dma_map()` and `hmm_range_dma_unmap()` (mm/hmm.c, v5.2 to v5.5): what `hmm_range_fault()` has found is mapped for
 * DMA page by page, as long as the range is valid; if it is not, or a page cannot be mapped, all of it is undone.
 */
import { page, type Page } from '../../memory/address.ts'
import type { Table } from '../../memory/table.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../../walker/hmm.ts'
import type { Agenda, DmaPages, Rules } from '../agenda.ts'
import type { Failure } from '../failure.ts'
import { call } from '../offer.ts'

/** The next page that the array has; `hmm_device_entry_to_page()` gives none for other words. */
export function nextIn(array: Table, at: Page, end: Page): Page | undefined {
  for (let p = array.next(at, end); p < end; p = array.next(p + 1, end)) if ((array.get(p) & HMM_PFN_VALID) !== 0) return page(p)
  return undefined
}

const undone = ({ dma, start }: DmaPages, end: Page, failure: Failure): Agenda => [
  { do: 'hmm_range_dma_unmap', dma, at: start, end },
  { do: 'fail', failure },
]

export const hmmDmaRules = {
  // Of a range that has no page there is nothing to map.
  hmm_range_dma_map: (_, item, { ret }) => (ret === 0 ? { fail: 'EBUSY' } : { then: [{ ...item, do: 'hmm_dma_needs_retry' }] }),

  hmm_dma_needs_retry: (_, item, { array }) => {
    const at = nextIn(array, item.at, item.end)
    if (at === undefined) return { ret: item.mapped }
    return {
      calls: [item.stale],
      replied: ([stale]) => ({ then: stale === true ? undone(item, at, 'EBUSY') : [{ ...item, do: 'dma_map_page', at }] }),
    }
  },

  dma_map_page: (_, item, { array }) => {
    const { dma, at, mapped } = item
    const bidirectional = (array.get(at) & HMM_PFN_WRITE) !== 0
    return {
      calls: [call(dma, 'dma_map_page', { page: at, bidirectional })],
      replied: ([there]) => ({
        then: there === true ? [{ ...item, do: 'hmm_dma_needs_retry', at: page(at + 1), mapped: mapped + 1 }] : undone(item, at, 'EFAULT'),
      }),
    }
  },

  hmm_range_dma_unmap: (_, item, { array }) => {
    const at = nextIn(array, item.at, item.end)
    if (at === undefined) return {}
    return { calls: [call(item.dma, 'dma_unmap_page', { page: at })], then: [{ ...item, at: page(at + 1) }] }
  },
} satisfies Partial<Rules>
