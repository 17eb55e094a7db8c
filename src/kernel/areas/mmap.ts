/** `mmap()` (mm/mmap.c). */
import { isPmdAligned, page, PMD_PAGES, type Page } from '../../memory/address.ts'
import { type Fact } from '../../memory/facts.ts'
import { fileOf, mmOf, PAGE_SIZE, type FileName, type Memory } from '../../memory/memory.ts'
import {
  has,
  HPAGE_RESV_OWNER,
  partOf,
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_HUGEPAGE,
  VM_HUGETLB,
  VM_IO,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  VM_WRITENOTIFY,
  vmasIn,
  type Vma,
} from '../../memory/vma.ts'
import { section, writeLocked, type Item, type Outcome, type Prot, type Rules } from '../agenda.ts'
import { suitsDevdax } from '../dax/devdax.ts'
import type { Failure } from '../failure.ts'
import { reserved } from '../hugetlb/hugetlb-pool.ts'
import type { Profile } from '../profiles.ts'
import { fill, PROBE_PFNMAP, PROBE_REGISTERS, PROBE_SPECIAL } from './driver-mmap.ts'
import { insertVma, vmasFact } from './vma.ts'

const MAY = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC

export const rightsOf = (prot: Prot): number =>
  (prot.includes('r') ? VM_READ : 0) | (prot.includes('w') ? VM_WRITE : 0) | (prot.includes('x') ? VM_EXEC : 0)

/** Shared anonymous memory, and 2 MiB pages of the pool, are files of their own; they take the lowest free number. */
function freeFileName(memory: Memory, kind: 'shmem' | 'hugetlb'): FileName {
  for (let i = 0; ; i++) if (memory.files[`${kind}${i}`] === undefined) return `${kind}${i}`
}

/** What is mapped: the file, made if it has to be, the offset in it, and the flags that the mapping has by its kind. */
interface Mapped {
  readonly file: FileName
  readonly pgoff: number
  readonly flags: number
  readonly made: readonly Fact[]
}

function mappedBy(memory: Memory, { of, start, end, shared }: Item<'mmap_region'>, profile: Profile): Mapped | Failure {
  if (of === 'hugetlb') {
    const file = freeFileName(memory, 'hugetlb')
    const promised = reserved(memory, file, (end - start) / PMD_PAGES)
    if (promised === undefined) return 'ENOMEM'
    const made: Fact = ['file', file, { kind: 'hugetlb', size: (end - start) * PAGE_SIZE, mirror: null }]
    const owns = shared ? 0 : HPAGE_RESV_OWNER
    return { file, pgoff: 0, flags: VM_HUGETLB | VM_DONTEXPAND | owns, made: [made, ...promised] }
  }
  if (of === 'anon') {
    if (!shared) return { file: '', pgoff: start, flags: 0, made: [] }
    const file = freeFileName(memory, 'shmem')
    return { file, pgoff: 0, flags: 0, made: [['file', file, { kind: 'shmem', size: (end - start) * PAGE_SIZE, mirror: null }]] }
  }
  const { file, pgoff } = of
  const plain = { file, pgoff, made: [] }
  const dax = VM_HUGEPAGE | (profile.daxMapsMixed ? VM_MIXEDMAP : 0)
  switch (fileOf(memory, file).kind) {
    case 'shmem':
    case 'memfd':
    case 'hugetlb':
    case 'test_hmm':
      return { ...plain, flags: 0 }
    case 'ext4':
      return { ...plain, flags: shared ? VM_WRITENOTIFY : 0 }
    case 'dax':
      return { ...plain, flags: dax | (shared ? VM_WRITENOTIFY : 0) }
    case 'devdax':
      return { ...plain, flags: dax }
    case 'probe':
      return {
        ...plain,
        pgoff: 0,
        flags:
          pgoff === PROBE_SPECIAL || pgoff === PROBE_REGISTERS
            ? VM_MIXEDMAP
            : pgoff === PROBE_PFNMAP
              ? VM_IO | VM_PFNMAP | VM_DONTEXPAND
              : 0,
      }
  }
}

function mapRegion(memory: Memory, item: Item<'mmap_region'>, profile: Profile): Outcome {
  const { mm, prot, shared, of } = item
  const start = item.start
  // The length of 2 MiB pages is rounded up.
  const end = of === 'hugetlb' ? page(start + Math.ceil((item.end - start) / PMD_PAGES) * PMD_PAGES) : item.end
  const { vmas } = mmOf(memory, mm)
  if (of === 'hugetlb' && !isPmdAligned(start)) return { fail: 'EINVAL' }
  // MAP_FIXED_NOREPLACE: where something is mapped already, nothing is done.
  if (vmasIn(vmas, start, end).length > 0) return { fail: 'EEXIST' }
  const by = mappedBy(memory, { ...item, end }, profile)
  // Who is mapped refuses it only when the area is there, which is then taken away again.
  if (typeof by === 'string') return { then: [...section({ mm, event: 'UNMAP', start, end }, []), { do: 'fail', failure: by }] }
  const accounted = !shared && prot.includes('w') && of !== 'hugetlb' ? VM_ACCOUNT : 0
  const flags = rightsOf(prot) | MAY | (shared ? VM_SHARED | VM_MAYSHARE : 0) | accounted | by.flags
  const vma: Vma = { start, end, flags, pgoff: by.pgoff, anonVma: 0, linked: [], order: 0, anonOrder: 0, file: by.file }
  // The device looks at the area, and refuses it: what could be mapped there by now is unmapped.
  if (typeof of === 'object' && fileOf(memory, of.file).kind === 'devdax' && !suitsDevdax(vma))
    return { then: [...section({ mm, event: 'UNMAP', start, end }, []), { do: 'fail', failure: 'EINVAL' }] }
  const fills = of !== 'anon' && of !== 'hugetlb' && /^(test_hmm|probe)$/.test(fileOf(memory, of.file).kind)
  return {
    facts: [...by.made, vmasFact(memory, mm, insertVma(vmas, vma, profile.mmapMergePrefers))],
    then: fills ? [{ do: 'call_mmap', mm, start, end, pgoff: of.pgoff, ...(item.fails === undefined ? {} : { fails: item.fails }) }] : [],
  }
}

export const mmapRules = {
  mmap: (_, { do: _do, ...item }, { profile }) =>
    item.of === 'hugetlb' && !profile.hugetlb ? { fail: 'EINVAL' } : { then: writeLocked(item.mm, [{ do: 'mmap_region', ...item }]) },
  mmap_region: (memory, item, { profile }) => mapRegion(memory, item, profile),
  call_mmap: (memory, item, { profile }) => fill(memory, item, profile),
} satisfies Partial<Rules>

/** Pages [start, end) of an area that are inside it. */
export const clipped = (vma: Vma, start: Page, end: Page): Vma =>
  partOf(vma, page(Math.max(start, vma.start)), page(Math.min(end, vma.end)))

/** Areas of drivers that must not grow. */
export const mayGrow = (vma: Vma): boolean => !has(vma, VM_DONTEXPAND | VM_PFNMAP)
