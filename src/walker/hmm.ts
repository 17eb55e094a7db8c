/**
 * The walk of `hmm_range_fault()` (mm/hmm.c) as an immutable reducer: it fills the caller's array from the page table,
 * at most `budget` entries a call, and stops where something has to happen first: a CPU fault, a wait, or an error.
 *
 * The array holds one word a page, indexed by page number: requests before the walk has come by, results after. So what
 * an error leaves in it is what the kernel leaves: results up to where the walk stopped, requests from there on.
 */
import { produce } from 'immer'
import { endAt, indexAt, page, pageAt, PMD_PAGES, PUD_PAGES, type Level, type Page, type Pfn } from '../memory/address.ts'
import {
  DEVMAP,
  frameOf,
  isMigration,
  isPresent,
  isSwap,
  kindOf,
  NEXT_FRAME,
  NONE,
  PRESENT,
  PROTNONE,
  SPECIAL,
  TABLE,
} from '../memory/entry.ts'
import { mmOf, ZERO_PFN, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import { hasPage, mayHaveNoPage } from '../memory/normal-page.ts'
import { LEAF, type Rewrite, type Table } from '../memory/table.ts'
import { findVma, has, VM_HUGETLB, VM_IO, VM_MIXEDMAP, VM_PFNMAP, VM_READ, VM_WRITE, type Vma } from '../memory/vma.ts'

/**
 * A word of the array: frame │ P2PDMA_BUS │ P2PDMA │ DMA_MAPPED │ level (2 bits) │ ERROR │ WRITE │ VALID. As requests, VALID
 * and WRITE are `REQ_FAULT` and `REQ_WRITE`, which have the same bits in the kernel too. VALID and WRITE are also bits 0
 * and 1 of an entry. Orders that are told are those of entries, so the level says them.
 */
export const HMM_PFN_VALID = 1
export const HMM_PFN_WRITE = 2
export const HMM_PFN_ERROR = 4
const LEVEL_SHIFT = 3
const ORDERS = [0, Math.log2(PMD_PAGES), Math.log2(PUD_PAGES)]
/** `hmm_pfn_to_map_order()`: how many pages the CPU maps at once there, as a power of two. */
export const mapOrder = (word: number): number => ORDERS[(word >>> LEVEL_SHIFT) & 3] ?? 0
export const FRAME_AND_FLAGS = ~(NEXT_FRAME - 1) | HMM_PFN_VALID | HMM_PFN_WRITE
const ORDER: Readonly<Record<'pmd' | 'pud', number>> = { pmd: 1 << LEVEL_SHIFT, pud: 2 << LEVEL_SHIFT }

/** The page is mapped for DMA; as memory of another device, through the host bridge or by its bus address. */
export const HMM_PFN_DMA_MAPPED = 32
export const HMM_PFN_P2PDMA = 64
export const HMM_PFN_P2PDMA_BUS = 128
/** What a caller has noted of a page, and finds again after the walk. */
export const HMM_PFN_INOUT_FLAGS = HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS

/** What `struct hmm_range` asks for; it does not change during the walk. */
export interface HmmRange {
  readonly start: Page
  readonly end: Page
  /** Requested of every page. */
  readonly defaultFlags: number
  /** What the words of the array may request of their own page. */
  readonly pfnFlagsMask: number
  /** Before v5.4, `hmm_range_snapshot()`: nothing is faulted in, whatever is requested. */
  readonly snapshot?: boolean
  /** Before v5.6: may faults drop mmap_lock to wait (`false`), or is the caller blocked with it held? */
  readonly block?: boolean
  /** `dev_private_owner`: pages in these frames are the caller's own, and are reported where they are. */
  readonly owned: { readonly first: Pfn; readonly end: Pfn } | null
}

const NO_ENTRIES: readonly number[] = Array.from({ length: LEAF }, () => NONE)

/** Why a walk stopped before its end. */
export type Stop =
  /** `hmm_vma_fault()`: every page up to `end` has to be faulted in, with write if one of them asked for it. */
  | { readonly why: 'fault'; readonly end: Page; readonly write: boolean }
  /** A page that is wanted is on its way from one frame to another. */
  | { readonly why: 'migration'; readonly frame: Pfn }
  | { readonly why: 'error'; readonly errno: 'EFAULT' | 'EPERM' }

export interface Walk {
  /** Pages before it have results in the array. */
  readonly last: Page
  readonly array: Table
  readonly stop: Stop | null
}

/** `HMM_NEED_FAULT`, `HMM_NEED_ALL_BITS` */
export const NO_FAULT = 0
const NEED_FAULT = 1
export const NEED_WRITE_FAULT = 3
export type Need = typeof NO_FAULT | typeof NEED_FAULT | typeof NEED_WRITE_FAULT

/** What differs between kernels. */
export interface WalkRules {
  /** Areas that a driver has filled are walked; which entries have no page `vm_normal_page()` says, not the bit for it alone. */
  readonly walksMixedMaps: boolean
  /** Private memory of other devices is faulted back. */
  readonly faultsForeignPrivate: boolean
  /** `HMM_PFN_INOUT_FLAGS` of a word stay in its result. */
  readonly keepsDmaFlags: boolean
  /** What it does wrong. */
  readonly bugs: readonly string[]
}
const LATEST: WalkRules = { walksMixedMaps: true, faultsForeignPrivate: true, keepsDmaFlags: true, bugs: [] }

/** Goes on with a walk. It is done when `last` is the end of the range; stopped if `stop` says why; else out of budget. */
export function walk(memory: Memory, name: MmName, range: HmmRange, before: Walk, budget: number, rules: WalkRules = LATEST): Walk {
  const mm = mmOf(memory, name)
  return produce<Walk, Walking>(before, draft => {
    // The loop works on what will be written to the draft in the end: reading a draft costs thirty times as much.
    const walking: Walking = { last: before.last, array: before.array, stop: null, kept: rules.keepsDmaFlags ? HMM_PFN_INOUT_FLAGS : 0 }
    for (let left = budget; left > 0 && walking.last < range.end && walking.stop === null;)
      left -= walkPart(mm, range, walking, left, rules)
    const { last, array, stop } = walking
    Object.assign(draft, { last, array, stop })
  })
}

/** A walk under way; `kept` are the flags of a word that a result leaves in it. */
type Walking = { -readonly [K in keyof Walk]: Walk[K] } & { readonly kept: number }

/** One part: a gap, an area that cannot be walked, a hole, a huge entry, or entries of one PTE table. Answers the entries it covered. */
function walkPart(mm: Mm, range: HmmRange, w: Walking, budget: number, rules: WalkRules): number {
  const vma = findVma(mm.vmas, w.last)
  if (vma === undefined || w.last < vma.start) return refused(range, w, page(Math.min(range.end, vma?.start ?? range.end)))
  const end = page(Math.min(range.end, vma.end))
  if (!has(vma, VM_READ) || has(vma, rules.walksMixedMaps ? VM_IO | VM_PFNMAP : VM_IO | VM_PFNMAP | VM_MIXEDMAP))
    return refused(range, w, end)
  for (const level of ['pgd', 'pud', 'pmd'] as const) {
    const entry = mm[level].get(indexAt(level, w.last))
    // Of 2 MiB pages of the pool, holes are 2 MiB, whatever table is missing.
    const stop = endAt(has(vma, VM_HUGETLB) ? 'pmd' : level, w.last, end)
    if (entry === NONE) return level === 'pmd' && has(vma, VM_HUGETLB) ? huge(range, w, vma, level, entry, stop) : hole(range, w, vma, stop)
    if (level !== 'pgd' && isPresent(entry)) return huge(range, w, vma, level, entry, stop)
    if (level === 'pmd' && entry !== TABLE) return absentHuge(range, w, vma, entry, stop)
  }
  return entries(mm, range, w, vma, endAt('pmd', w.last, end), budget, rules)
}

/** `hmm_vma_walk_test()`, and gaps: nothing there is the device's business; only who asks for it is told so. */
function refused(range: HmmRange, w: Walking, end: Page): number {
  return needIn(range, w.array, w.last, end, 0) === NO_FAULT ? fill(w, end, HMM_PFN_ERROR) : fail(w, 'EFAULT')
}

/** `hmm_vma_walk_hole()` inside an area. */
function hole(range: HmmRange, w: Walking, vma: Vma, end: Page): number {
  const need = needIn(range, w.array, w.last, end, 0)
  return need === NO_FAULT ? fill(w, end, 0) : fault(w, vma, end, need)
}

/** `hmm_vma_handle_pmd()`, `hmm_vma_walk_pud()`, and hugetlb, of which only the first page's request counts. */
function huge(range: HmmRange, w: Walking, vma: Vma, level: Exclude<Level, 'pgd' | 'pte'>, entry: number, end: Page): number {
  const cpu = isPresent(entry) && (entry & PROTNONE) === 0 ? entry & (HMM_PFN_VALID | HMM_PFN_WRITE) : 0
  const need = has(vma, VM_HUGETLB) ? needOf(range, w.array.get(w.last), cpu) : needIn(range, w.array, w.last, end, cpu)
  if (need !== NO_FAULT) return fault(w, vma, end, need)
  const frame = frameOf(entry) + (w.last - pageAt(level, indexAt(level, w.last)))
  const step = cpu === 0 ? 0 : NEXT_FRAME
  return fill(w, end, (cpu === 0 ? 0 : frame * NEXT_FRAME) | cpu | ORDER[level], step)
}

/**
 * `hmm_vma_handle_absent_pmd()`: a large folio of the caller's own is reported where it is, by frames that begin with its first
 * wherever the walk comes in; one of somebody else is faulted in if it is asked for, and else an error.
 */
function absentHuge(range: HmmRange, w: Walking, vma: Vma, entry: number, end: Page): number {
  const own = absentWord(entry, range)
  if (own !== 0) return fill(w, end, own | ORDER.pmd, NEXT_FRAME)
  const need = needIn(range, w.array, w.last, end, 0)
  if (need === NO_FAULT) return fill(w, end, HMM_PFN_ERROR)
  if (!isMigration(entry)) return fault(w, vma, end, need)
  w.stop = { why: 'migration', frame: frameOf(entry) }
  return 1
}

/** `hmm_vma_handle_pte()` from `last` on, as far as entries satisfy what is requested of them. */
function entries(mm: Mm, range: HmmRange, w: Walking, vma: Vma, end: Page, budget: number, rules: WalkRules): number {
  const isRaw = rules.walksMixedMaps ? hasNoPage : isSpecial
  const until = Math.min(end, w.last + budget)
  const asks = (range.defaultFlags | range.pfnFlagsMask) & HMM_PFN_VALID
  let at: number = until
  let need: Need = NO_FAULT
  if (asks !== 0) {
    for (at = w.last; at < until; at++) {
      const entry = mm.pte.get(at)
      const cpu = wordOf(entry, range)
      // The caller's own pages are not faulted in, whatever is asked of them: they are reported as they are.
      const asks = (cpu === 0 || isPresent(entry)) && !overlooks(rules, entry)
      need = asks ? needOf(range, w.array.get(at), cpu) : NO_FAULT
      // Raw frames are nothing that a device could have, though they may be written.
      if (need !== NO_FAULT || (isRaw(entry) && needOf(range, w.array.get(at), 0) !== NO_FAULT)) break
    }
  }
  const covered = at - w.last
  w.array = w.array.rewrite(w.last, covered, wordsFrom(mm.pte, range, isRaw, w.kept))
  w.last = page(at)
  if (at === until) return Math.max(covered, 1)
  const entry = mm.pte.get(at)
  if (need === NO_FAULT || isBeyondFault(entry, rules)) return covered + fail(w, 'EFAULT')
  if (isMigration(entry)) {
    w.stop = { why: 'migration', frame: frameOf(entry) }
    return covered + 1
  }
  return covered + fault(w, vma, end, need)
}

/** Entries that a bug takes for nothing, so that nobody asks what they need. */
const overlooks = ({ bugs }: WalkRules, entry: number): boolean =>
  bugs.length > 0 && ((isMigration(entry) && bugs.includes('migrationNotAwaited')) || (isSwap(entry) && bugs.includes('swapNotFaulted')))

/** Entries that no fault would put right: damaged memory, and once, private memory of other devices. */
function isBeyondFault(entry: number, { faultsForeignPrivate }: WalkRules): boolean {
  const kind = kindOf(entry)
  return kind === '!hwpoison' || (!faultsForeignPrivate && kind.startsWith('!devpriv'))
}

/** The results for entries that need nothing, leaf by leaf. */
function wordsFrom(pte: Table, range: HmmRange, isRaw: (entry: number) => boolean, kept: number): Rewrite {
  return (copy, from, to, base) => {
    const leaf = pte.leaf(base) ?? NO_ENTRIES
    for (let i = from; i < to; i++) {
      const entry = leaf[i] ?? NONE
      copy[i] = ((copy[i] ?? 0) & kept) | (mayHaveNoPage(entry) && isRaw(entry) ? HMM_PFN_ERROR : wordOf(entry, range))
    }
  }
}

/** What the CPU may do with a page is what the device may: VALID and WRITE are the entry's own bits, and so is the frame. */
const wordOf = (entry: number, range: HmmRange): number =>
  (entry & (PRESENT | PROTNONE)) === PRESENT ? entry & FRAME_AND_FLAGS : entry === NONE || isPresent(entry) ? 0 : absentWord(entry, range)

/** A present entry of a frame that is no page: driver mappings of raw frames. */
const hasNoPage = (entry: number): boolean => (entry & (PRESENT | DEVMAP)) === PRESENT && !hasPage(entry) && frameOf(entry) !== ZERO_PFN
/** The same by `pte_special()` alone, which is never so where entries have no bit for it. */
const isSpecial = (entry: number): boolean => (entry & (PRESENT | SPECIAL | DEVMAP)) === (PRESENT | SPECIAL) && frameOf(entry) !== ZERO_PFN

/** Of entries that are not present, only the caller's own device-private pages count: they are left where they are. */
function absentWord(entry: number, { owned }: HmmRange): number {
  const frame = frameOf(entry)
  if (owned === null || frame < owned.first || frame >= owned.end) return 0
  const kind = kindOf(entry)
  if (kind === '!devpriv-w') return frame * NEXT_FRAME + (HMM_PFN_VALID | HMM_PFN_WRITE)
  return kind === '!devpriv-r' ? frame * NEXT_FRAME + HMM_PFN_VALID : 0
}

/** `hmm_pte_need_fault()` */
export function needOf(range: HmmRange, word: number, cpu: number): Need {
  const asked = (word & range.pfnFlagsMask) | range.defaultFlags
  if ((asked & HMM_PFN_VALID) === 0) return NO_FAULT
  if ((asked & HMM_PFN_WRITE) !== 0 && (cpu & HMM_PFN_WRITE) === 0) return NEED_WRITE_FAULT
  return (cpu & HMM_PFN_VALID) === 0 ? NEED_FAULT : NO_FAULT
}

/** `hmm_range_need_fault()`: what all pages of a part need together. */
export function needIn(range: HmmRange, array: Table, start: Page, end: Page, cpu: number): Need {
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

/** The results up to `end`, the first of them `word`, each by `step` more than the one before. */
function fill(w: Walking, end: Page, word: number, step = 0): number {
  const { last, kept } = w
  w.array = w.array.rewrite(last, end - last, (copy, from, to, base) => {
    for (let i = from, v = word + (base + from - last) * step; i < to; i++, v += step) copy[i] = ((copy[i] ?? 0) & kept) | v
  })
  w.last = end
  return 1
}

function fail(w: Walking, errno: 'EFAULT' | 'EPERM'): number {
  w.stop = { why: 'error', errno }
  return 1
}
