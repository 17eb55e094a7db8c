/** Faults on shared anonymous memory: a file in memory (mm/shmem.c), and a page of it being mapped (mm/memory.c). */
import { present, frameOf, isPresent, isSwap, slotOf } from '../memory/entry.ts'
import { cached, pte, tablesTo } from '../memory/facts.ts'
import { FOLIO_DIRTY, stateWord } from '../memory/frames.ts'
import { fileOf, mmOf } from '../memory/memory.ts'
import { linearIndex } from '../memory/vma.ts'
import type { Rules } from './agenda.ts'
import { faultingVma, pageProt, written } from './fault.ts'
import { dirtied } from './zap.ts'

export const shmemRules = {
  // Beyond the end of the file: SIGBUS, but tables down to the PMDs are there by then.
  shmem_fault: (memory, item) => {
    const vma = faultingVma(memory, item)
    const file = fileOf(memory, vma.file)
    const index = linearIndex(vma, item.page)
    const { mm, page, access } = item
    if (index >= file.pages) {
      const facts = tablesTo(memory, mm, page, 'pmd')
      return facts.length === 0 ? { fail: 'VM_FAULT_SIGBUS' } : { facts, fail: 'VM_FAULT_SIGBUS' }
    }
    const entry = file.cache.get(index)
    if (isPresent(entry)) return { then: [{ do: 'finish_fault', mm, page, access, frame: frameOf(entry) }] }
    const frame = memory.frames.free
    const then = [{ do: 'finish_fault', mm, page, access, frame }] as const
    const kept = cached(vma.file, index, present(0, frame))
    if (!isSwap(entry)) return { facts: [['alloc', frame, stateWord('file'), 1, 0, 0], kept], then }
    const slot = slotOf(entry)
    return {
      facts: [['alloc', frame, stateWord('file', FOLIO_DIRTY), 1, 0, memory.swap.content.get(slot)], kept, ['swap-refs', slot, -1]],
      then,
    }
  },

  finish_fault: (memory, item) => {
    const { mm, page, access, frame } = item
    if (mmOf(memory, mm).pte.get(page) !== 0) return {}
    const vma = faultingVma(memory, item)
    const write = access === 'write'
    return {
      facts: [
        ...tablesTo(memory, mm, page, 'pte'),
        ['refs', frame, 1, 1],
        ['maps', frame, 1, 1],
        ...(write ? dirtied(memory, frame) : []),
        pte(mm, page, present(pageProt(vma) | (write ? written(vma) : 0), frame)),
      ],
    }
  },
} satisfies Partial<Rules>
