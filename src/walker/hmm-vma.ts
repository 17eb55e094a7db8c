/**
 * The walk of `hmm_vma_get_pfns()` and `hmm_vma_fault()` (mm/hmm.c up to v4.16) as an immutable reducer: within one area,
 * with one answer to the question whether to write for all of it. It fills the array, whose words are those of hmm.ts, from
 * the page table, at most `budget` entries a call, and stops where a part has to be faulted first.
 *
 * A part that lacks anything is faulted from its first page to its last, and walked again from its first page; so where no
 * fault can make an entry what is asked for (write in an area without that right, 2 MiB without any), it goes on for ever.
 */
import { produce } from 'immer'
import { endAt, indexAt, page, pageAt, pmdStart, type Page, type Pfn } from '../memory/address.ts'
import { frameOf, isMigration, isPresent, isSwap, isWritable, kindOf, NEXT_FRAME, NONE, PROTNONE, WRITE } from '../memory/entry.ts'
import { mmOf, type Memory, type Mm, type MmName } from '../memory/memory.ts'
import { LEAF, type Rewrite, type Table } from '../memory/table.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE } from './hmm.ts'

/** Pages [start, end) of one area. */
export interface VmaRange {
  readonly start: Page
  readonly end: Page
  /** What is to be had of every page; null: what is there, and no more. */
  readonly fault: 'read' | 'write' | null
}

/** Why a walk stopped before its end. */
export type VmaStop =
  /** The part [start, end) is to be faulted in and walked again. */
  | { readonly why: 'fault'; readonly start: Page; readonly end: Page }
  /** A page is on its way from one frame to another. */
  | { readonly why: 'migration'; readonly frame: Pfn }

export interface VmaWalk {
  /** Pages before it have results in the array. */
  readonly last: Page
  readonly array: Table
  readonly stop: VmaStop | null
}

const NO_ENTRIES: readonly number[] = Array.from({ length: LEAF }, () => NONE)

/** A walk under way. */
type Walking = { -readonly [K in keyof VmaWalk]: VmaWalk[K] }

/** Goes on with a walk. It is done when `last` is the end of the range; stopped if `stop` says why; else out of budget. */
export function walkVma(memory: Memory, name: MmName, range: VmaRange, before: VmaWalk, budget: number): VmaWalk {
  const mm = mmOf(memory, name)
  return produce<VmaWalk, Walking>(before, draft => {
    const walking: Walking = { last: before.last, array: before.array, stop: null }
    for (let left = budget; left > 0 && walking.last < range.end && walking.stop === null;) left -= walkPart(mm, range, walking, left)
    Object.assign(draft, walking)
  })
}

/** One part: a hole, a 2 MiB entry, or entries of one table. Answers the entries it covered. */
function walkPart(mm: Mm, range: VmaRange, w: Walking, budget: number): number {
  for (const level of ['pgd', 'pud', 'pmd'] as const) {
    const entry = mm[level].get(indexAt(level, w.last))
    const end = endAt(level, w.last, range.end)
    if (entry === NONE) return range.fault === null ? fill(w, end, 0, 0) : fault(w, w.last, end)
    if (level === 'pmd' && isPresent(entry)) return huge(range, w, entry, end)
  }
  return entries(mm, range, w, budget)
}

/** `hmm_vma_walk_pmd()` on a 2 MiB entry: one without any right is never satisfied. */
function huge(range: VmaRange, w: Walking, entry: number, end: Page): number {
  if ((entry & PROTNONE) !== 0 || lacksWrite(range, entry)) return range.fault === null ? fill(w, end, 0, 0) : fault(w, w.last, end)
  const frame = frameOf(entry) + (w.last - pageAt('pmd', indexAt('pmd', w.last)))
  return fill(w, end, frame * NEXT_FRAME + flagsOf(entry), NEXT_FRAME)
}

const lacksWrite = ({ fault: asked }: VmaRange, entry: number): boolean => asked === 'write' && !isWritable(entry)
const flagsOf = (entry: number): number => HMM_PFN_VALID | ((entry & WRITE) === 0 ? 0 : HMM_PFN_WRITE)

/** `hmm_vma_walk_pmd()` on small entries, as far as none of them has to be faulted. */
function entries(mm: Mm, range: VmaRange, w: Walking, budget: number): number {
  const end = endAt('pmd', w.last, range.end)
  const until = Math.min(end, w.last + budget)
  let at: number = w.last
  while (at < until && (range.fault === null || !isWanted(range, mm.pte.get(at)))) at++
  const covered = at - w.last
  w.array = w.array.rewrite(w.last, covered, wordsFrom(mm.pte))
  w.last = page(at)
  if (at === until) return Math.max(covered, 1)
  const entry = mm.pte.get(at)
  if (isMigration(entry)) {
    w.stop = { why: 'migration', frame: frameOf(entry) }
    return covered + 1
  }
  return covered + fault(w, page(Math.max(range.start, pmdStart(w.last))), end)
}

/** Does an entry have to be faulted first? That the area may not be read does not matter. */
function isWanted(range: VmaRange, entry: number): boolean {
  if (isPresent(entry)) return lacksWrite(range, entry)
  return entry === NONE || isSwap(entry) || isMigration(entry) || (kindOf(entry) === '!devpriv-r' && range.fault === 'write')
}

/** The results for entries that need nothing, leaf by leaf. */
function wordsFrom(pte: Table): Rewrite {
  return (copy, from, to, base) => {
    const leaf = pte.leaf(base) ?? NO_ENTRIES
    for (let i = from; i < to; i++) copy[i] = wordOf(leaf[i] ?? NONE)
  }
}

/** A device's private page counts wherever it is, whoever asks. */
function wordOf(entry: number): number {
  if (isPresent(entry)) return frameOf(entry) * NEXT_FRAME + flagsOf(entry)
  const kind = kindOf(entry)
  if (kind === '!devpriv-r' || kind === '!devpriv-w')
    return frameOf(entry) * NEXT_FRAME + (kind === '!devpriv-w' ? HMM_PFN_VALID | HMM_PFN_WRITE : HMM_PFN_VALID)
  return entry === NONE || isSwap(entry) || isMigration(entry) ? 0 : HMM_PFN_ERROR
}

/** `hmm_vma_walk_hole()`, `hmm_vma_walk_clear()`: the whole part is to be faulted. */
function fault(w: Walking, start: Page, end: Page): number {
  w.last = start
  w.array = w.array.setRange(start, end - start, 0, 0)
  w.stop = { why: 'fault', start, end }
  return 1
}

function fill(w: Walking, end: Page, word: number, step: number): number {
  w.array = w.array.setRange(w.last, end - w.last, word, step)
  w.last = end
  return 1
}
