/** `mmap()` and `munmap()` of anonymous memory (mm/mmap.c, mm/vma.c). */
import { cached, type Fact } from '../memory/facts.ts'
import { frameOf, isPresent, NONE, slotOf } from '../memory/entry.ts'
import { page, type Page } from '../memory/address.ts'
import { fileOf, mmOf, type FileName, type Memory } from '../memory/memory.ts'
import {
  partOf,
  VM_ACCOUNT,
  VM_EXEC,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  vmasIn,
  type Vma,
} from '../memory/vma.ts'
import { section, writeLocked, type Prot, type Rules } from './agenda.ts'
import { cutHuge, insertVma, splitAt, vmasFact } from './vma.ts'

const MAY = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC

export const rightsOf = (prot: Prot): number =>
  (prot.includes('r') ? VM_READ : 0) | (prot.includes('w') ? VM_WRITE : 0) | (prot.includes('x') ? VM_EXEC : 0)

/** Shared anonymous memory is a file of its own, of the size it was mapped with; it takes the lowest free number. */
function freeFileName(memory: Memory): FileName {
  for (let i = 0; ; i++) if (memory.files[`shmem${i}`] === undefined) return `shmem${i}`
}

/** A file goes with its last mapping: cached pages and swap slots are given back. */
function forget(memory: Memory, name: FileName): readonly Fact[] {
  const facts: Fact[] = []
  for (const [index, count] of fileOf(memory, name).cache.runs()) {
    for (let i = index; i < index + count; i++) {
      const entry = fileOf(memory, name).cache.get(i)
      facts.push(cached(name, i, NONE), isPresent(entry) ? ['refs', frameOf(entry), 1, -1] : ['swap-refs', slotOf(entry), -1])
    }
  }
  return [...facts, ['file', name, null]]
}

const isMapped = (memory: Memory, file: FileName): boolean => Object.values(memory.mms).some(mm => mm.vmas.some(v => v.file === file))

export const mmapRules = {
  mmap: (_, { mm, start, end, prot, shared }) => ({ then: writeLocked(mm, [{ do: 'mmap_region', mm, start, end, prot, shared }]) }),
  // MAP_FIXED_NOREPLACE: where something is mapped already, nothing is done.
  mmap_region: (memory, { mm, start, end, prot, shared }, { profile }) => {
    const { vmas } = mmOf(memory, mm)
    if (vmasIn(vmas, start, end).length > 0) return { fail: 'EEXIST' }
    const flags = rightsOf(prot) | MAY | (shared ? VM_SHARED | VM_MAYSHARE : prot.includes('w') ? VM_ACCOUNT : 0)
    const file = shared ? freeFileName(memory) : ''
    const vma: Vma = { start, end, flags, pgoff: shared ? 0 : start, anonVma: 0, file }
    const made: readonly Fact[] = shared ? [['file', file, { kind: 'shmem', pages: end - start }]] : []
    return { facts: [...made, vmasFact(mm, vmas, insertVma(vmas, vma, profile.mmapMergePrefers))] }
  },

  munmap: (_, { mm, start, end }) => ({ then: writeLocked(mm, [{ do: 'do_munmap', mm, start, end, downgrade: true }]) }),
  do_munmap: (memory, { mm, start, end, downgrade }) =>
    vmasIn(mmOf(memory, mm).vmas, start, end).length === 0
      ? {}
      : {
          then: [
            { do: 'split_vma', mm, page: start },
            { do: 'split_vma', mm, page: end },
            { do: 'detach_vmas', mm, start, end, downgrade },
          ],
        },
  split_vma: (memory, { mm, page: at }) => {
    const as = mmOf(memory, mm)
    const { vmas, cuts } = splitAt(as.vmas, at)
    if (cuts.length === 0) return {}
    return { then: [...cuts.flatMap(cut => cutHuge(mm, as, cut)), { do: 'vma_set', mm, facts: [vmasFact(mm, as.vmas, vmas)] }] }
  },
  vma_set: (_, { facts }) => ({ facts }),

  // What is detached cannot be faulted any more, so the rest may go on with readers let in. One notifier section with
  // the bounds that were asked for, gaps included.
  detach_vmas: (memory, { mm, start, end, downgrade }) => {
    const { vmas } = mmOf(memory, mm)
    const gone = vmasIn(vmas, start, end)
    const [first, last] = [gone[0], gone.at(-1)]
    if (first === undefined || last === undefined) return {}
    return {
      facts: [
        vmasFact(
          mm,
          vmas,
          vmas.filter(v => !gone.includes(v)),
        ),
      ],
      then: [
        ...(downgrade ? [{ do: 'mmap_write_downgrade', mm } as const] : []),
        ...section(
          { mm, event: 'UNMAP', start, end },
          gone.map(v => ({ do: 'unmap_page_range', mm, at: v.start, end: v.end })),
        ),
        { do: 'free_pgtables', mm, start: first.start, end: last.end },
        ...[...new Set(gone.map(v => v.file))].filter(file => file !== '').map(file => ({ do: 'fput', file }) as const),
      ],
    }
  },
  fput: (memory, { file }) => (isMapped(memory, file) ? {} : { facts: forget(memory, file) }),
} satisfies Partial<Rules>

/** Pages [start, end) of an area that are inside it. */
export const clipped = (vma: Vma, start: Page, end: Page): Vma =>
  partOf(vma, page(Math.max(start, vma.start)), page(Math.min(end, vma.end)))
