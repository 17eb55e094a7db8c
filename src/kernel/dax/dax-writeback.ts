/** Files on DAX being written back: nothing moves, but who shares a page has it clean and read-only again (fs/dax.c, mm/rmap.c). */
import { indexAt, pfn, type Pfn } from '../../memory/address.ts'
import { DAX_DIRTY, daxKind } from '../../memory/dax.ts'
import { DIRTY, frameOf, isPresent, withoutFlags, WRITE } from '../../memory/entry.ts'
import { entries, type Fact } from '../../memory/facts.ts'
import { fileOf, HUGE_ZERO_PFN, mmOf, ZERO_PFN, type FileName, type Memory } from '../../memory/memory.ts'
import { has, VM_SHARED } from '../../memory/vma.ts'
import { section, type Item, type Outcome, type Rules } from '../agenda.ts'
import { entrySpan } from './dax-mapping.ts'
import { filePlaces } from '../pages/rmap.ts'

/** `dax_writeback_one()` on the next dirty entry: who shares it has it clean and read-only from now on. */
function writeNext(memory: Memory, item: Item<'dax_writeback_range'>): Outcome {
  const { file, end } = item
  const { dax } = fileOf(memory, file)
  let i = dax.next(item.start, end)
  while (i < end && (dax.get(i) & DAX_DIRTY) === 0) i = dax.next(i + 1, end)
  if (i >= end) return {}
  const span = entrySpan(dax, i)
  const count = span.end - span.start
  const frame = frameBehind(memory, file, span.start, count)
  return {
    then: [
      ...filePlaces(memory, file, span.start, count, vma => has(vma, VM_SHARED)).flatMap(({ mm, start, end: stop }) =>
        section({ mm, event: 'PROTECTION_PAGE', start, end: stop }, [{ do: 'pfn_mkclean_range', mm, start, end: stop, frame, count }]),
      ),
      { do: 'dax_store_entry', file, ...span, entry: dax.get(i) & ~DAX_DIRTY },
      ...(span.end < end ? [{ ...item, start: span.end }] : []),
    ],
  }
}
const frameBehind = (memory: Memory, file: FileName, start: number, count: number): Pfn => {
  const { dax, blocks } = fileOf(memory, file)
  return daxKind(dax.get(start)) === 'block' ? pfn(blocks.get(start)) : count === 1 ? ZERO_PFN : HUGE_ZERO_PFN
}

/** `page_vma_mkclean_one()`: of both sizes, those that map what is written back. */
function cleaned(memory: Memory, { mm: name, start, end, frame, count }: Item<'pfn_mkclean_range'>): readonly Fact[] {
  const mm = mmOf(memory, name)
  const facts: Fact[] = []
  for (const level of ['pmd', 'pte'] as const) {
    const [from, to] = level === 'pmd' ? [indexAt('pmd', start), indexAt('pmd', end)] : [start, end]
    for (let i = mm[level].next(from, to); i < to; i = mm[level].next(i + 1, to)) {
      const entry = mm[level].get(i)
      const maps = isPresent(entry) && frameOf(entry) >= frame && frameOf(entry) < frame + count
      if (maps && (entry & (WRITE | DIRTY)) !== 0) facts.push(entries(level, name, i, 1, withoutFlags(entry, WRITE | DIRTY)))
    }
  }
  return facts
}

export const daxWritebackRules = {
  dax_writeback_range: (memory, item) => writeNext(memory, item),
  pfn_mkclean_range: (memory, item) => {
    const facts = cleaned(memory, item)
    return facts.length === 0 ? {} : { facts }
  },
} satisfies Partial<Rules>
