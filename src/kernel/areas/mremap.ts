/** `mremap()` (mm/mremap.c): entries move with all their bits; only the old place is invalidated, twice. */
import { endAt, indexAt, isPmdAligned, page, PMD_PAGES, pmdStart, PUD_PAGES, type Page, type Pfn } from '../../memory/address.ts'
import { DEVMAP, frameOf, isPresent, NONE, TABLE, type Entry } from '../../memory/entry.ts'
import { entries, pte, tablesTo, type Fact } from '../../memory/facts.ts'
import { fileOf, mmOf, type Memory, type Mm, type MmName } from '../../memory/memory.ts'
import { entryAt } from '../../memory/pagetable.ts'
import { unflushed } from '../../memory/tlb.ts'
import { has, isAnonymous, linearIndex, VM_HUGETLB, VM_LOCKED, vmaAt, vmasIn, type Vma } from '../../memory/vma.ts'
import { readLocked, section, writeLocked, type Agenda, type Item, type Move, type Outcome, type Rules } from '../agenda.ts'
import { mayGrow } from './mmap.ts'
import type { Profile } from '../profiles.ts'
import { insertVma, maySplit, splitHugePmd, vmasFact } from './vma.ts'

/** Lengths of 2 MiB pages are rounded up. */
const inBlocks = (pages: number): number => Math.ceil(pages / PMD_PAGES) * PMD_PAGES

const plus = (p: Page, n: number): Page => page(p + n)

/** In place: what is too much goes; growing needs room behind the area. */
function resize(memory: Memory, { mm, from, old, pages }: Move, vma: Vma | undefined, profile: Profile): Outcome {
  if (pages <= old) return { then: [{ do: 'do_munmap', mm, start: plus(from, pages), end: plus(from, old), downgrade: true }] }
  if (vma === undefined) return { fail: 'EFAULT' }
  if (has(vma, VM_HUGETLB) && !profile.mremapMovesHugetlb) return { fail: 'EINVAL' }
  const { vmas } = mmOf(memory, mm)
  const [end, wanted] = [plus(from, old), plus(from, pages)]
  if (has(vma, VM_HUGETLB)) return { fail: 'EINVAL' }
  if (end > vma.end || !mayGrow(vma)) return { fail: 'EFAULT' }
  if (end !== vma.end || vmasIn(vmas, end, wanted).length > 0) return { fail: 'ENOMEM' }
  const added = { ...vma, start: end, end: wanted, pgoff: linearIndex(vma, end) }
  return { then: [{ do: 'vma_set', mm, facts: [vmasFact(memory, mm, insertVma(vmas, added, profile.mmapMergePrefers))] }] }
}

/** `try_realign_addr()`: both sides may begin at a 2 MiB border if nothing lies between it and them. */
function realigned(vmas: readonly Vma[], { from, to, old }: Move): number {
  const offset = from - pmdStart(from)
  if (isPmdAligned(from) || offset !== to - pmdStart(to) || old < PMD_PAGES - offset) return 0
  const free = (p: Page): boolean => vmas.some(v => v.start === p) && vmasIn(vmas, pmdStart(p), p).length === 0
  return free(from) && free(to) ? offset : 0
}

/** The entries of [from, from + count) at `to`, and none where they were. */
function moved(memory: Memory, mm: MmName, from: Page, to: Page, count: number): readonly Fact[] {
  const table = mmOf(memory, mm).pte
  const facts: Fact[] = []
  for (let p = table.next(from, from + count); p < from + count; p = table.next(p + 1, from + count)) {
    facts.push(pte(mm, page(to + (p - from)), table.get(p) as Entry))
  }
  return facts.length === 0 ? [] : [entries('pte', mm, from, count, NONE), ...facts]
}

/** What the CPU goes on with of entries that have moved, where nothing is flushed along. */
const known = ({ pte: table }: Mm, mm: MmName, from: Page, count: number): readonly Fact[] =>
  Array.from({ length: count }, (_, i) => unflushed(mm, plus(from, i), table.get(from + i) as Entry)).flat()

/** A whole table is hung in elsewhere if there is none yet: `move_normal_pmd()`. */
function movedTable(memory: Memory, mm: MmName, from: Page, to: Page): readonly Fact[] {
  return [
    ...tablesTo(memory, mm, to, 'pmd'),
    entries('pmd', mm, indexAt('pmd', from), 1, NONE),
    entries('pmd', mm, indexAt('pmd', to), 1, TABLE),
    ...moved(memory, mm, from, to, PMD_PAGES),
  ]
}

/** `move_huge_pmd()` */
const movedHuge = (memory: Memory, mm: MmName, from: Page, to: Page, entry: Entry): readonly Fact[] => [
  ...tablesTo(memory, mm, to, 'pmd'),
  entries('pmd', mm, indexAt('pmd', from), 1, NONE),
  entries('pmd', mm, indexAt('pmd', to), 1, entry),
]

