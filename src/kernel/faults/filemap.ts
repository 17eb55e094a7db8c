/**
 * Faults on file mappings: shared anonymous memory and memfd (mm/shmem.c), ext4 (mm/filemap.c), and a page of either being
 * mapped (mm/memory.c).
 */
import type { Pfn } from '../../memory/address.ts'
import { ACCESSED, DIRTY, frameOf, isPresent, isSwap, isWritable, NONE, present, slotOf, withFlags } from '../../memory/entry.ts'
import { cached, pte, tablesTo, type Fact } from '../../memory/facts.ts'
import { FOLIO_DIRTY, frameFlags, isLocked, stateWord } from '../../memory/frames.ts'
import { fileOf, mmOf, pagesIn, type File, type FileKind, type FileName, type Memory } from '../../memory/memory.ts'
import { has, linearIndex, VM_SHARED, type Vma } from '../../memory/vma.ts'
import type { Fault, Outcome, Rules } from '../agenda.ts'
import { daxFault } from '../dax/dax.ts'
import { faultingVma, goesOn, newAnon, pageProt, prepared, written } from './faulting.ts'
import { dirtied, flagged, freeFrames, mapped } from '../pages/folio.ts'
import { mlocked } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'

/** Mappings that a driver has filled have no fault handler: what is gone from them is gone. */
const HANDLED: ReadonlySet<FileKind> = new Set<FileKind>(['shmem', 'memfd', 'ext4'])

/** Pages of the file come into the page cache, those that are not there, with these flags. Pages of a hole are zero. */
export function cachedPages(
  memory: Memory,
  name: FileName,
  indices: readonly number[],
  flags = 0,
): { readonly frames: readonly Pfn[]; readonly facts: readonly Fact[] } {
  const { cache } = fileOf(memory, name)
  const free = freeFrames(memory.frames)
  const facts: Fact[] = []
  const frames = indices.map(index => {
    const entry = cache.get(index)
    if (isPresent(entry)) {
      facts.push(...flagged(memory.frames, frameOf(entry), flags))
      return frameOf(entry)
    }
    const frame = free.next().value as Pfn
    const kept = cached(name, index, present(0, frame))
    if (isSwap(entry)) {
      const slot = slotOf(entry)
      const state = stateWord('file', FOLIO_DIRTY)
      facts.push(['alloc', frame, state, 1, 0, memory.swap.content.get(slot), 0, 0], kept, ['swap-refs', slot, -1])
    } else facts.push(['alloc', frame, stateWord('file', flags), 1, 0, 0, 0, 0], kept)
    return frame
  })
  return { frames, facts }
}

const isWrite = ({ access }: Fault): boolean => access === 'write'

/** `finish_fault()`: the page of the file itself, or, for a write to private memory, a copy of it. */
function finish(memory: Memory, item: Fault, vma: Vma, frame: Pfn, profile: Profile): Outcome {
  const { mm, page } = item
  if (mmOf(memory, mm).pte.get(page) !== NONE) return {}
  const tables = tablesTo(memory, mm, page, 'pte')
  if (isWrite(item) && !has(vma, VM_SHARED)) {
    const copy = memory.frames.free
    const content = memory.frames.content.get(frame)
    return {
      facts: [
        ...tables,
        newAnon(vma, item, copy, content, profile),
        ...mlocked(memory, vma, [['mlock_new', copy]], profile),
        pte(mm, page, present(pageProt(vma) | written(vma), copy)),
      ],
    }
  }
  const prot = pageProt(vma)
  const isDirty = profile.faultMarksDirtyPages && isWritable(prot) && (frameFlags(memory.frames, frame) & FOLIO_DIRTY) !== 0
  return {
    facts: [
      ...tables,
      ...mapped(memory.frames, [frame]),
      ...mlocked(memory, vma, [['mlock', frame]], profile),
      ...(isWrite(item) ? dirtied(memory, frame) : []),
      pte(mm, page, present(prot | (isWrite(item) ? written(vma) : isDirty ? DIRTY : 0), frame)),
    ],
  }
}

/** `do_sync_mmap_readahead()`: a page that is not cached is read with what lies around it, 128 KiB in all. */
function readAhead(file: File, index: number, profile: Profile): readonly number[] {
  if (!profile.faultsReadAhead || file.kind !== 'ext4' || file.cache.get(index) !== NONE) return []
  const first = Math.max(0, index - READ_AROUND / 2)
  const around = Array.from({ length: Math.min(first + READ_AROUND, pagesIn(file)) - first }, (_, i) => first + i)
  return around.filter(i => i !== index && file.cache.get(i) === NONE)
}
const READ_AROUND = 32

const isBeyond = (file: File, index: number): boolean => index >= pagesIn(file)

export const filemapRules = {
  do_fault: (memory, item, { profile }) => {
    const vma = faultingVma(memory, item)
    const file = fileOf(memory, vma.file)
    if (file.kind !== 'dax' && !HANDLED.has(file.kind)) return { fail: 'VM_FAULT_SIGBUS' }
    if (isWrite(item) && !has(vma, VM_SHARED) && vma.anonVma === 0) return prepared(item)
    if (file.kind === 'dax') return daxFault(item, 'pte')
    const index = linearIndex(vma, item.page)
    if (isBeyond(file, index)) return { fail: 'VM_FAULT_SIGBUS' }
    const { frames, facts } = cachedPages(memory, vma.file, [index, ...readAhead(file, index, profile)])
    const { mm, page, access } = item
    const frame = frames[0] as Pfn
    const then = [{ do: 'finish_fault', mm, page, access, frame }] as const
    const waits = isLocked(memory.frames, frame) || (profile.faultsReadUnlocked && file.kind === 'ext4' && facts.length > 0)
    if (item.mayRetry === true && waits) return { ...(facts.length > 0 ? { facts } : {}), fail: 'VM_FAULT_RETRY' }
    return facts.length === 0 ? { then } : { facts, then }
  },

  finish_fault: (memory, item, { profile }) => finish(memory, item, faultingVma(memory, item), item.frame, profile),

  // A page of a file is written through a mapping that was read-only so far, so that the file hears of it.
  wp_page_shared: (memory, item) => {
    const vma = faultingVma(memory, item)
    const entry = mmOf(memory, item.mm).pte.get(item.page)
    if (!isPresent(entry)) return goesOn('handle_mm_fault', item)
    return { facts: [pte(item.mm, item.page, withFlags(entry, ACCESSED | written(vma))), ...dirtied(memory, frameOf(entry))] }
  },
} satisfies Partial<Rules>
