/**
 * What the CPU knows of entries that it has used (the TLB), as far as it can come apart from them: of entries of 2 MiB and
 * 1 GiB of DAX memory, which some kernels take away without flushing.
 */
import { pageAt, type Level } from './address.ts'
import { frameOf, NONE, type Entry } from './entry.ts'
import type { Table } from './table.ts'

/** `flush_tlb_range()`: whoever takes a right or its frame from an entry sees to it that the CPU forgets it. */
export function flushed(tlb: Table, entries: Table, level: Exclude<Level, 'pte'>, index: number, count: number, entry: Entry): Table {
  let left = tlb
  for (let i = index; i < index + count; i++) {
    const old = entries.get(i)
    if (old === NONE || (frameOf(old) === frameOf(entry) && (old & ~entry) === 0)) continue
    for (const [first, n] of tlb.runs(pageAt(level, i), pageAt(level, i + 1))) left = left.setRange(first, n, 0, 0)
  }
  return left
}
