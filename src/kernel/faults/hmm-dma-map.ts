/**
 * `hmm_dma_map_pfn()` as a driver uses it (mm/hmm.c, v6.16): the walk goes over the array that the driver keeps, whose flags say
 * which pages are mapped for DMA already; under the driver lock, while the range is valid, each page that it found is mapped.
 */
import { page } from '../../memory/address.ts'
import type { Table } from '../../memory/table.ts'
import { HMM_PFN_DMA_MAPPED } from '../../walker/hmm.ts'
import type { Rules } from '../agenda.ts'
import type { DmaMapAnswer } from '../dma-map.ts'
import { call } from '../offer.ts'
import { nextIn } from './hmm-dma.ts'

export const hmmDmaMapRules = {
  // Read after the sequence: what an invalidation unmaps later than that, makes the range stale.
  hmm_dma_pfn_list: (_, { device }) => ({ calls: [call(device, 'pfn_list')], replied: ([pfns]) => ({ array: pfns as Table }) }),

  // Those that were mapped before one cannot be stay mapped.
  hmm_dma_map_pfn: (_, item, { array }) => {
    const { device, end, mapped } = item
    const at = nextIn(array, item.at, end)
    if (at === undefined) return { ret: mapped }
    const word = array.get(at)
    return {
      calls: [call(device, 'hmm_dma_map_pfn', { page: at, word })],
      replied: ([reply]) => {
        const answer = reply as DmaMapAnswer
        if (answer === 'DMA_MAPPING_ERROR') return { fail: 'EFAULT' }
        const noted = array.set(at, word | HMM_PFN_DMA_MAPPED)
        const anew = answer === 'mapped' ? mapped + 1 : mapped
        const next = nextIn(array, page(at + 1), end)
        return next === undefined ? { array: noted, ret: anew } : { array: noted, then: [{ ...item, at: next, mapped: anew }] }
      },
    }
  },
} satisfies Partial<Rules>
