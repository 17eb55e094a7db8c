/**
 * The OOM reaper (mm/oom_kill.c): takes away private memory of a process that is to die, without waiting for anybody. What a notifier
 * declines it leaves for another time, and says so. It tries to take mmap_lock, and comes back later if it cannot: here it waits.
 */
import { page } from '../../memory/address.ts'
import { mmOf } from '../../memory/memory.ts'
import { has, isAnonymous, VM_HUGETLB, VM_PFNMAP, VM_SHARED, type Vma } from '../../memory/vma.ts'
import type { Catchers } from '../advance.ts'
import { readLocked, type Rules } from '../agenda.ts'

const isReaped = (vma: Vma): boolean => !has(vma, VM_HUGETLB | VM_PFNMAP) && (isAnonymous(vma) || !has(vma, VM_SHARED))

export const oomRules = {
  oom_reap_task_mm: (_, { mm }) => ({ then: readLocked(mm, [{ do: 'oom_reap_vmas', mm, at: page(0), failed: false }]) }),
  oom_reap_vmas: (memory, item) => {
    const { mm, at, failed } = item
    const vma = mmOf(memory, mm).vmas.find(area => area.start >= at && isReaped(area))
    if (vma === undefined) return failed ? { fail: 'EAGAIN' } : {}
    const { start, end } = vma
    return {
      then: [
        {
          do: 'invalidate_range_start',
          range: { mm, event: 'UNMAP', start, end, blockable: false, owner: null },
          body: [{ do: 'unmap_page_range', mm, at: start, end }],
          open: false,
        },
        { ...item, at: end },
      ],
    }
  },
} satisfies Partial<Rules>

export const oomCatchers = {
  oom_reap_vmas: (item, failure) => (failure === 'EAGAIN' ? { then: [{ ...item, failed: true }] } : { fail: failure }),
} satisfies Catchers
