/** The entries that the mapping of a file on DAX keeps (fs/dax.c). */
import { PMD_PAGES } from '../../memory/address.ts'
import { DAX_DIRTY, DAX_NONE, DAX_PMD, daxWord } from '../../memory/dax.ts'
import type { Fact } from '../../memory/facts.ts'
import { fileOf, type FileName, type Memory } from '../../memory/memory.ts'
import { INDEX_LIMIT, type Table } from '../../memory/table.ts'
import { blockStart } from './blocks.ts'

/** `mapping_empty()` */
export const isUnused = (dax: Table): boolean => dax.next(0, INDEX_LIMIT) === INDEX_LIMIT

/** The indices of the entry that an index belongs to. */
export function entrySpan(dax: Table, index: number): { readonly start: number; readonly end: number } {
  const huge = (dax.get(index) & DAX_PMD) !== 0
  return huge ? { start: blockStart(index), end: blockStart(index) + PMD_PAGES } : { start: index, end: index + 1 }
}

/** `__dax_invalidate_entry()`: entries that [start, end) meets go, all of them, or only those that are clean. */
export function daxEntriesGone(memory: Memory, file: FileName, start: number, end: number, which: 'all' | 'clean'): readonly Fact[] {
  const { dax } = fileOf(memory, file)
  const facts: Fact[] = []
  for (let i = dax.next(start, end); i < end;) {
    const span = entrySpan(dax, i)
    if (which === 'all' || (dax.get(i) & DAX_DIRTY) === 0) facts.push(['dax', file, span.start, span.end - span.start, daxWord(DAX_NONE)])
    i = span.end < end ? dax.next(span.end, end) : end
  }
  return facts
}
