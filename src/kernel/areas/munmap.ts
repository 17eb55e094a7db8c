/** `munmap()`, and areas being cut (mm/mmap.c, mm/vma.c). */
import { mmOf } from '../../memory/memory.ts'
import { vmasIn } from '../../memory/vma.ts'
import { section, writeLocked, type Rules } from '../agenda.ts'
import { closed, unmapSingleVma } from '../hugetlb/hugetlb-vma.ts'
import { zapDrain } from '../pages/lru-batch.ts'
import { cutHuge, maySplit, splitAt, vmasFact } from './vma.ts'

export const munmapRules = {
  munmap: (_, { mm, start, end }) => ({ then: writeLocked(mm, [{ do: 'do_munmap', mm, start, end, downgrade: true }]) }),
  do_munmap: (memory, { mm, start, end, downgrade }) => {
    if (vmasIn(mmOf(memory, mm).vmas, start, end).length === 0) return {}
    return {
      then: [
        { do: 'split_vma', mm, page: start },
        { do: 'split_vma', mm, page: end },
        { do: 'detach_vmas', mm, start, end, downgrade },
      ],
    }
  },
  split_vma: (memory, { mm, page: at }) => {
    const as = mmOf(memory, mm)
    const { vmas, cuts } = splitAt(as.vmas, at)
    if (cuts.length === 0) return {}
    if (cuts.some(cut => !maySplit(memory, cut))) return { fail: 'EINVAL' }
    return { then: [...cuts.flatMap(cut => cutHuge(mm, as, cut)), { do: 'vma_set', mm, facts: [vmasFact(memory, mm, vmas)] }] }
  },
  vma_set: (_, { facts }) => ({ facts }),

  // What is detached cannot be faulted any more, so the rest may go on with readers let in. One notifier section with
  // the bounds that were asked for, gaps included.
  detach_vmas: (memory, { mm, start, end, downgrade }, { profile }) => {
    const { vmas } = mmOf(memory, mm)
    const gone = vmasIn(vmas, start, end)
    const [first, last] = [gone[0], gone.at(-1)]
    if (first === undefined || last === undefined) return {}
    const left = vmas.filter(v => !gone.includes(v))
    return {
      facts: [vmasFact(memory, mm, left)],
      then: [
        ...(downgrade ? [{ do: 'mmap_write_downgrade', mm } as const] : []),
        ...zapDrain(profile),
        ...section(
          { mm, event: 'UNMAP', start, end },
          gone.flatMap(v => unmapSingleVma(mm, v, v.start, v.end, profile)),
        ),
        { do: 'free_pgtables', mm, start: first.start, end: last.end },
        ...closed(gone),
        ...[...new Set(gone.map(v => v.file))].filter(file => file !== '').map(file => ({ do: 'fput', file }) as const),
      ],
    }
  },
} satisfies Partial<Rules>
