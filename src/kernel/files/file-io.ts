/** Reading and writing files by system calls (mm/filemap.c, mm/shmem.c). */
import { pfn } from '../../memory/address.ts'
import { frameOf, isPresent, isSwap, slotOf } from '../../memory/entry.ts'
import type { Fact } from '../../memory/facts.ts'
import { FOLIO_DIRTY } from '../../memory/frames.ts'
import { fileOf, PAGE_SIZE, pagesIn, type FileName, type Memory } from '../../memory/memory.ts'
import type { Rules } from '../agenda.ts'
import { cachedPages } from '../faults/filemap.ts'
import { contents } from '../pages/folio.ts'

/** What a page of a file begins with. */
function contentOf(memory: Memory, name: FileName, index: number): number {
  const { cache, blocks, size } = fileOf(memory, name)
  if (index * PAGE_SIZE >= size) return 0
  if (blocks.get(index) !== 0) return memory.frames.content.get(pfn(blocks.get(index)))
  const entry = cache.get(index)
  return isPresent(entry) ? memory.frames.content.get(frameOf(entry)) : isSwap(entry) ? memory.swap.content.get(slotOf(entry)) : 0
}

/** Pages of the file that are read come into the page cache. */
function read(memory: Memory, name: FileName, start: number, end: number): readonly Fact[] {
  const file = fileOf(memory, name)
  if (file.kind !== 'ext4') return []
  return cachedPages(
    memory,
    name,
    Array.from({ length: Math.max(Math.min(end, pagesIn(file)) - start, 0) }, (_, i) => start + i),
  ).facts
}

export const fileIoRules = {
  fallocate: (memory, { do: _do, ...pages }) =>
    fileOf(memory, pages.file).kind === 'dax' ? { then: [{ do: 'dax_allocate', ...pages }] } : {},
  pread: (memory, { file, start, end }, { array, profile }) => ({
    facts: profile.faultsReadAhead ? read(memory, file, start, end) : [],
    array: array.update(start, end - start, (_, index) => contentOf(memory, file, index)),
  }),

  pwrite: (memory, { do: _do, ...item }) => ({
    then: [{ do: fileOf(memory, item.file).kind === 'dax' ? 'dax_iomap_rw' : 'generic_perform_write', ...item }],
  }),
  // The pages are in the page cache, and dirty.
  generic_perform_write: (memory, item, { budget }) => {
    const { do: _, ...write } = item
    const { file, start, end, value, bytes } = write
    if (start >= end) return {}
    const until = Math.min(end, start + budget)
    const { frames, facts } = cachedPages(
      memory,
      file,
      Array.from({ length: until - start }, (_page, i) => start + i),
      FOLIO_DIRTY,
    )
    const size = (until - 1) * PAGE_SIZE + bytes
    const grown: readonly Fact[] = size > fileOf(memory, file).size ? [['size', file, size]] : []
    return {
      facts: [
        ...facts,
        ...grown,
        ...contents(
          memory.frames,
          frames.map((frame, i) => [frame, value + i]),
        ),
      ],
      then: [{ do: 'generic_perform_write', ...write, start: until, value: value + (until - start) }],
      cut: until < end,
    }
  },
} satisfies Partial<Rules>
