/**
 * Device-DAX (drivers/dax/device.c): a device whose memory is mapped 1 GiB at once, and not at all otherwise. What its
 * areas and entries are must begin and end at a multiple of that.
 */
import { indexAt, isPudAligned, page, pfn, PUD_PAGES, pudStart, type Page } from '../../memory/address.ts'
import { DEVDAX_FIRST, DEVDAX_PAGES, isDying } from '../../memory/dax.ts'
import { ACCESSED, DEVMAP, DIRTY, isPresent, isWritable, NONE, present, withFlags } from '../../memory/entry.ts'
import { entries, tablesTo } from '../../memory/facts.ts'
import { mmOf, type Memory, type MmName } from '../../memory/memory.ts'
import { entryAt } from '../../memory/pagetable.ts'
import { has, linearIndex, VM_MAYSHARE, VM_NOHUGEPAGE, type Vma } from '../../memory/vma.ts'
import { section, type Agenda, type Fault, type Outcome, type Rules } from '../agenda.ts'
import { goesOn, pageProt, written } from '../faults/faulting.ts'
import { hugeEntryGone, hugeMapped } from '../pages/folio.ts'
import type { Profile } from '../profiles.ts'

/** `check_vma()`: may this be an area of the device? */
export const suitsDevdax = (vma: Pick<Vma, 'start' | 'end' | 'flags'>): boolean =>
  (vma.flags & VM_MAYSHARE) !== 0 && isPudAligned(vma.start) && isPudAligned(vma.end)

/** `split_huge_pud()`: the entry goes, and everything faults again. */
export const splitHugePud = (mm: MmName, at: Page): Agenda => {
  const start = pudStart(at)
  return section({ mm, event: 'CLEAR', start, end: page(start + PUD_PAGES) }, [{ do: 'split_huge_pud', mm, page: start }])
}

/** `dev_dax_huge_fault()`: smaller entries than the device has are refused. */
export function devDaxFault(memory: Memory, item: Fault, vma: Vma, { countsDaxPages }: Profile): Outcome {
  const { mm, page: at, access } = item
  const upper = tablesTo(memory, mm, at, 'pud')
  if (upper.length > 0) return { facts: upper, ...goesOn('handle_mm_fault', item) }
  if (isDying(memory, 'dax1.0')) return { fail: 'VM_FAULT_SIGBUS' }
  const index = indexAt('pud', at)
  const entry = entryAt(mmOf(memory, mm), 'pud', at)
  if (isPresent(entry)) {
    const upgraded = withFlags(entry, ACCESSED | (isWritable(entry) ? DIRTY : written(vma)))
    return access !== 'write' || upgraded === entry ? {} : { facts: [entries('pud', mm, index, 1, upgraded)] }
  }
  const offset = linearIndex(vma, pudStart(at))
  if (entry !== NONE || has(vma, VM_NOHUGEPAGE)) {
    const tables = tablesTo(memory, mm, at, 'pmd')
    return tables.length === 0 ? { fail: 'VM_FAULT_SIGBUS' } : { facts: tables, fail: 'VM_FAULT_SIGBUS' }
  }
  if (!suitsDevdax(vma) || offset + PUD_PAGES > DEVDAX_PAGES) return { fail: 'VM_FAULT_SIGBUS' }
  const flags = pageProt(vma) | (countsDaxPages ? 0 : DEVMAP) | (access === 'write' ? written(vma) : 0)
  const frame = pfn(DEVDAX_FIRST + offset)
  return { facts: [entries('pud', mm, index, 1, present(flags, frame)), ...(countsDaxPages ? hugeMapped(frame) : [])] }
}

export const devdaxRules = {
  split_huge_pud: (memory, { mm, page: at }) => {
    const entry = entryAt(mmOf(memory, mm), 'pud', at)
    return isPresent(entry) ? { facts: [entries('pud', mm, indexAt('pud', at), 1, NONE), ...hugeEntryGone(entry)] } : {}
  },
} satisfies Partial<Rules>
