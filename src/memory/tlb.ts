/**
 * What the CPU knows of entries that it has used (the TLB), as far as it can come apart from them: of entries of 2 MiB and
 * 1 GiB of DAX memory, which some kernels take away without flushing, and of small entries that a kernel with such a bug does.
 */
import { page, pageAt, pfn, type Level, type Page } from './address.ts'
import { ACCESSED, DIRTY, frameOf, isPresent, NONE, present, wordOf, WRITE, type Entry } from './entry.ts'
import type { Fact } from './facts.ts'
import type { Mm, MmName } from './memory.ts'
import type { Table } from './table.ts'

/** `flush_tlb_range()`: whoever takes a right or its frame from an entry sees to it that the CPU forgets it. */
export function flushed(tlb: Table, entries: Table, level: Level, index: number, count: number, entry: Entry): Table {
  let left = tlb
  for (let i = index; i < index + count; i++) {
    const old = entries.get(i)
    const leads = level === 'pte' ? isPresent(old) : old !== NONE
    if (!leads || (frameOf(old) === frameOf(entry) && (old & ~entry) === 0)) continue
    for (const [first, n] of tlb.runs(pageAt(level, i), pageAt(level, i + 1))) left = left.setRange(first, n, 0, 0)
  }
  return left
}

/** Of an entry that is not dirty the CPU does not know that it may write: it has to mark it first. */
export const writableAtOnce = (entry: number): number => ((entry & (WRITE | DIRTY)) === (WRITE | DIRTY) ? WRITE : 0)

/** A small entry is gone, and nothing was flushed: if the CPU has used it, it goes on with what it knows. */
export const unflushed = (mm: MmName, at: Page, entry: Entry): readonly Fact[] =>
  isPresent(entry) && (entry & ACCESSED) !== 0
    ? [['tlb', mm, at, 1, wordOf(present(writableAtOnce(entry), frameOf(entry))), frameOf(entry), 1]]
    : []

/** Nothing is to be known of entries in [start, end) any more. */
export const flushTlb = (mm: MmName, { tlb }: Mm, start?: Page, end?: Page): readonly Fact[] =>
  [...tlb.runs(start, end)].map(([first, count]): Fact => ['tlb', mm, page(first), count, 'none', pfn(0), 0])
