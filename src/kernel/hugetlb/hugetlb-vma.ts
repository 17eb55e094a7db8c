/** 2 MiB pages of the pool as areas of them are unmapped, protected, moved, copied and closed (mm/hugetlb.c). */
import { endAt, indexAt, page, PMD_PAGES, type Page } from '../../memory/address.ts'
import { frameOf, isPresent, NONE, PROTNONE, withFlags, withoutFlags, WRITE, type Entry } from '../../memory/entry.ts'
import { entries, tablesTo, type Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, folioMapcount, isAnon } from '../../memory/frames.ts'
import { mmOf, type Memory, type Mm, type MmName } from '../../memory/memory.ts'
import { entryAt, hasPmdTable } from '../../memory/pagetable.ts'
import { has, HPAGE_RESV_OWNER, HPAGE_RESV_UNMAPPED, VM_HUGETLB, vmaAt, type Vma } from '../../memory/vma.ts'
import { section, type Agenda, type Item, type Outcome, type Rules } from '../agenda.ts'
import { pageProt } from '../faults/faulting.ts'
import { flagged, hugeUnmapped } from '../pages/folio.ts'
import { hugeIndex, isPromised, unreserved } from './hugetlb-pool.ts'
import type { Profile } from '../profiles.ts'
import { vmasFact } from '../areas/vma.ts'

const entryFact = (mm: MmName, at: Page, entry: Entry): Fact => entries('pmd', mm, indexAt('pmd', at), 1, entry)

/** Entries of 2 MiB in [at, end) that are present, by their first page. */
function presentIn(mm: Mm, at: Page, end: Page): readonly Page[] {
  const found: Page[] = []
  for (let p = at; p < end; p = endAt('pmd', p, end)) if (isPresent(entryAt(mm, 'pmd', p))) found.push(p)
  return found
}

/** `unmap_single_vma()`: what takes pages [start, end) of an area away, whatever they are. */
export function unmapSingleVma(mm: MmName, vma: Vma, start: Page, end: Page, profile: Profile): Agenda {
  if (!has(vma, VM_HUGETLB)) return [{ do: 'unmap_page_range', mm, at: start, end }]
  const unmap: Agenda = [{ do: 'unmap_hugepage_range', mm, vma, at: start, end }]
  return profile.hugetlbUnmapNotifies ? section({ mm, event: 'UNMAP', start, end }, unmap) : unmap
}

/** `vm_ops->close()` of areas that are gone. */
export const closed = (vmas: readonly Vma[]): Agenda =>
  vmas.filter(v => has(v, HPAGE_RESV_OWNER)).map(vma => ({ do: 'hugetlb_vm_op_close', vma }))

/** What the area's owner had of the page, which goes: in newer kernels it is promised again. */
const restored = (memory: Memory, vma: Vma, at: Page, entry: Entry, profile: Profile): readonly Fact[] => {
  const frame = frameOf(entry)
  const index = hugeIndex(vma, at)
  const last = isAnon(memory.frames, frame) && folioMapcount(memory.frames, frame) === 1
  if (!profile.hugetlbRestoresPromise || !has(vma, HPAGE_RESV_OWNER) || !last || isPromised(memory, vma, index)) return []
  return [
    ['promised', vma.file, index, 1, 1],
    ['reserved', 1],
  ]
}

/** `copy_hugetlb_page_range()`: both sides keep all bits but the right to write. */
function copyRange(memory: Memory, { mm: name, child, at, end, cow }: Item<'copy_hugetlb_page_range'>): Outcome {
  const mm = mmOf(memory, name)
  const facts: Fact[] = []
  const made = new Set<number>()
  for (let p = at; p < end; p = endAt('pmd', p, end)) {
    if (!hasPmdTable(mm, p)) continue
    if (!made.has(indexAt('pud', p))) facts.push(...tablesTo(memory, child, p, 'pmd'))
    made.add(indexAt('pud', p))
    const entry = entryAt(mm, 'pmd', p)
    if (!isPresent(entry)) continue
    const copy = cow ? withoutFlags(entry, WRITE) : entry
    if (copy !== entry) facts.push(entryFact(name, p, copy))
    const frame = frameOf(entry)
    facts.push(entryFact(child, p, copy), ['hugeMaps', frame, 1, 1], ['refs', frame, 1, 1])
    if (isAnon(memory.frames, frame)) facts.push(...flagged(memory.frames, frame, 0, EXCLUSIVE))
  }
  return facts.length === 0 ? {} : { facts }
}