/**
 * A 2 MiB entry that is taken for a table: what moves is what the block begins with, a word an entry. A page begins with its
 * number, and the rest of it is zero, which is no entry; that number would become one.
 */
function movedContents(memory: Memory, item: Item<'move_page_tables'>, block: Pfn, source: Page, target: Page, room: number): Outcome {
  const then: Agenda = [{ ...item, at: item.at + room }]
  const facts = tablesTo(memory, item.mm, target, 'pte')
  if (source === pmdStart(source) && memory.frames.content.get(block) !== 0) return { fail: 'oops: move_ptes' }
  return facts.length === 0 ? { then } : { facts, then }
}

/** An entry of 1 GiB: what is cut nowhere else moves as a whole. */
const movedPud = (memory: Memory, mm: MmName, from: Page, to: Page, entry: Entry): readonly Fact[] => [
  ...tablesTo(memory, mm, to, 'pud'),
  entries('pud', mm, indexAt('pud', from), 1, NONE),
  entries('pud', mm, indexAt('pud', to), 1, entry),
]

/** `vma_to_resize()`, `check_prep_vma()`: an area moves no further than it goes, and grows only where it may. */
const mayMove = (vma: Vma, { from, old, pages }: Move): boolean => old <= vma.end - from && (pages <= old || mayGrow(vma))

/** `vma_multi_allowed()`: who chooses places for its mappings itself moves alone. */
const movesWithOthers = (memory: Memory, vma: Vma): boolean => isAnonymous(vma) || fileOf(memory, vma.file).kind !== 'devdax'

/** `remap_move()`: the next area's part; areas stay as far from one another as they were. */
function moveNext(memory: Memory, item: Item<'remap_move'>): Outcome {
  const { mm, from, old, behind } = item
  const end = plus(from, old)
  const vma = vmasIn(mmOf(memory, mm).vmas, item.at, end)[0]
  if (vma === undefined) return behind === null ? { fail: 'EFAULT' } : {}
  if (behind === null && item.at < vma.start) return { fail: 'EFAULT' }
  if (!movesWithOthers(memory, vma) && (behind !== null || vma.end < end)) return { fail: 'EFAULT' }
  const at = page(Math.max(vma.start, item.at))
  const stop = page(Math.min(vma.end, end))
  const to = plus(item.target, behind === null ? 0 : vma.start - behind)
  if (has(vma, VM_HUGETLB) && (!isPmdAligned(at) || !isPmdAligned(to))) return { fail: 'EINVAL' }
  const pages = has(vma, VM_HUGETLB) ? inBlocks(stop - at) : stop - at
  return {
    then: [
      { do: 'do_munmap', mm, start: to, end: plus(to, pages), downgrade: false },
      { do: 'move_vma', mm, from: at, to, old: pages, pages },
      ...(stop < end ? [{ ...item, at: plus(at, pages), target: plus(to, pages), behind: vma.end }] : []),
    ],
  }
}

