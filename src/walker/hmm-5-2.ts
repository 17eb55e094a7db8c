/**
 * The walk of `hmm_range_fault()` and `hmm_range_snapshot()` as they were in Linux 5.2 (mm/hmm.c), as an immutable reducer:
 * area by area, each with the gap before it; it stops behind each, and where something has to happen first.
 *
 * It writes results over the requests of pages that it has yet to fault in, so these count once only; and what it answers
 * is not how far it has come but `last`, which only parts that were walked to their end move on.
 */
import { produce } from 'immer'
import { endAt, indexAt, page, pageAt, pfn, type Page } from '../memory/address.ts'
import { DEVMAP, frameOf, isPresent, isWritable, kindOf, NEXT_FRAME, NONE, PRESENT, PROTNONE, SPECIAL } from '../memory/entry.ts'
import { mmOf, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import { findVma, has, VM_HUGETLB, VM_IO, VM_MIXEDMAP, VM_PFNMAP, VM_READ, type Vma } from '../memory/vma.ts'
import type { Table } from '../memory/table.ts'
import {
  FRAME_AND_FLAGS,
  HMM_PFN_ERROR,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  needIn,
  needOf,
  NEED_WRITE_FAULT,
  NO_FAULT,
  type HmmRange,
  type Need,
} from './hmm.ts'

/** `HMM_PFN_SPECIAL`: a value of its own for entries without a page. Where later kernels say the order, this one has room for it. */
export const HMM_PFN_SPECIAL = 8

/**
 * Frames with the lowest numbers of the machine, which no process is ever given; of an empty slot of the pool, an
 * invalid entry is told as a valid one that leads there.
 */
const LOWEST_FRAMES = pfn(7 * 2 ** 20)

export type AreaStop =
  /** The area was walked. */
  | { readonly why: 'area' }
  /** `hmm_vma_do_fault()` for every page up to `end`. */
  | { readonly why: 'fault'; readonly end: Page; readonly write: boolean }
  /** The same where there is no area: the fault handler is given a null pointer. */
  | { readonly why: 'null vma' }
  | { readonly why: 'error'; readonly errno: 'EFAULT' | 'EPERM' }

export interface AreaWalk {
  /** Where it goes on. */
  readonly at: Page
  /** `hmm_vma_walk.last`: what counts as processed ends here, and after a fault the walk begins here again. */
  readonly last: Page
  readonly array: Table
  /** null: it is out of budget. */
  readonly stop: AreaStop | null
}
type Walking = { -readonly [K in keyof AreaWalk]: AreaWalk[K] }

/** Goes on with the walk of an area, and the gap before it. */
export function walkArea(memory: Memory, name: MmName, range: HmmRange, before: AreaWalk, budget: number): AreaWalk {
  const mm = mmOf(memory, name)
  return produce<AreaWalk, Walking>(before, draft => {
    const walking: Walking = { at: before.at, last: before.last, array: before.array, stop: null }
    for (let left = budget; left > 0 && walking.stop === null;) left -= walkPart(mm, range, walking, left)
    Object.assign(draft, walking)
  })
}

/** One part: a hole, a huge entry, or entries of one PTE table. Answers how many entries it covered. */
function walkPart(mm: Mm, range: HmmRange, w: Walking, budget: number): number {
  // The next area, wherever it begins: of a gap, the rights of the area behind it are asked.
  const vma = findVma(mm.vmas, w.at)
  if (vma === undefined || has(vma, VM_IO | VM_PFNMAP | VM_MIXEDMAP)) return stop(w, { why: 'error', errno: 'EFAULT' })
  if (!has(vma, VM_READ)) {
    w.array = w.array.setRange(range.start, range.end - range.start, NONE, 0)
    return stop(w, { why: 'error', errno: 'EPERM' })
  }
  const areaEnd = page(Math.min(range.end, vma.end))
  const covered = w.at < vma.start ? gap(mm, range, w, page(Math.min(range.end, vma.start))) : inArea(mm, range, w, vma, areaEnd, budget)
  if (w.stop === null && w.at === areaEnd) w.stop = { why: 'area' }
  // A snapshot does not hear of errors: it goes on with the next area.
  if (w.stop?.why === 'error' && range.snapshot === true) Object.assign(w, { at: areaEnd, stop: { why: 'area' } })
  return covered
}

function gap(mm: Mm, range: HmmRange, w: Walking, end: Page): number {
  const level = mm.pgd.get(indexAt('pgd', w.at)) === NONE ? 'pgd' : 'pud'
  const stopAt = endAt(level, w.at, end)
  const need = needsIn(range, w, stopAt, 0)
  hole(w, stopAt, need)
  return need === NO_FAULT ? 1 : stop(w, { why: 'null vma' })
}

function inArea(mm: Mm, range: HmmRange, w: Walking, vma: Vma, end: Page, budget: number): number {
  for (const level of ['pgd', 'pud', 'pmd'] as const) {
    const entry = mm[level].get(indexAt(level, w.at))
    const pooled = has(vma, VM_HUGETLB)
    const stopAt = endAt(pooled ? 'pmd' : level, w.at, end)
    if (level === 'pmd' && pooled) return poolEntry(range, w, entry, stopAt)
    if (entry === NONE) return hole(w, stopAt, needsIn(range, w, stopAt, 0))
    if (level !== 'pgd' && isPresent(entry)) return huge(range, w, level, entry, stopAt)
  }
  return entries(mm, range, w, endAt('pmd', w.at, end), budget)
}

const needsIn = (range: HmmRange, { at, array }: Walking, end: Page, cpu: number): Need =>
  range.snapshot === true ? NO_FAULT : needIn(range, array, at, end, cpu)
const needsOf = (range: HmmRange, word: number, cpu: number): Need => (range.snapshot === true ? NO_FAULT : needOf(range, word, cpu))

/** `hmm_vma_walk_hole_()`: nothing is there, or it has to be faulted in; either way the requests up to `end` are gone. */
function hole(w: Walking, end: Page, need: Need): number {
  w.last = w.at
  w.array = w.array.setRange(w.at, end - w.at, NONE, 0)
  if (need !== NO_FAULT) return stop(w, { why: 'fault', end, write: need === NEED_WRITE_FAULT })
  w.at = end
  return 1
}

const rightsOf = (entry: number): number => (isPresent(entry) ? HMM_PFN_VALID | (isWritable(entry) ? HMM_PFN_WRITE : 0) : 0)

/** `hmm_vma_handle_pmd()`, `hmm_vma_walk_pud()` */
function huge(range: HmmRange, w: Walking, level: 'pud' | 'pmd', entry: number, end: Page): number {
  const cpu = (entry & PROTNONE) === 0 ? rightsOf(entry) : 0
  const need = needsIn(range, w, end, cpu)
  if (need !== NO_FAULT || cpu === 0) return hole(w, end, need)
  return mapped(w, end, frameOf(entry) + (w.at - pageAt(level, indexAt(level, w.at))), cpu)
}

/** `hmm_vma_walk_hugetlb_entry()`: the first page's request decides, and an empty slot counts as a page. */
function poolEntry(range: HmmRange, w: Walking, entry: number, end: Page): number {
  const cpu = rightsOf(entry)
  const need = needsOf(range, w.array.get(w.at), cpu)
  if (need !== NO_FAULT) return hole(w, end, need)
  const offset = w.at - pageAt('pmd', indexAt('pmd', w.at))
  if (cpu !== 0) return mapped(w, end, frameOf(entry) + offset, cpu)
  const first = w.at
  mapped(w, end, LOWEST_FRAMES + offset, HMM_PFN_VALID)
  if (offset === 0) w.array = w.array.set(first, HMM_PFN_VALID)
  return 1
}

function mapped(w: Walking, end: Page, frame: number, flags: number): number {
  w.array = w.array.setRange(w.at, end - w.at, frame * NEXT_FRAME + flags, NEXT_FRAME)
  w.last = end
  w.at = end
  return 1
}

/** `hmm_vma_handle_pte()` from `at` on, as far as entries satisfy what is requested of them. */
function entries(mm: Mm, range: HmmRange, w: Walking, end: Page, budget: number): number {
  const until = Math.min(end, w.at + budget)
  let at: number = w.at
  let need: Need = NO_FAULT
  for (; at < until; at++) {
    const entry = mm.pte.get(at)
    // A page on its way, and one in swap, is taken for nothing, and never waited for or faulted in.
    need = entry === NONE || isPresent(entry) ? needsOf(range, w.array.get(at), rightsOf(entry)) : NO_FAULT
    if (need !== NO_FAULT || refusal(entry) !== NONE) break
  }
  const covered = at - w.at
  w.array = w.array.update(w.at, covered, (_, p) => wordOf(mm.pte.get(p)))
  w.at = page(at)
  if (at === end) w.last = end
  if (at === until) return Math.max(covered, 1)
  if (need !== NO_FAULT) return covered + hole(w, end, need)
  w.last = w.at
  w.array = range.snapshot === true ? w.array.set(at, refusal(mm.pte.get(at))) : w.array.setRange(at, range.end - at, NONE, 0)
  return covered + stop(w, { why: 'error', errno: 'EFAULT' })
}

/** Device memory is reported where it is, whoever it belongs to. */
function wordOf(entry: number): number {
  if (isPresent(entry)) return entry & FRAME_AND_FLAGS
  const kind = kindOf(entry)
  if (kind === '!devpriv-w') return frameOf(entry) * NEXT_FRAME + (HMM_PFN_VALID | HMM_PFN_WRITE)
  return kind === '!devpriv-r' ? frameOf(entry) * NEXT_FRAME + HMM_PFN_VALID : NONE
}

/** What an entry ends the walk with: one without a page, the zero page among them, or damage. */
function refusal(entry: number): number {
  if ((entry & (PRESENT | SPECIAL | DEVMAP)) === (PRESENT | SPECIAL)) return HMM_PFN_SPECIAL
  return REFUSED.has(kindOf(entry)) ? HMM_PFN_ERROR : NONE
}
const REFUSED: ReadonlySet<string> = new Set(['!excl-r', '!excl-w', '!hwpoison', '!marker'])

function stop(w: Walking, why: AreaStop): number {
  w.stop = why
  return 1
}
