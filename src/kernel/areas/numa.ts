/**
 * NUMA hints (kernel/sched/fair.c, mm/mprotect.c): now and then memory is closed, and the next fault tells who uses it. The
 * machine has one node, and so nothing moves: the fault opens it again.
 */
import { endAt, isPmdAligned, page, type Page } from '../../memory/address.ts'
import { ACCESSED, frameOf, isPresent, PROTNONE, SPECIAL, withFlags, withoutFlags } from '../../memory/entry.ts'
import { entries, type Fact } from '../../memory/facts.ts'
import { frameKind } from '../../memory/frames.ts'
import { fileOf, mmOf, type Memory } from '../../memory/memory.ts'
import { leafAt } from '../../memory/pagetable.ts'
import { has, isAccessible, isAnonymous, VM_HUGETLB, VM_IO, VM_MIXEDMAP, VM_PFNMAP, vmasIn, type Vma } from '../../memory/vma.ts'
import { readLocked, section, type Fault, type Outcome, type Rules, type Span } from '../agenda.ts'
import type { Profile } from '../profiles.ts'

/** `vma_migratable()`: DAX memory is left alone, in older kernels because it is a mixed map. */
function isHinted(memory: Memory, vma: Vma): boolean {
  if (!isAccessible(vma) || has(vma, VM_HUGETLB | VM_IO | VM_PFNMAP | VM_MIXEDMAP)) return false
  const kind = isAnonymous(vma) ? 'shmem' : fileOf(memory, vma.file).kind
  return kind !== 'dax' && kind !== 'devdax'
}

/** `change_pte_range()`, `change_huge_pmd()`, for a hint: what has no page that could move stays open. The scan takes whole 2 MiB. */
function closed(memory: Memory, { mm, start, end }: Span): readonly Fact[] {
  const facts: Fact[] = []
  const tables = mmOf(memory, mm)
  for (let at: Page = start; at < end;) {
    const { entry, level, index } = leafAt(tables, at)
    const stop = level === 'pte' ? page(at + 1) : endAt(level, at, end)
    const whole = level === 'pte' || (level === 'pmd' && isPmdAligned(at) && isPmdAligned(stop))
    const stays = (entry & (SPECIAL | PROTNONE)) !== 0 || frameKind(memory.frames, frameOf(entry)) === 'zero'
    if (isPresent(entry) && whole && !stays) facts.push(entries(level, mm, index, 1, withFlags(entry, PROTNONE)))
    at = stop
  }
  return facts
}

/** `do_numa_page()`, `do_huge_pmd_numa_page()`: the fault on an entry that is closed; undefined if that is not what is wrong. */
export function doNumaPage(memory: Memory, { mm, page: at }: Fault, vma: Vma, { protnoneFaultDies }: Profile): Outcome | undefined {
  const { entry, level, index } = leafAt(mmOf(memory, mm), at)
  if (!isPresent(entry) || (entry & PROTNONE) === 0) return undefined
  if (isAccessible(vma)) return { facts: [entries(level, mm, index, 1, withFlags(withoutFlags(entry, PROTNONE), ACCESSED))] }
  return protnoneFaultDies ? { fail: level === 'pte' ? 'oops: do_numa_page' : 'oops: do_huge_pmd_numa_page' } : undefined
}

export const numaRules = {
  // Area by area.
  change_prot_numa: (memory, { mm, start, end }) => ({
    then: readLocked(
      mm,
      vmasIn(mmOf(memory, mm).vmas, start, end)
        .filter(vma => isHinted(memory, vma))
        .map(vma => ({
          do: 'change_prot_numa_in',
          mm,
          start: page(Math.max(start, vma.start)),
          end: page(Math.min(end, vma.end)),
        })),
    ),
  }),
  change_prot_numa_in: (memory, { do: _, ...span }) => {
    const facts = closed(memory, span)
    return facts.length === 0 ? {} : { then: section({ ...span, event: 'PROTECTION_VMA' }, [{ do: 'change_prot_numa_entries', ...span }]) }
  },
  change_prot_numa_entries: (memory, item) => ({ facts: closed(memory, item) }),
} satisfies Partial<Rules>
