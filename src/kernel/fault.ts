/**
 * The CPU's page fault (mm/memory.c), also made on behalf of devices and of `get_user_pages()`. CPU faults take mmap_lock
 * for reading; the lock of one area, which newer kernels take instead, keeps out the same writers.
 */
import type { Pfn } from '../memory/address.ts'
import {
  ACCESSED,
  DIRTY,
  frameOf,
  isPresent,
  isSwap,
  isWritable,
  NONE,
  present,
  PROTNONE,
  slotOf,
  SPECIAL,
  withFlags,
  WRITE,
} from '../memory/entry.ts'
import { pte, tablesTo, type Fact } from '../memory/facts.ts'
import { EXCLUSIVE, frameFlags, frameKind, stateWord } from '../memory/frames.ts'
import { mmOf, ZERO_PFN, type Memory } from '../memory/memory.ts'
import { has, isAccessible, isAnonymous, VM_SHARED, VM_WRITE, vmaAt, type Vma } from '../memory/vma.ts'
import { readLocked, section, type Item, type Outcome, type Rules } from './agenda.ts'
import type { Profile } from './profiles.ts'
import { freeAnonVma, neighbourAnonVma, vmasFact } from './vma.ts'
import { dirtied, unmapped } from './zap.ts'

/** `vma->vm_page_prot`: what an entry of the area has from the start. Writes to private memory are to be noticed first. */
export const pageProt = (vma: Vma): number =>
  ACCESSED | (isAccessible(vma) ? 0 : PROTNONE) | (has(vma, VM_SHARED) && has(vma, VM_WRITE) ? WRITE : 0)

/** `maybe_mkwrite(pte_mkdirty())`: by force a page may be written that its area forbids to write. */
export const written = (vma: Vma): number => DIRTY | (has(vma, VM_WRITE) ? WRITE : 0)

/** A new anonymous page, mapped once. */
export const newAnon = (frame: Pfn, content: number, profile: Profile): Fact => [
  'alloc',
  frame,
  stateWord('anon', profile.tracksExclusive ? EXCLUSIVE : 0),
  1,
  1,
  content,
]

/** The area that a fault strikes; whoever made the fault has looked it up under mmap_lock. */
export function faultingVma(memory: Memory, item: { readonly mm: string; readonly page: Parameters<typeof vmaAt>[1] }): Vma {
  const vma = vmaAt(mmOf(memory, item.mm).vmas, item.page)
  if (vma === undefined) throw new Error(`page ${item.page} of ${item.mm} is in no area: a fault must look first`)
  return vma
}

type Fault = Item<'handle_mm_fault'>

/** `do_anonymous_page()` */
function doAnonymousPage(memory: Memory, item: Fault, vma: Vma, profile: Profile): Outcome {
  const { mm, page, access } = item
  const tables = tablesTo(memory, mm, page, 'pte')
  if (access !== 'write') return { facts: [...tables, pte(mm, page, present(pageProt(vma) | SPECIAL, ZERO_PFN))] }
  if (vma.anonVma === 0) return { then: [{ do: 'anon_vma_prepare', mm, page }, item] }
  const frame = memory.frames.free
  const flags = has(vma, VM_WRITE) ? written(vma) : 0
  return { facts: [...tables, newAnon(frame, 0, profile), pte(mm, page, present(pageProt(vma) | flags, frame))] }
}

/** `do_swap_page()`, for a slot that one entry leads to: the page that comes in is exclusive. */
function doSwapPage(memory: Memory, { mm, page, access }: Fault, vma: Vma, profile: Profile): Outcome {
  const slot = slotOf(mmOf(memory, mm).pte.get(page))
  const frame = memory.frames.free
  const flags = access === 'write' ? written(vma) : profile.swapInRestoresWrite && has(vma, VM_WRITE) ? WRITE : 0
  return {
    facts: [
      newAnon(frame, memory.swap.content.get(slot), profile),
      ['swap-refs', slot, -1],
      pte(mm, page, present(pageProt(vma) | flags, frame)),
    ],
  }
}

/** May a write use the page itself? Nobody else has it, or has it any more. */
function canReuse(memory: Memory, frame: Pfn, profile: Profile): boolean {
  const { frames } = memory
  if (frameKind(frames, frame) !== 'anon') return false
  if (!profile.tracksExclusive) return frames.maps.get(frame) === 1
  return (frameFlags(frames, frame) & EXCLUSIVE) !== 0 || frames.refs.get(frame) === 1
}

