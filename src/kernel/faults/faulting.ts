/** What all parts of a page fault share: its item, its area, and what new entries and pages begin with. */
import { ACCESSED, DIRTY, PROTNONE, WRITE } from '../../memory/entry.ts'
import type { Pfn } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, stateWord } from '../../memory/frames.ts'
import { mmOf, type Memory } from '../../memory/memory.ts'
import { has, isAccessible, linearIndex, VM_SHARED, VM_WRITE, VM_WRITENOTIFY, vmaAt, type Vma } from '../../memory/vma.ts'
import type { At, Fault, FaultItem, Outcome } from '../agenda.ts'
import type { Profile } from '../profiles.ts'

/** The area that a fault strikes; whoever made the fault has looked it up under mmap_lock. */
export function faultingVma(memory: Memory, item: At): Vma {
  const vma = vmaAt(mmOf(memory, item.mm).vmas, item.page)
  if (vma === undefined) throw new Error(`page ${item.page} of ${item.mm} is in no area: a fault must look first`)
  return vma
}

/** The fault goes on as another item. */
export const goesOn = (what: FaultItem['do'], { mm, page, access }: Fault): Outcome => ({ then: [{ do: what, mm, page, access }] })

/** The area needs an `anon_vma` first; then the fault is made again. */
export const prepared = ({ mm, page, access }: Fault): Outcome => ({
  then: [
    { do: 'anon_vma_prepare', mm, page },
    { do: 'handle_mm_fault', mm, page, access },
  ],
})

/** `vma->vm_page_prot`: what an entry of the area has from the start. Writes to private memory are to be noticed first. */
export const pageProt = (vma: Vma): number => ACCESSED | (isAccessible(vma) ? 0 : PROTNONE) | (mapsWritable(vma) ? WRITE : 0)
const mapsWritable = (vma: Vma): boolean => has(vma, VM_SHARED) && has(vma, VM_WRITE) && !has(vma, VM_WRITENOTIFY)

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
