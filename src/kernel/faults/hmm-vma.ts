/**
 * `hmm_vma_get_pfns()` and `hmm_vma_fault()` (mm/hmm.c up to v4.16): what they ask of the area, the walk, and the faults that
 * it asks for. The range is registered before the walk, and stays so until `hmm_vma_range_done()`.
 */
import { mmOf } from '../../memory/memory.ts'
import { findVma, has, VM_HUGETLB, VM_SPECIAL } from '../../memory/vma.ts'
import { HMM_PFN_SPECIAL } from '../../walker/hmm-5-2.ts'
import { walkVma, type VmaRange } from '../../walker/hmm-vma.ts'
import type { Catchers } from '../advance.ts'
import type { Rules } from '../agenda.ts'
import type { Failure } from '../failure.ts'
import { hmmOf } from '../names.ts'
import { call } from '../offer.ts'
import { invalidatedPfns, type Cleared } from '../range.ts'
import { FAULT_ERRNO } from './gup.ts'

const RETRY: Readonly<Partial<Record<Failure, Failure>>> = { ...FAULT_ERRNO, VM_FAULT_RETRY: 'EBUSY' }

export const hmmVmaRules = {
  // The driver looks up the area itself, and there always is one: behind all others lie those of the kernel ([vvar]), which
  // are special. One that is special is no error for who faults, but of no use either.
  hmm_vma_range: (memory, { mm, range: asked, who }, { array, profile }) => {
    const range: VmaRange = profile.faultsForDevices ? asked : { ...asked, fault: null }
    const { start, end, fault } = range
    const vma = findVma(mmOf(memory, mm).vmas, start)
    const special = vma === undefined || has(vma, VM_SPECIAL | VM_HUGETLB)
    const filled = special ? array.setRange(start, end - start, HMM_PFN_SPECIAL, 0) : array
    if (special && fault === null) return { array: filled, fail: 'EINVAL' }
    if (vma === undefined || start < vma.start || end > vma.end) return { fail: 'EINVAL' }
    return {
      calls: [call(hmmOf(mm), 'hmm_range_add', { who, start, end })],
      array: filled,
      then: special ? [] : [{ do: 'hmm_vma_walk', mm, range, who, last: start }],
    }
  },

  // What was invalidated meanwhile has been cleared behind the walk's back.
  hmm_vma_walk: (_, item, { array }) => ({
    calls: [call(hmmOf(item.mm), 'hmm_pfns_cleared', { who: item.who })],
    replied: ([cleared]) => ({
      array: invalidatedPfns(array, cleared as Cleared),
      then: [{ ...item, do: 'hmm_vma_walk_range' }],
    }),
  }),

  hmm_vma_walk_range: (memory, item, { array, budget }) => {
    const { mm, range, who } = item
    const walked = walkVma(memory, mm, range, { last: item.last, array, stop: null }, budget)
    const { last, stop } = walked
    const again = { do: 'hmm_vma_walk', mm, range, who, last } as const
    if (stop === null) {
      return last < range.end ? { array: walked.array, then: [{ ...item, last }], cut: true } : { array: walked.array }
    }
    if (stop.why === 'migration') return { array: walked.array, then: [{ do: 'folio_wait_locked', folio: stop.frame }, again] }
    return {
      array: walked.array,
      then: [
        { do: 'hmm_vma_fault', mm, at: stop.start, end: stop.end, access: range.fault ?? 'read', mayRetry: true },
        { do: 'as_errno', of: RETRY },
        { do: 'hmm_pfns_clear', mm, start: last, end: range.end, who },
        again,
      ],
    }
  },

  hmm_pfns_clear: () => ({}),
  hmm_vma_range_done: (_, { mm, who }) => ({ calls: [call(hmmOf(mm), 'hmm_vma_range_done', { who })] }),
} satisfies Partial<Rules>

export const hmmVmaCatchers = {
  // From the part that could not be faulted on, the array is empty, and the range is given up.
  hmm_pfns_clear: ({ mm, start, end, who }, failure, array) => ({
    array: array.setRange(start, end - start, 0, 0),
    then: [{ do: 'hmm_vma_range_done', mm, who }],
    fail: failure,
  }),
} satisfies Catchers