/** `do_wp_page()`: a write to a page that is mapped read-only. */
function doWpPage(memory: Memory, item: Fault, vma: Vma, profile: Profile): Outcome {
  const { mm, page, access } = item
  const old = mmOf(memory, mm).pte.get(page)
  const frame = frameOf(old)
  const reused = [pte(mm, page, withFlags(old, ACCESSED | written(vma)))]
  if (has(vma, VM_SHARED)) return { facts: [...reused, ...dirtied(memory, frame)] }
  if ((old & SPECIAL) === 0 && canReuse(memory, frame, profile)) {
    const flags = frameFlags(memory.frames, frame)
    const owned: readonly Fact[] =
      profile.tracksExclusive && (flags & EXCLUSIVE) === 0 ? [['state', frame, stateWord('anon', flags | EXCLUSIVE)]] : []
    const facts = access === 'unshare' ? owned : [...owned, ...reused]
    return facts.length === 0 ? {} : { facts }
  }
  if (vma.anonVma === 0) return { then: [{ do: 'anon_vma_prepare', mm, page }, item] }
  const copy = { do: 'wp_page_copy', mm, page, access, old: withFlags(old, 0) } as const
  return { then: section({ mm, event: 'CLEAR', start: page, end: endOf(page) }, [copy]) }
}

const endOf = <P extends number>(page: P): P => (page + 1) as P

/** An entry that is there already: the fault only marks it. */
function spurious(memory: Memory, { mm, page, access }: Fault): Outcome {
  const entry = mmOf(memory, mm).pte.get(page)
  const marked = withFlags(entry, ACCESSED | (access === 'write' ? DIRTY : 0))
  return marked === entry ? {} : { facts: [pte(mm, page, marked)] }
}

export const faultRules = {
  do_user_addr_fault: (_, { mm, page, access }) => ({ then: readLocked(mm, [{ do: 'fault_in_vma', mm, page, access }]) }),
  fault_in_vma: (memory, { mm, page, access }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, page)
    if (vma === undefined) return { fail: 'SEGV_MAPERR' }
    const allowed = access === 'write' ? has(vma, VM_WRITE) : isAccessible(vma)
    return allowed ? { then: [{ do: 'handle_mm_fault', mm, page, access }] } : { fail: 'SEGV_ACCERR' }
  },

  handle_mm_fault: (memory, item, { profile }) => {
    const vma = faultingVma(memory, item)
    const entry = mmOf(memory, item.mm).pte.get(item.page)
    if (entry === NONE) return isAnonymous(vma) ? doAnonymousPage(memory, item, vma, profile) : { then: [{ ...item, do: 'shmem_fault' }] }
    if (isSwap(entry)) return doSwapPage(memory, item, vma, profile)
    if (!isPresent(entry)) throw new Error(`entry ${entry} of page ${item.page} is of a kind that nothing makes yet`)
    return item.access !== 'read' && !isWritable(entry) ? doWpPage(memory, item, vma, profile) : spurious(memory, item)
  },

  anon_vma_prepare: (memory, item) => {
    const vma = faultingVma(memory, item)
    if (vma.anonVma !== 0) return {}
    const { vmas } = mmOf(memory, item.mm)
    const prepared = { ...vma, anonVma: neighbourAnonVma(vmas, vma) || freeAnonVma(memory.mms) }
    return { facts: [vmasFact(item.mm, vmas, vmas.with(vmas.indexOf(vma), prepared))] }
  },

  // The section was opened for an entry that may have changed since: then the fault is made again, if it still must be.
  wp_page_copy: (memory, item, { profile }) => {
    const { mm, page, access, old } = item
    if (mmOf(memory, mm).pte.get(page) !== old) return {}
    const vma = faultingVma(memory, item)
    const frame = memory.frames.free
    const special = (old & SPECIAL) !== 0
    const flags = pageProt(vma) | (access === 'unshare' ? 0 : written(vma))
    return {
      facts: [
        newAnon(frame, special ? 0 : memory.frames.content.get(frameOf(old)), profile),
        pte(mm, page, present(flags, frame)),
        ...(special ? [] : unmapped([frameOf(old)])),
      ],
    }
  },
} satisfies Partial<Rules>
