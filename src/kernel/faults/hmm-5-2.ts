/** `hmm_range_fault()` and `hmm_range_snapshot()` as they were in Linux 5.2: area by area, faulting until the walk gets through. */
import { NONE } from '../../memory/entry.ts'
import { walkArea } from '../../walker/hmm-5-2.ts'
import type { Catchers } from '../advance.ts'
import type { RangeFault, Rules } from '../agenda.ts'
import type { Failure } from '../failure.ts'
import type { Table } from '../../memory/table.ts'
import { FAULT_ERRNO } from './gup.ts'

/** `hmm_pfns_clear()`: what was not processed comes back as nothing. */
const cleared = (array: Table, { range, last }: RangeFault): Table => array.setRange(last, range.end - last, NONE, 0)
const RETRY: Readonly<Partial<Record<Failure, Failure>>> = { ...FAULT_ERRNO, VM_FAULT_RETRY: 'EAGAIN' }

export const hmmRules5_2 = {
  hmm_walk_area: (memory, item, { array: before, budget }) => {
    const { mm, range, stale } = item
    const { at, last, array, stop } = walkArea(memory, mm, range, { at: item.at, last: item.last, array: before, stop: null }, budget)
    if (stop === null) return { array, then: [{ ...item, at, last }], cut: true }
    switch (stop.why) {
      case 'area':
        return at < range.end
          ? { array, then: [{ do: 'hmm_range_fault', mm, range, last: at, stale }] }
          : { array, ret: last - range.start }
      case 'error':
        return { array, fail: stop.errno }
      case 'null vma':
        return { array, fail: 'oops: handle_mm_fault' }
      case 'fault':
        return {
          array,
          then: [
            { do: 'hmm_vma_fault', mm, at, end: stop.end, access: stop.write ? 'write' : 'read', mayRetry: true },
            { do: 'hmm_range_again', mm, range, last, stale },
          ],
        }
    }
  },

  // Pages were faulted in: the area is walked again from the first of them, while the range is valid.
  hmm_range_again: (_, item, { array }) => {
    const { mm, range, last, stale } = item
    return {
      calls: [stale],
      replied: ([invalid]) =>
        invalid === true
          ? { array: cleared(array, item), fail: 'EBUSY' }
          : { then: [{ do: 'hmm_walk_area', mm, range, last, stale, at: last }] },
    }
  },
} satisfies Partial<Rules>

export const hmmCatchers5_2 = {
  hmm_range_again: (item, failure, array) => ({ array: cleared(array, item), fail: RETRY[failure] ?? failure }),
} satisfies Catchers
