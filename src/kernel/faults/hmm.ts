/** `hmm_range_fault()` (mm/hmm.c): the walk, the CPU faults that it asks for, and the question whether it still counts. */
import { page, pfn } from '../../memory/address.ts'
import { walk } from '../../walker/hmm.ts'
import type { Item, RangeFault, Rules } from '../agenda.ts'
import type { Profile } from '../profiles.ts'
import { FAULT_ERRNO } from './gup.ts'

const areaWalk = (item: RangeFault, { walksTwice }: Profile): Item<'hmm_walk_area'> => ({
  ...item,
  do: 'hmm_walk_area',
  at: item.last,
  ...(walksTwice ? { again: item.last } : {}),
})

/** All frames: whoever asks is taken for the owner of any device's private memory. */
const ANYBODYS = { first: pfn(0), end: pfn(Number.MAX_SAFE_INTEGER) }

export const hmmRules = {
  // Asked before each walk, before v5.5 before that of each area: once the range was invalidated, what the array holds is worth nothing.
  hmm_range_fault: (_, item, { profile }) => ({
    calls: [item.stale],
    replied: ([stale]) =>
      stale === true
        ? { fail: profile.invalidRange }
        : {
            then: [profile.walksAreaByArea ? areaWalk(item, profile) : { ...item, do: 'walk_page_range' }],
          },
  }),

  walk_page_range: (memory, item, { array, budget, profile }) => {
    const { mm, range } = item
    const asked = profile.bugs.includes('foreignPrivateAccepted') ? { ...range, owned: ANYBODYS } : range
    const walked = walk(memory, mm, asked, { last: item.last, array, stop: null }, budget, profile)
    const { last, stop } = walked
    if (stop === null) {
      return last < range.end
        ? { array: walked.array, then: [{ do: 'walk_page_range', mm, range, last, stale: item.stale }], cut: true }
        : { array: walked.array, ret: 0 }
    }
    if (stop.why === 'error') return { array: walked.array, fail: stop.errno }
    if (stop.why === 'migration') {
      return {
        array: walked.array,
        then: [
          { do: 'folio_wait_locked', folio: stop.frame },
          { do: 'hmm_range_fault', mm, range, last, stale: item.stale },
        ],
      }
    }
    return {
      array: walked.array,
      then: [
        { do: 'hmm_vma_fault', mm, at: last, end: stop.end, access: stop.write ? 'write' : 'read' },
        { do: 'as_errno', of: FAULT_ERRNO },
        { do: 'hmm_range_fault', mm, range, last, stale: item.stale },
      ],
    }
  },

  hmm_vma_fault: (_, item) => {
    const { mm, at, end, access, mayRetry } = item
    const more = at + 1 < end ? [{ ...item, at: page(at + 1) }] : []
    return { then: [{ do: 'handle_mm_fault', mm, page: at, access, ...(mayRetry === true ? { mayRetry } : {}) }, ...more] }
  },
} satisfies Partial<Rules>
