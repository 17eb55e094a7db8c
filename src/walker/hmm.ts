/**
 * The walk of `hmm_range_fault()` (mm/hmm.c) as an immutable reducer: it fills the caller's array from the page table,
 * at most `budget` entries a call, and stops where something has to happen first: a CPU fault, or an error.
 *
 * The array holds one word a page, indexed by page number: requests before the walk has come by, results after. So what
 * an error leaves in it is what the kernel leaves: results up to where the walk stopped, requests from there on.
 */
import { produce } from 'immer'
import { endAt, indexAt, page, type Page } from '../memory/address.ts'
import { NEXT_FRAME, NONE, PRESENT } from '../memory/entry.ts'
import { mmOf, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import { LEAF, type Rewrite, type Table } from '../memory/table.ts'
import { findVma, has, VM_READ, VM_WRITE, type Vma } from '../memory/vma.ts'

/**
 * A word of the array: frame │ order (5 bits) │ ERROR │ WRITE │ VALID. As requests, VALID and WRITE are `REQ_FAULT`
 * and `REQ_WRITE`, which have the same bits in the kernel too. VALID and WRITE are also bits 0 and 1 of an entry.
 */
export const HMM_PFN_VALID = 1
export const HMM_PFN_WRITE = 2
export const HMM_PFN_ERROR = 4
const FRAME_AND_FLAGS = ~(NEXT_FRAME - 1) | HMM_PFN_VALID | HMM_PFN_WRITE

/** What `struct hmm_range` asks for; it does not change during the walk. */
export interface HmmRange {
  readonly start: Page
  readonly end: Page
  /** Requested of every page. */
  readonly defaultFlags: number
  /** What the words of the array may request of their own page. */
  readonly pfnFlagsMask: number
}

const NO_ENTRIES: readonly number[] = Array.from({ length: LEAF }, () => NONE)

/** Why a walk stopped before its end. */
export type Stop =
  /** `hmm_vma_fault()`: every page up to `end` has to be faulted in, with write if one of them asked for it. */
  { readonly why: 'fault'; readonly end: Page; readonly write: boolean } | { readonly why: 'error'; readonly errno: 'EFAULT' | 'EPERM' }

export interface Walk {
  /** Pages before it have results in the array. */
  readonly last: Page
  readonly array: Table
  readonly stop: Stop | null
}

/** `HMM_NEED_FAULT`, `HMM_NEED_ALL_BITS` */
const NO_FAULT = 0
const NEED_FAULT = 1
const NEED_WRITE_FAULT = 3
type Need = typeof NO_FAULT | typeof NEED_FAULT | typeof NEED_WRITE_FAULT

/** Goes on with a walk. It is done when `last` is the end of the range; stopped if `stop` says why; else out of budget. */
export function walk(memory: Memory, name: MmName, range: HmmRange, before: Walk, budget: number): Walk {
  const mm = mmOf(memory, name)
  return produce<Walk, Walking>(before, draft => {
    // The loop works on what will be written to the draft in the end: reading a draft costs thirty times as much.
    const walking: Walking = { last: before.last, array: before.array, stop: null }
    for (let left = budget; left > 0 && walking.last < range.end && walking.stop === null;) left -= walkPart(mm, range, walking, left)
    Object.assign(draft, walking)
  })
}

/** A walk under way. */
type Walking = { -readonly [K in keyof Walk]: Walk[K] }

/** One part: a gap, an area that cannot be walked, a hole, or entries of one PTE table. Answers the entries it covered. */
function walkPart(mm: Mm, range: HmmRange, w: Walking, budget: number): number {
  const vma = findVma(mm.vmas, w.last)
  if (vma === undefined || w.last < vma.start) {
    const end = page(Math.min(range.end, vma?.start ?? range.end))
    return needIn(range, w.array, w.last, end, 0) === NO_FAULT ? fill(w, end, HMM_PFN_ERROR) : fail(w, 'EFAULT')
  }
  const end = page(Math.min(range.end, vma.end))
  if (!has(vma, VM_READ)) {
    return needIn(range, w.array, w.last, end, 0) === NO_FAULT ? fill(w, end, HMM_PFN_ERROR) : fail(w, 'EFAULT')
  }
  for (const level of ['pgd', 'pud', 'pmd'] as const) {
    if (mm[level].get(indexAt(level, w.last)) === NONE) return hole(range, w, vma, endAt(level, w.last, end))
  }
  return entries(mm, range, w, vma, endAt('pmd', w.last, end), budget)
}

/** `hmm_vma_walk_hole()` inside an area. */
function hole(range: HmmRange, w: Walking, vma: Vma, end: Page): number {
  const need = needIn(range, w.array, w.last, end, 0)
  return need === NO_FAULT ? fill(w, end, 0) : fault(w, vma, end, need)
}

/** `hmm_vma_handle_pte()` from `last` on, as far as entries satisfy what is requested of them. */
function entries(mm: Mm, range: HmmRange, w: Walking, vma: Vma, end: Page, budget: number): number {
  const until = Math.min(end, w.last + budget)
  const asks = (range.defaultFlags | range.pfnFlagsMask) & HMM_PFN_VALID
  let stop: number = until
  let need: Need = NO_FAULT
  if (asks !== 0) {
    for (stop = w.last; stop < until; stop++) {
      need = needOf(range, w.array.get(stop), wordOf(mm.pte.get(stop)))
      if (need !== NO_FAULT) break
    }
  }
  const covered = stop - w.last
  w.array = w.array.rewrite(w.last, covered, wordsFrom(mm.pte))
  w.last = page(stop)
  return need === NO_FAULT ? Math.max(covered, 1) : covered + fault(w, vma, end, need)
}

/** The results for entries that need nothing, leaf by leaf. */
function wordsFrom(pte: Table): Rewrite {
  return (copy, from, to, base) => {
    const leaf = pte.leaf(base) ?? NO_ENTRIES
    for (let i = from; i < to; i++) copy[i] = wordOf(leaf[i] ?? NONE)
  }
}

/**
 * What the CPU may do with a page is what the device may: VALID and WRITE are the entry's own bits, and so is the frame.
 * `-(1)` has all bits, `-(0)` none: an entry that is not present comes out as 0 without a branch.
 */
const wordOf = (entry: number): number => -(entry & PRESENT) & entry & FRAME_AND_FLAGS

/** `hmm_pte_need_fault()` */
function needOf(range: HmmRange, word: number, cpu: number): Need {
  const asked = (word & range.pfnFlagsMask) | range.defaultFlags
  if ((asked & HMM_PFN_VALID) === 0) return NO_FAULT
  if ((asked & HMM_PFN_WRITE) !== 0 && (cpu & HMM_PFN_WRITE) === 0) return NEED_WRITE_FAULT
  return (cpu & HMM_PFN_VALID) === 0 ? NEED_FAULT : NO_FAULT
}

/** `hmm_range_need_fault()`: what all pages of a part need together. */
function needIn(range: HmmRange, array: Table, start: Page, end: Page, cpu: number): Need {
  let need: Need = NO_FAULT
  if (((range.defaultFlags | range.pfnFlagsMask) & HMM_PFN_VALID) === 0) return need
  for (let p = start; p < end && need !== NEED_WRITE_FAULT; p = page(p + 1)) need = Math.max(need, needOf(range, array.get(p), cpu)) as Need
  return need
}

/** `hmm_vma_fault()`, as far as the walk decides it: write is refused before anything is faulted. */
function fault(w: Walking, vma: Vma, end: Page, need: Need): number {
  if (need === NEED_WRITE_FAULT && !has(vma, VM_WRITE)) return fail(w, 'EPERM')
  w.stop = { why: 'fault', end, write: need === NEED_WRITE_FAULT }
  return 1
}

function fill(w: Walking, end: Page, word: number): number {
  w.array = w.array.setRange(w.last, end - w.last, word, 0)
  w.last = end
  return 1
}

function fail(w: Walking, errno: 'EFAULT' | 'EPERM'): number {
  w.stop = { why: 'error', errno }
  return 1
}
