/**
 * Page faults (mm/memory.c): the CPU's, and those made on behalf of devices and of `get_user_pages()`. CPU faults take
 * mmap_lock for reading; the lock of one area, which newer kernels take instead, keeps out the same writers.
 */
import { PMD_PAGES, pmdStart } from '../../memory/address.ts'
import { ACCESSED, DIRTY, frameOf, isMigration, isPresent, isWritable, NONE, withFlags, type Entry } from '../../memory/entry.ts'
import { entries, pte, tablesTo, type Fact } from '../../memory/facts.ts'
import { fileOf, mmOf, type Memory } from '../../memory/memory.ts'
import { leafAt } from '../../memory/pagetable.ts'
import { has, isAccessible, isAnonymous, VM_HUGETLB, VM_WRITE, vmaAt } from '../../memory/vma.ts'
import { readLocked, type Fault, type FaultAccess, type Outcome, type Rules, type Scene } from '../agenda.ts'
import { doAnonymousPage } from './anon.ts'
import { doWpPage } from './cow.ts'
import { daxFault, triesHuge } from '../dax/dax.ts'
import { devDaxFault } from '../dax/devdax.ts'
import { countsAsAnonymous, faultingVma, goesOn } from './faulting.ts'
import { mayMapHuge } from './huge.ts'
import { doNumaPage } from '../areas/numa.ts'
import { doSwapPage } from './swap.ts'
import { freeAnonVma, neighbourAnonVma, vmasFact } from '../areas/vma.ts'

/** `__handle_mm_fault()`: upper tables are made whatever comes of the fault; 2 MiB entries come before small ones. */
function handle(memory: Memory, item: Fault, { profile }: Scene): Outcome {
  const vma = faultingVma(memory, item)
  const { mm, page: at, access } = item
  const kind = isAnonymous(vma) ? undefined : fileOf(memory, vma.file).kind
  if (kind === 'devdax') return devDaxFault(memory, item, vma, profile)
  const upper = tablesTo(memory, mm, at, 'pmd')
  if (upper.length > 0) return { facts: upper, ...goesOn('handle_mm_fault', item) }
  if (has(vma, VM_HUGETLB)) return { then: [{ do: 'hugetlb_fault', mm, page: at, access }] }
  const { level, index, entry } = leafAt(mmOf(memory, mm), at)
  if (level === 'pmd' && entry === NONE && mayMapHuge(memory, vma, at, profile)) return goesOn('do_huge_pmd_anonymous_page', item)
  if (level === 'pmd' && entry === NONE && kind === 'dax' && profile.thp && triesHuge(vma, profile)) return daxFault(item, 'pmd')
  if (level === 'pmd' && isPresent(entry)) {
    const hint = doNumaPage(memory, item, vma, profile)
    if (hint !== undefined) return hint
    if (access !== 'read' && !isWritable(entry))
      return kind === 'dax' ? { then: [{ do: 'wp_huge_pmd', mm, page: at, access }] } : goesOn('do_huge_pmd_wp_page', item)
    return touched([entries('pmd', mm, index, 1, marked(entry, access))], marked(entry, access) !== entry)
  }
  if (level === 'pmd' && entry !== NONE) return hugeAbsent(item, entry)
  return goesOn('handle_pte_fault', item)
}

/** `do_huge_pmd_device_private()`, or a wait for a large folio that is on its way. */
const hugeAbsent = (item: Fault, entry: Entry): Outcome =>
  isMigration(entry)
    ? { then: [{ do: 'folio_wait_locked', folio: frameOf(entry) }, ...(goesOn('handle_mm_fault', item).then ?? [])] }
    : { then: [{ do: 'dmirror_devmem_fault', mm: item.mm, page: pmdStart(item.page), folio: frameOf(entry), pages: PMD_PAGES }] }

/** `ptep_set_access_flags()`: on x86 only a write changes the entry; the CPU marks by itself what it reads. */
const marked = (entry: Entry, access: FaultAccess): Entry => (access === 'write' ? withFlags(entry, ACCESSED | DIRTY) : entry)
const touched = (facts: readonly Fact[], changed: boolean): Outcome => (changed ? { facts } : {})

function handlePte(memory: Memory, item: Fault, scene: Scene): Outcome {
  const vma = faultingVma(memory, item)
  const { mm, page: at, access } = item
  const { level, entry } = leafAt(mmOf(memory, mm), at)
  // Somebody else has mapped 2 MiB meanwhile.
  if (level !== 'pte' && isPresent(entry)) return {}
  if (entry === NONE)
    return countsAsAnonymous(memory, vma, scene.profile) ? doAnonymousPage(memory, item, vma, scene.profile) : goesOn('do_fault', item)
  if (!isPresent(entry)) return doSwapPage(memory, item, vma, entry, scene.profile)
  const hint = doNumaPage(memory, item, vma, scene.profile)
  if (hint !== undefined) return hint
  if (access !== 'read' && !isWritable(entry)) return doWpPage(memory, item, vma, scene.profile)
  return touched([pte(mm, at, marked(entry, access))], marked(entry, access) !== entry)
}

export const faultRules = {
  do_user_addr_fault: (_, { mm, page: at, access }) => ({ then: readLocked(mm, [{ do: 'fault_in_vma', mm, page: at, access }]) }),
  fault_in_vma: (memory, item) => {
    const vma = vmaAt(mmOf(memory, item.mm).vmas, item.page)
    if (vma === undefined) return { fail: 'SEGV_MAPERR' }
    const allowed = item.access === 'write' ? has(vma, VM_WRITE) : isAccessible(vma)
    return allowed ? goesOn('handle_mm_fault', item) : { fail: 'SEGV_ACCERR' }
  },

  handle_mm_fault: handle,
  handle_pte_fault: handlePte,

  anon_vma_prepare: (memory, item) => {
    const vma = faultingVma(memory, item)
    if (vma.anonVma !== 0) return {}
    const { vmas } = mmOf(memory, item.mm)
    const anonVma = neighbourAnonVma(vmas, vma) || freeAnonVma(memory.mms)
    return { facts: [vmasFact(memory, item.mm, vmas.with(vmas.indexOf(vma), { ...vma, anonVma, linked: [anonVma] }))] }
  },
} satisfies Partial<Rules>
