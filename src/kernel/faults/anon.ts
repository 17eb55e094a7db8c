/** Anonymous memory: pages that are made where there are none (mm/memory.c). */
import { present } from '../../memory/entry.ts'
import { pte, tablesTo } from '../../memory/facts.ts'
import { ZERO_PFN, type Memory } from '../../memory/memory.ts'
import { has, VM_SHARED, VM_WRITE, type Vma } from '../../memory/vma.ts'
import type { Fault, Outcome } from '../agenda.ts'
import { newAnon, pageProt, prepared, special, written } from './faulting.ts'
import { mlocked } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'

/** `do_anonymous_page()`: reads see the zero page; a write, also one by force, makes a page. What is shared, and has no operations, cannot be had. */
export function doAnonymousPage(memory: Memory, item: Fault, vma: Vma, profile: Profile): Outcome {
  const { mm, page, access } = item
  if (has(vma, VM_SHARED)) return { fail: 'VM_FAULT_SIGBUS' }
  const tables = tablesTo(memory, mm, page, 'pte')
  if (access !== 'write') return { facts: [...tables, pte(mm, page, present(pageProt(vma) | special(profile), ZERO_PFN))] }
  if (vma.anonVma === 0) return prepared(item)
  const frame = memory.frames.free
  const flags = has(vma, VM_WRITE) ? written(vma) : 0
  return {
    facts: [
      ...tables,
      newAnon(vma, item, frame, 0, profile),
      ...mlocked(memory, vma, [['mlock_new', frame]], profile),
      pte(mm, page, present(pageProt(vma) | flags, frame)),
    ],
  }
}
