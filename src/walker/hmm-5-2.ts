/**
 * The walk of `hmm_range_fault()` and `hmm_range_snapshot()` as they were from Linux 5.2 to 5.5 (mm/hmm.c), as an immutable
 * reducer: area by area, each with the gap before it; it stops behind each, and where something has to happen first.
 *
 * Entries of DAX memory are told while their page map is held (`hmm_vma_walk.pgmap`): it is taken for the first of them, kept
 * for those behind it, and put behind a table of small entries, behind a huge one, and before a fault. A walk that ends with
 * an error puts nothing: what it held then it holds for ever.
 *
 * It writes results over the requests of pages that it has yet to fault in, so these count once only; and what it answers
 * is not how far it has come but `last`, which only parts that were walked to their end move on.
 */
import { produce } from 'immer'
import { endAt, indexAt, page, pageAt, pfn, type Page } from '../memory/address.ts'
import { DEVMAP, frameOf, isPresent, isSwap, isWritable, kindOf, NEXT_FRAME, NONE, PRESENT, PROTNONE, SPECIAL } from '../memory/entry.ts'
import { isDying, pagemapOf } from '../memory/dax.ts'
import { mmOf, ZERO_PFN, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import { findVma, has, VM_HUGETLB, VM_IO, VM_MIXEDMAP, VM_PFNMAP, VM_READ, VM_WRITE, type Vma } from '../memory/vma.ts'
import type { Table } from '../memory/table.ts'
import type { AreaRules } from './area-rules.ts'
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
/** `HMM_PFN_DEVICE_PRIVATE`, until v5.6: the page is in device memory; who asks for that wants it brought back. */
export const HMM_PFN_DEVICE_PRIVATE = 16

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
  /** An entry of 1 GiB that it cannot tell is to be split. */
  | { readonly why: 'split' }
  /** The page map of the next page is dying: to be walked again. */
  | { readonly why: 'busy' }
  | { readonly why: 'error'; readonly errno: 'EFAULT' | 'EPERM' | 'EINVAL' }

export interface AreaWalk {
  /** Where it goes on. */
  readonly at: Page
  /** `hmm_vma_walk.last`: what counts as processed ends here, and after a fault the walk begins here again. */
  readonly last: Page
  readonly array: Table
  /** The page map to which it has a reference. */
  readonly pgmap: string | null
  /** The page map whose reference is to be put, now. */
  readonly put: string | null
  /** null: it is out of budget, or just has a page map to put. */
  readonly stop: AreaStop | null
}
type Walking = { -readonly [K in keyof AreaWalk]: AreaWalk[K] }

/** What a walk is of. */
interface Of {
  readonly memory: Memory
  readonly mm: Mm
  readonly range: HmmRange
  readonly rules: AreaRules
}

/** Goes on with the walk of an area, and the gap before it. */
export function walkArea(memory: Memory, name: MmName, range: HmmRange, rules: AreaRules, before: AreaWalk, budget: number): AreaWalk {
  const of = { memory, mm: mmOf(memory, name), range, rules }
  return produce<AreaWalk, Walking>(before, draft => {
    const walking: Walking = { ...before, put: null, stop: null }
    for (let left = budget; left > 0 && walking.stop === null && walking.put === null;) left -= walkPart(of, walking, left)
    Object.assign(draft, walking)
  })
}

/** One part: a hole, a huge entry, or entries of one PTE table. Answers how many entries it covered. */
function walkPart(of: Of, w: Walking, budget: number): number {
  const { mm, range, rules } = of
  // The next area, wherever it begins: of a gap, the rights of the area behind it are asked.
  const vma = findVma(mm.vmas, w.at)
  if (vma === undefined || has(vma, VM_IO | VM_PFNMAP | VM_MIXEDMAP)) return stop(w, { why: 'error', errno: 'EFAULT' })
  if (!rules.mirrorsDax && isDax(of.memory, vma)) return refusedWhole(range, w, HMM_PFN_SPECIAL, 'EINVAL')
  if (!has(vma, VM_READ)) return refusedWhole(range, w, NONE, 'EPERM')
  const areaEnd = page(Math.min(range.end, vma.end))
  const covered = w.at < vma.start ? gap(of, w, page(Math.min(range.end, vma.start))) : inArea(of, w, vma, areaEnd, budget)
  if (w.stop === null && w.at === areaEnd) w.stop = { why: 'area' }
  // Before v5.4 a snapshot does not hear of what ends a walk: it goes on with the next area, and forgets what it holds.
  if (range.snapshot === true && !rules.snapshotFails && (w.stop?.why === 'error' || w.stop?.why === 'busy'))
    Object.assign(w, { at: areaEnd, stop: { why: 'area' } })
  return covered
}

/** `vma_is_dax()` */
function isDax({ files }: Memory, { file }: Vma): boolean {
  const kind = files[file]?.kind
  return kind === 'dax' || kind === 'devdax'
}

/** `hmm_pfns_special()`, `hmm_pfns_clear()`: an area that is refused before the walk leaves one value in all of the array. */
function refusedWhole({ start, end }: HmmRange, w: Walking, word: number, errno: 'EINVAL' | 'EPERM'): number {
  w.array = w.array.setRange(start, end - start, word, 0)
  return stop(w, { why: 'error', errno })
}

function gap(of: Of, w: Walking, end: Page): number {
  const level = of.mm.pgd.get(indexAt('pgd', w.at)) === NONE ? 'pgd' : 'pud'
  const stopAt = endAt(level, w.at, end)
  const need = needsIn(of.range, w, stopAt, 0)
  hole(w, stopAt, need)
  if (need === NO_FAULT) return 1
  return of.rules.faultsInGaps ? stop(w, { why: 'null vma' }) : failed(of, w, 'EFAULT')
}

function inArea(of: Of, w: Walking, vma: Vma, end: Page, budget: number): number {
  const { mm, range, rules } = of
  for (const level of ['pgd', 'pud', 'pmd'] as const) {
    const entry = mm[level].get(indexAt(level, w.at))
    const pooled = has(vma, VM_HUGETLB)
    const stopAt = endAt(pooled ? 'pmd' : level, w.at, end)
    if (level === 'pmd' && pooled) return rules.hugetlb ? poolEntry(of, w, vma, entry, stopAt) : failed(of, w, 'EINVAL')
    if (entry === NONE) return holeIn(of, w, vma, stopAt, needsIn(range, w, stopAt, 0))
    if (level === 'pgd' || !isPresent(entry)) continue
    if (level === 'pmd' && !rules.thp) return failed(of, w, 'EINVAL')
    if (level === 'pud' && !(rules.mirrorsDax && (entry & DEVMAP) !== 0)) return stop(w, { why: 'split' })
    return huge(of, w, vma, level, entry, stopAt)
  }
  return entries(of, w, vma, endAt('pmd', w.at, end), budget)
}

const needsIn = (range: HmmRange, { at, array }: Walking, end: Page, cpu: number): Need =>
  range.snapshot === true ? NO_FAULT : needIn(range, array, at, end, cpu)
const needsOf = (range: HmmRange, word: number, cpu: number): Need => (range.snapshot === true ? NO_FAULT : needOf(range, word, cpu))

/** `hmm_vma_walk_hole_()` within an area. */
function holeIn(of: Of, w: Walking, vma: Vma, end: Page, need: Need): number {
  if (need !== NEED_WRITE_FAULT || has(vma, VM_WRITE) || !of.rules.knowsWriteRight) return hole(w, end, need)
  w.last = w.at
  return failed(of, w, 'EPERM')
}

/** Nothing is there, or it has to be faulted in; either way the requests up to `end` are gone. */
function hole(w: Walking, end: Page, need: Need): number {
  w.last = w.at
  w.array = w.array.setRange(w.at, end - w.at, NONE, 0)
  if (need !== NO_FAULT) return stop(w, { why: 'fault', end, write: need === NEED_WRITE_FAULT })
  w.at = end
  return 1
}

const rightsOf = (entry: number): number => (isPresent(entry) ? HMM_PFN_VALID | (isWritable(entry) ? HMM_PFN_WRITE : 0) : 0)

/** `hmm_vma_handle_pmd()`, `hmm_vma_walk_pud()` */
function huge(of: Of, w: Walking, vma: Vma, level: 'pud' | 'pmd', entry: number, end: Page): number {
  const { range, rules } = of
  const cpu = (entry & PROTNONE) === 0 ? rightsOf(entry) : 0
  const need = needsIn(range, w, end, cpu)
  if (need !== NO_FAULT || cpu === 0) return holeIn(of, w, vma, end, need)
  if (level === 'pud' && !rules.hugetlb) return failed(of, w, 'EINVAL')
  if (!holds(of, w, entry)) return stop(w, { why: 'busy' })
  mapped(w, end, frameOf(entry) + (w.at - pageAt(level, indexAt(level, w.at))), cpu)
  put(w)
  return 1
}

/** `hmm_vma_walk_hugetlb_entry()`: the first page's request decides, and an empty slot counts as a page. */
function poolEntry(of: Of, w: Walking, vma: Vma, entry: number, end: Page): number {
  if (!of.rules.hugetlb) return failed(of, w, 'EINVAL')
  const cpu = rightsOf(entry)
  const need = needsOf(of.range, w.array.get(w.at), cpu)
  if (need !== NO_FAULT) return holeIn(of, w, vma, end, need)
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
function entries(of: Of, w: Walking, vma: Vma, end: Page, budget: number): number {
  const { mm, range, rules } = of
  const until = Math.min(end, w.at + budget)
  let at: number = w.at
  let need: Need = NO_FAULT
  let busy = false
  for (; at < until; at++) {
    const entry = mm.pte.get(at)
    // A page on its way is taken for nothing, and never waited for; in v5.2 and v5.3, so is one in swap.
    const asks = entry === NONE || isPresent(entry) || (rules.faultsSwap && isSwap(entry))
    need = asks || wantsBack(range, w.array.get(at), entry) ? needsOf(range, w.array.get(at), rightsOf(entry)) : NO_FAULT
    if (need !== NO_FAULT || refusal(rules, entry) !== NONE) break
    busy = !holds(of, w, entry)
    if (busy) break
  }
  const covered = at - w.at
  w.array = w.array.update(w.at, covered, (_, p) => wordOf(mm.pte.get(p)))
  w.at = page(at)
  if (at === end) {
    w.last = end
    put(w)
  }
  if (at === until) return Math.max(covered, 1)
  if (need !== NO_FAULT) {
    put(w)
    return covered + holeIn(of, w, vma, end, need)
  }
  w.last = w.at
  // Whatever is found there, the request is gone.
  w.array = w.array.set(at, busy ? NONE : refusal(rules, mm.pte.get(at)))
  return covered + (busy ? stop(w, { why: 'busy' }) : failed(of, w, 'EFAULT'))
}

/** `get_dev_pagemap()`: of an entry of DAX memory the page map is taken, if it is not held already; a dying one cannot be had. */
function holds({ memory, rules }: Of, w: Walking, entry: number): boolean {
  if (!rules.holdsPagemap || !isPresent(entry) || (entry & DEVMAP) === 0) return true
  // The page map of what one area has mapped is one and the same.
  w.pgmap ??= takes(memory, pagemapOf(frameOf(entry)))
  return w.pgmap !== null
}
const takes = (memory: Memory, pagemap: string | undefined): string | null =>
  pagemap === undefined || isDying(memory, pagemap) ? null : pagemap

/** `put_dev_pagemap()` */
function put(w: Walking): void {
  w.put = w.pgmap
  w.pgmap = null
}

/** Device memory is reported where it is, whoever it belongs to. */
function wordOf(entry: number): number {
  if (isPresent(entry)) return entry & FRAME_AND_FLAGS
  const there = frameOf(entry) * NEXT_FRAME + (HMM_PFN_VALID | HMM_PFN_DEVICE_PRIVATE)
  const kind = kindOf(entry)
  if (kind === '!devpriv-w') return there | HMM_PFN_WRITE
  return kind === '!devpriv-r' ? there : NONE
}

/** Is it a page in device memory, asked for as one? */
const wantsBack = ({ defaultFlags, pfnFlagsMask }: HmmRange, word: number, entry: number): boolean =>
  (((word & pfnFlagsMask) | defaultFlags) & HMM_PFN_DEVICE_PRIVATE) !== 0 && kindOf(entry).startsWith('!devpriv')

/** What an entry ends the walk with: one without a page, the zero page among them at first, or damage. */
function refusal({ refusesSpecial, pteSpecial, sparesZeroPage }: AreaRules, entry: number): number {
  if (REFUSED.has(kindOf(entry))) return HMM_PFN_ERROR
  const special = (entry & (PRESENT | SPECIAL | DEVMAP)) === (PRESENT | SPECIAL)
  return special && refusesSpecial && pteSpecial && !(sparesZeroPage && frameOf(entry) === ZERO_PFN) ? HMM_PFN_SPECIAL : NONE
}
const REFUSED: ReadonlySet<string> = new Set(['!excl-r', '!excl-w', '!hwpoison', '!marker'])

/** The walk ends with an error: what was not processed comes back as nothing, but for a snapshot that does not hear of it. */
function failed({ range, rules }: Of, w: Walking, errno: 'EFAULT' | 'EPERM' | 'EINVAL'): number {
  if (range.snapshot !== true || rules.snapshotFails) w.array = w.array.setRange(w.last, range.end - w.last, NONE, 0)
  return stop(w, { why: 'error', errno })
}

function stop(w: Walking, why: AreaStop): number {
  w.stop = why
  return 1
}
