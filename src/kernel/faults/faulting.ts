/** What all parts of a page fault share: its item, its area, and what new entries and pages begin with. */
import { ACCESSED, DIRTY, PROTNONE, SPECIAL, WRITE } from '../../memory/entry.ts'
import type { Pfn } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, stateWord } from '../../memory/frames.ts'
import { fileOf, mmOf, type FileKind, type Memory } from '../../memory/memory.ts'
import { has, isAccessible, isAnonymous, linearIndex, VM_SHARED, VM_WRITE, VM_WRITENOTIFY, vmaAt, type Vma } from '../../memory/vma.ts'
import type { At, Fault, FaultItem, Outcome } from '../agenda.ts'
import type { Profile } from '../profiles.ts'

/** The area that a fault strikes; whoever made the fault has looked it up under mmap_lock. */
export function faultingVma(memory: Memory, item: At): Vma {
  const vma = vmaAt(mmOf(memory, item.mm).vmas, item.page)
  if (vma === undefined) throw new Error(`page ${item.page} of ${item.mm} is in no area: a fault must look first`)
  return vma
}

/** Mappings that a driver has filled, with no operations of their own. */
const FILLED: ReadonlySet<FileKind> = new Set<FileKind>(['test_hmm', 'probe'])

/** `vma_is_anonymous()`, which asked for operations once: those of drivers that set none passed for anonymous memory. */
export const countsAsAnonymous = (memory: Memory, vma: Vma, { driverMapsAnonymous }: Profile): boolean =>
  isAnonymous(vma) || (driverMapsAnonymous && FILLED.has(fileOf(memory, vma.file).kind))

/** The fault goes on as another item. */
export const goesOn = (what: FaultItem['do'], fault: Fault): Outcome => ({ then: [{ do: what, ...faultOf(fault) }] })

/** Just the fault of something that has it. */
const faultOf = ({ mm, page, access, mayRetry }: Fault): Fault =>
  mayRetry === true ? { mm, page, access, mayRetry } : { mm, page, access }

/** The area needs an `anon_vma` first; then the fault is made again. */
export const prepared = (fault: Fault): Outcome => ({
  then: [
    { do: 'anon_vma_prepare', mm: fault.mm, page: fault.page },
    { do: 'handle_mm_fault', ...faultOf(fault) },
  ],
})

/** `vma->vm_page_prot`: what an entry of the area has from the start. Writes to private memory are to be noticed first. */
export const pageProt = (vma: Vma): number => ACCESSED | (isAccessible(vma) ? 0 : PROTNONE) | (mapsWritable(vma) ? WRITE : 0)
const mapsWritable = (vma: Vma): boolean => has(vma, VM_SHARED) && has(vma, VM_WRITE) && !has(vma, VM_WRITENOTIFY)

/** `pte_mkspecial()`: nothing, where entries have no bit for it. */
export const special = ({ pteSpecial }: Profile): number => (pteSpecial ? SPECIAL : 0)

/** `maybe_mkwrite(pte_mkdirty())`: by force a page may be written that its area forbids to write. */
export const written = (vma: Vma): number => DIRTY | (has(vma, VM_WRITE) ? WRITE : 0)

/** The state of a new anonymous page. */
export const anonState = (profile: Profile, flags = 0): string => stateWord('anon', (profile.tracksExclusive ? EXCLUSIVE : 0) | flags)

/** A new anonymous page, mapped once. */
export const newAnon = (vma: Vma, at: At, frame: Pfn, content: number, profile: Profile): Fact => [
  'alloc',
  frame,
  anonState(profile),
  1,
  1,
  content,
  vma.anonVma,
  linearIndex(vma, at.page),
]
