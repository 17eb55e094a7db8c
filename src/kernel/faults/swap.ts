/** Entries that are not present, and what a fault makes of them: `do_swap_page()` (mm/memory.c). */
import { type Pfn, type Slot } from '../../memory/address.ts'
import { frameOf, isMigration, kindOf, present, slotOf, WRITE, type Entry } from '../../memory/entry.ts'
import { pte, type Fact } from '../../memory/facts.ts'
import { ACTIVE, headOf, stateWord } from '../../memory/frames.ts'
import type { Memory } from '../../memory/memory.ts'
import { has, linearIndex, VM_LOCKED, VM_WRITE, type Vma } from '../../memory/vma.ts'
import { type Fault, type Outcome } from '../agenda.ts'
import { isExclusiveEntry } from '../test-hmm/exclusive-entry.ts'
import { anonState, goesOn, newAnon, pageProt, prepared, written } from './faulting.ts'
import { LRU_ADD_DRAIN, mlocked } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { uncached } from './swapcache.ts'

/** What a page that comes in is mapped with: writable at once if the write is what brings it in, and in newer kernels where it may be. */
const broughtIn = (vma: Vma, access: Fault['access'], profile: Profile): number =>
  access === 'write' ? written(vma) : profile.swapInRestoresWrite && has(vma, VM_WRITE) ? WRITE : 0

/** A slot that one entry leads to is read past the swap cache: the page is exclusive at once. */
function alone(memory: Memory, item: Fault, vma: Vma, from: Slot, profile: Profile): readonly Fact[] {
  const frame = memory.frames.free
  return [
    newAnon(vma, item, frame, memory.swap.content.get(from), profile),
    ['lru', frame, 1, ACTIVE],
    ...mlocked(memory, vma, [['mlock', frame]], profile),
    ['swap-refs', from, -1],
    pte(item.mm, item.page, present(pageProt(vma) | broughtIn(vma, item.access, profile), frame)),
  ]
}

/** A slot that several lead to goes through the swap cache, which keeps the page until the last of them is gone. */
function shared(memory: Memory, item: Fault, vma: Vma, from: Slot, exclusive: boolean, profile: Profile): readonly Fact[] {
  const { frames, swap } = memory
  const { mm, page, access } = item
  const known = swap.cache.get(from) as Pfn
  const frame = known === 0 ? frames.free : known
  const others = known === 0 ? 1 : frames.refs.get(frame)
  const last = swap.refs.get(from) === 1
  const frees = last && (has(vma, VM_LOCKED) || (access === 'write' && others === 1))
  const own = exclusive || (frees && others === 1)
  const state = own ? anonState(profile) : stateWord('anon')
  // What is not the process's own belongs to the `anon_vma` that all who may have it are linked to.
  const anonVma = own ? vma.anonVma : (vma.linked[0] ?? vma.anonVma)
  return [
    ...(known === 0
      ? ([
          ['alloc', frame, state, 2, 1, swap.content.get(from), anonVma, linearIndex(vma, page)],
          ['lru', frame, 1, ACTIVE],
          ['swap-cache', from, frame],
        ] as const)
      : ([['refs', frame, 1, 1], ['maps', frame, 1, 1], ...(own ? [['state', frame, 1, state] as const] : [])] as const)),
    ...mlocked(memory, vma, [['mlock', frame]], profile),
    ['swap-refs', from, -1],
    ...(frees ? uncached(from, frame) : []),
    pte(mm, page, present(pageProt(vma) | (own ? broughtIn(vma, access, profile) : 0), frame)),
  ]
}

/** `vmf->page->pgmap->ops->migrate_to_ram()`. Where nothing keeps the page meanwhile, that the entry was read is a step of its own. */
function migrateToRam({ mm, page: at }: Fault, entry: Entry, { bugs }: Profile): Outcome {
  const then = [{ do: 'dmirror_devmem_fault', mm, page: at, folio: frameOf(entry), pages: 1 }] as const
  return bugs.includes('privateFaultUnreferenced') ? { facts: [], then } : { then }
}

export function doSwapPage(memory: Memory, item: Fault, vma: Vma, entry: Entry, profile: Profile): Outcome {
  // Whoever comes by while a page is on its way waits until it has arrived.
  if (isMigration(entry))
    return {
      then: [{ do: 'folio_wait_locked', folio: headOf(memory.frames, frameOf(entry)) }, ...(goesOn('handle_mm_fault', item).then ?? [])],
    }
  const kind = kindOf(entry)
  if (kind === '!devpriv-r' || kind === '!devpriv-w') return migrateToRam(item, entry, profile)
  if (isExclusiveEntry(entry)) {
    // The lock of the page table is dropped here: what was read may be gone when it is looked for.
    return { facts: [], then: [{ do: 'remove_device_exclusive_entry', mm: item.mm, page: item.page, folio: frameOf(entry) }] }
  }
  if (kind !== '!swap' && kind !== '!swap-x') throw new Error(`entry ${kind} of page ${item.page} is of a kind that nothing makes yet`)
  if (vma.anonVma === 0) return prepared(item)
  const from = slotOf(entry)
  if (memory.swap.refs.get(from) === 1 && memory.swap.cache.get(from) === 0) return { facts: alone(memory, item, vma, from, profile) }
  const facts = shared(memory, item, vma, from, kind === '!swap-x', profile)
  // Reading ahead into the swap cache ends with draining all that waits.
  const drain = memory.swap.cache.get(from) === 0 ? LRU_ADD_DRAIN : []
  // A write that could not have the page yet is made again, as a write to a page that is mapped read-only.
  return { facts, then: [...drain, ...(item.access === 'read' ? [] : (goesOn('handle_mm_fault', item).then ?? []))] }
}