export const hugetlbVmaRules = {
  unmap_hugepage_range: (memory, item, { profile }) => {
    const { mm, vma, at, end } = item
    const [first, ...rest] = presentIn(mmOf(memory, mm), at, end)
    if (first === undefined) return {}
    const entry = entryAt(mmOf(memory, mm), 'pmd', first)
    const facts = [entryFact(mm, first, NONE), ...restored(memory, vma, first, entry, profile), ...hugeUnmapped(frameOf(entry))]
    return { facts, then: rest[0] === undefined ? [] : [{ ...item, at: rest[0] }] }
  },
  // Who has lost a page so never gets another one in that area.
  unmap_ref_private: (memory, { mm, page: at, folio }) => {
    const { vmas } = mmOf(memory, mm)
    const entry = entryAt(mmOf(memory, mm), 'pmd', at)
    const vma = vmaAt(vmas, at)
    if (vma === undefined || !isPresent(entry) || frameOf(entry) !== folio) return {}
    const marked = vmas.with(vmas.indexOf(vma), { ...vma, flags: vma.flags | HPAGE_RESV_UNMAPPED })
    return { facts: [vmasFact(memory, mm, marked), entryFact(mm, at, NONE), ...hugeUnmapped(folio)] }
  },

  // What was promised to the area and never asked for is anybody's again.
  hugetlb_vm_op_close: (memory, { vma }) => {
    const facts = unreserved(memory, vma.file, hugeIndex(vma, vma.start), hugeIndex(vma, vma.end))
    return facts.length === 0 ? {} : { facts }
  },

  hugetlb_change_protection: (memory, { mm, at, end }) => {
    const facts = presentIn(mmOf(memory, mm), at, end).flatMap((p): readonly Fact[] => {
      const vma = vmaAt(mmOf(memory, mm).vmas, p)
      const entry = entryAt(mmOf(memory, mm), 'pmd', p)
      if (vma === undefined) return []
      const after = withFlags(withoutFlags(entry, WRITE | PROTNONE), pageProt(vma) & (WRITE | PROTNONE))
      return after === entry ? [] : [entryFact(mm, p, after)]
    })
    return facts.length === 0 ? {} : { facts }
  },

  move_hugetlb_page_tables: (memory, { mm, from, to, old }) => {
    const facts: Fact[] = []
    const made = new Set<number>()
    for (const p of presentIn(mmOf(memory, mm), from, page(from + old))) {
      const target = page(to + (p - from))
      if (!made.has(indexAt('pud', target))) facts.push(...tablesTo(memory, mm, target, 'pmd'))
      made.add(indexAt('pud', target))
      facts.push(entryFact(mm, p, NONE), entryFact(mm, target, entryAt(mmOf(memory, mm), 'pmd', p)))
    }
    return facts.length === 0 ? {} : { facts }
  },
  // The new area owns what was promised now. Of a part that stays behind, the promise is forgotten, but never taken back.
  clear_vma_resv_huge_pages: (memory, { mm, start, end }) => {
    const { vmas } = mmOf(memory, mm)
    const vma = vmaAt(vmas, start)
    if (vma === undefined || !has(vma, HPAGE_RESV_OWNER)) return {}
    const left = [
      [vma.start, start],
      [end, vma.end],
    ] as const
    const forgotten = left.flatMap(([from, to]): readonly Fact[] =>
      from < to ? [['promised', vma.file, hugeIndex(vma, from), (to - from) / PMD_PAGES, 0]] : [],
    )
    const cleared = { ...vma, flags: vma.flags & ~(HPAGE_RESV_OWNER | HPAGE_RESV_UNMAPPED) }
    return { facts: [vmasFact(memory, mm, vmas.with(vmas.indexOf(vma), cleared)), ...forgotten] }
  },

  copy_hugetlb_page_range: (memory, item) => copyRange(memory, item),
} satisfies Partial<Rules>