export const mremapRules = {
  mremap: (_, item) => {
    const { mm, to, old, pages } = item
    if (pages === 0) return { fail: 'EINVAL' }
    return {
      then: [
        ...writeLocked(mm, [{ ...item, do: 'mremap_locked' }]),
        ...(pages > old ? [{ do: 'mremap_populate', mm, at: plus(to, old), end: plus(to, pages) } as const] : []),
      ],
    }
  },
  mremap_locked: (memory, item, { profile }) => {
    const { mm, from, to, old, pages } = item
    const overlaps = to !== from && from + old > to && to + pages > from
    if (profile.mremapMovesSeveral) {
      if (overlaps) return { fail: 'EINVAL' }
      if (to !== from && old === pages) return { then: [{ ...item, do: 'remap_move', at: from, target: to, behind: null }] }
    }
    const vma = vmaAt(mmOf(memory, mm).vmas, from)
    if (vma === undefined && profile.mremapMovesHugetlb) return { fail: 'EFAULT' }
    if (vma !== undefined && has(vma, VM_HUGETLB) && profile.mremapMovesHugetlb) {
      const [whole, wanted] = [inBlocks(old), inBlocks(pages)]
      if (!isPmdAligned(from) || !isPmdAligned(to) || wanted > whole) return { fail: 'EINVAL' }
      if (whole !== old || wanted !== pages) return { then: [{ ...item, old: whole, pages: wanted }] }
    }
    if (to === from) return resize(memory, item, vma, profile)
    if (overlaps) return { fail: 'EINVAL' }
    if (profile.mremapMovesSeveral && pages > old && (vma === undefined || !mayMove(vma, item))) return { fail: 'EFAULT' }
    const kept = Math.min(old, pages)
    return {
      then: [
        { do: 'do_munmap', mm, start: to, end: plus(to, pages), downgrade: false },
        ...(old > pages ? [{ do: 'do_munmap', mm, start: plus(from, pages), end: plus(from, old), downgrade: false } as const] : []),
        { do: 'move_vma', mm, from, to, old: kept, pages },
      ],
    }
  },
  remap_move: (memory, item) => moveNext(memory, item),
  // Memory that was never written has no place of its own yet: it takes that of its new address.
  move_vma: (memory, item, { profile }) => {
    const { mm, from, to, old, pages } = item
    const { vmas } = mmOf(memory, mm)
    const vma = vmaAt(vmas, from)
    if (vma === undefined) return { fail: 'EFAULT' }
    if (has(vma, VM_HUGETLB) && !profile.mremapMovesHugetlb) return { fail: 'EINVAL' }
    if (!mayMove(vma, item)) return { fail: 'EFAULT' }
    if ([from, plus(from, old)].some(at => vma.start < at && at < vma.end && !maySplit(memory, { vma, at }))) return { fail: 'EINVAL' }
    const pgoff = isAnonymous(vma) && vma.anonVma === 0 ? to : linearIndex(vma, from)
    const after = insertVma(vmas, { ...vma, start: to, end: plus(to, pages), pgoff }, 'previous')
    const offset = profile.mremapRealigns ? realigned(after, item) : 0
    const span = { mm, start: from, end: plus(from, old) }
    const moves: Agenda = has(vma, VM_HUGETLB)
      ? [
          ...section({ ...span, event: 'CLEAR' }, [{ ...item, do: 'move_hugetlb_page_tables' }]),
          { do: 'clear_vma_resv_huge_pages', ...span },
        ]
      : section({ ...span, event: 'UNMAP', start: plus(from, -offset) }, [{ ...item, do: 'move_page_tables', at: 0 }])
    return { facts: [vmasFact(memory, mm, after)], then: [...moves, { do: 'do_munmap', ...span, downgrade: false }] }
  },
  move_page_tables: (memory, item, { budget, profile }) => {
    const { mm, from, to, old, at } = item
    const late = profile.bugs.includes('mremapFlushesLate')
    const flush: Agenda = late ? [{ do: 'flush_tlb_range', mm, start: from, end: plus(from, old) }] : []
    const next = (pages: number): Agenda => (at + pages < old ? [{ ...item, at: at + pages }] : flush)
    if (at >= old) return { then: flush }
    const as = mmOf(memory, mm)
    const [source, target] = [plus(from, at), plus(to, at)]
    const end = plus(from, old)
    const pud = entryAt(as, 'pud', source)
    if (isPresent(pud) && !profile.mremapKnowsPud)
      return {
        facts: [['clear_bad', mm, 'pud', indexAt('pud', source)]],
        then: [{ ...item, at: at + (endAt('pud', source, end) - source) }],
      }
    if (isPresent(pud)) return { facts: movedPud(memory, mm, source, target, pud), then: [{ ...item, at: at + PUD_PAGES }] }
    // As far as neither side leaves its table.
    const room = Math.min(endAt('pmd', source, end) - source, endAt('pmd', target, plus(to, old)) - target)
    const pmd = entryAt(as, 'pmd', source)
    if (pmd === NONE) return { then: next(room) }
    const whole = room === PMD_PAGES && isPmdAligned(source) && isPmdAligned(target) && entryAt(as, 'pmd', target) === NONE
    const asTable = whole && profile.mremapMovesTables
    if ((pmd & DEVMAP) !== 0 && !asTable && !profile.mremapKnowsDaxPmd)
      return movedContents(memory, item, frameOf(pmd), source, target, room)
    if (pmd !== TABLE)
      return whole
        ? { facts: movedHuge(memory, mm, source, target, pmd), then: next(room) }
        : { then: [...splitHugePmd(mm, source), ...next(0)] }
    if (asTable) return { facts: movedTable(memory, mm, source, target), then: next(room) }
    const count = Math.min(room, budget)
    const facts = [
      ...tablesTo(memory, mm, target, 'pte'),
      ...moved(memory, mm, source, target, count),
      ...(late ? known(as, mm, source, count) : []),
    ]
    return facts.length === 0 ? { then: next(count) } : { facts, then: next(count), cut: count < room }
  },
  // A locked area is populated where it grew; that this may fail does not matter.
  mremap_populate: (memory, { mm, at, end }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, at)
    return vma !== undefined && has(vma, VM_LOCKED)
      ? { then: [...readLocked(mm, [{ do: 'mm_populate', mm, at, end }]), { do: 'ignore_failure' }] }
      : {}
  },
} satisfies Partial<Rules>
