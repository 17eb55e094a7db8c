/** `madvise()` (mm/madvise.c). */
import { endAt, page, type Page } from '../memory/address.ts'
import { ACCESSED, DIRTY, frameOf, isPresent, isSwap, NONE, SPECIAL, slotOf, withoutFlags } from '../memory/entry.ts'
import { pte, type Fact } from '../memory/facts.ts'
import { FOLIO_DIRTY, frameFlags, frameKind, LAZYFREE, stateWord } from '../memory/frames.ts'
import { mmOf, type Memory, type MmName } from '../memory/memory.ts'
import { findVma, has, isAnonymous, linearIndex, VM_LOCKED, vmaAt, type Vma } from '../memory/vma.ts'
import { readLocked, section, type Advice, type Agenda, type Isolated, type Item, type Rules } from './agenda.ts'
import type { Failure } from './failure.ts'
import { FAULT_ERRNO } from './gup.ts'

const populate = (mm: MmName, at: Page, end: Page, advice: Advice): Agenda => [
  { do: 'gup_pages', mm, at, end, flags: advice === 'popw' ? { write: true } : {}, errors: 'populate', faulted: false },
  { do: 'as_errno', of: FAULT_ERRNO },
]

/** What is done to one area's part; a string is the error that ends the call there. */
function visit({ mm, advice }: Item<'madvise_walk_vmas'>, vma: Vma, at: Page, end: Page): Agenda | Failure {
  switch (advice) {
    case 'popr':
    case 'popw':
      return populate(mm, at, end, advice)
    case 'dontneed':
      return has(vma, VM_LOCKED) ? 'EINVAL' : section({ mm, event: 'CLEAR', start: at, end }, [{ do: 'unmap_page_range', mm, at, end }])
    case 'free':
      if (has(vma, VM_LOCKED) || !isAnonymous(vma)) return 'EINVAL'
      return section({ mm, event: 'CLEAR', start: at, end }, [{ do: 'madvise_free_pte_range', mm, at, end }])
    case 'cold':
    case 'pageout':
      if (has(vma, VM_LOCKED)) return 'EINVAL'
      return [{ do: 'madvise_cold_or_pageout_pte_range', mm, at, end, pageout: advice === 'pageout', isolated: [] }]
  }
}

/** `MADV_FREE` on one entry: swapped contents go; a page of this process alone becomes clean, and reclaim may drop it. */
function freed(memory: Memory, mm: MmName, p: Page): readonly Fact[] {
  const entry = mmOf(memory, mm).pte.get(p)
  if (isSwap(entry)) return [pte(mm, p, NONE), ['swap-refs', slotOf(entry), -1]]
  if (!isPresent(entry) || (entry & SPECIAL) !== 0) return []
  const frame = frameOf(entry)
  const flags = frameFlags(memory.frames, frame)
  if ((flags & FOLIO_DIRTY) !== 0 && memory.frames.maps.get(frame) !== 1) return []
  const lazy = (flags & ~FOLIO_DIRTY) | LAZYFREE
  return [
    ...((entry & (ACCESSED | DIRTY)) === 0 ? [] : [pte(mm, p, withoutFlags(entry, ACCESSED | DIRTY))]),
    ...(lazy === flags ? [] : [['state', frame, stateWord(frameKind(memory.frames, frame), lazy)] as const]),
  ]
}

/** A page that reclaim may take: present, not the zero page, and mapped by this entry alone. */
function isolatable(memory: Memory, mm: MmName, p: Page): Isolated | undefined {
  const { pte, vmas } = mmOf(memory, mm)
  const entry = pte.get(p)
  const vma = vmaAt(vmas, p)
  if (!isPresent(entry) || (entry & SPECIAL) !== 0 || vma === undefined) return undefined
  const frame = frameOf(entry)
  return memory.frames.maps.get(frame) === 1 ? { mm, page: p, frame, file: vma.file, index: linearIndex(vma, p) } : undefined
}

export const madviseRules = {
  madvise: (_, { mm, start, end, advice }, { profile }) => {
    const whole = (advice === 'popr' || advice === 'popw') && profile.populateStopsAtGap
    return {
      then: readLocked(
        mm,
        whole ? populate(mm, start, end, advice) : [{ do: 'madvise_walk_vmas', mm, at: start, end, advice, gap: false }],
      ),
    }
  },

  // A gap is reported in the end, but what lies behind it is done; an error ends the call where it strikes.
  madvise_walk_vmas: (memory, item) => {
    const { mm, at, end, gap } = item
    if (at >= end) return gap ? { fail: 'ENOMEM' } : {}
    const vma = findVma(mmOf(memory, mm).vmas, at)
    if (vma === undefined || vma.start >= end) return { fail: 'ENOMEM' }
    const from = page(Math.max(at, vma.start))
    const stop = page(Math.min(vma.end, end))
    const doing = visit(item, vma, from, stop)
    const gaps = gap || from > at
    const more = stop < end || gaps ? [{ ...item, at: stop, gap: gaps }] : []
    return typeof doing === 'string' ? { fail: doing } : { then: [...doing, ...more] }
  },

  madvise_free_pte_range: (memory, item, { budget }) => {
    const { mm, end } = item
    const facts: Fact[] = []
    let at = page(mmOf(memory, mm).pte.next(item.at, end))
    for (let left = budget; at < end && left > 0; left--) {
      facts.push(...freed(memory, mm, at))
      at = page(mmOf(memory, mm).pte.next(at + 1, end))
    }
    const then = at < end ? [{ ...item, at }] : []
    return facts.length === 0 ? { then } : { facts, then, cut: at < end }
  },

  // The pages of one table are taken off their list first, and then reclaimed one after the other.
  madvise_cold_or_pageout_pte_range: (memory, item, { budget, profile }) => {
    const { mm, pageout } = item
    const stop = endAt('pmd', item.at, item.end)
    const facts: Fact[] = []
    const isolated = [...item.isolated]
    let at = page(mmOf(memory, mm).pte.next(item.at, stop))
    for (let left = budget; at < stop && left > 0; left--) {
      const found = isolatable(memory, mm, at)
      const entry = mmOf(memory, mm).pte.get(at)
      if (found !== undefined) {
        if ((entry & ACCESSED) !== 0 && (!pageout || profile.pageoutClearsAccessed)) facts.push(pte(mm, at, withoutFlags(entry, ACCESSED)))
        if (pageout) {
          facts.push(['refs', found.frame, 1, 1])
          isolated.push(found)
        }
      }
      at = page(mmOf(memory, mm).pte.next(at + 1, stop))
    }
    const cut = at < stop
    const reclaim = cut ? [] : isolated.map(i => ({ do: 'shrink_folio', ...i }) as const)
    const rest = at < item.end ? [{ ...item, at, isolated: cut ? isolated : [] }] : []
    const then = [...reclaim, ...rest]
    return facts.length === 0 ? { then } : { facts, then, cut }
  },
} satisfies Partial<Rules>
