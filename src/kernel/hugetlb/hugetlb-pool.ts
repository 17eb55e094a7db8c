/**
 * The pool of 2 MiB pages (mm/hugetlb.c). Pages are promised to a mapping when it is made, so that faults find them: to
 * shared memory by its file, to private memory by the area that was mapped, but not to copies of it that a fork makes.
 */
import { PMD_PAGES, type Page, type Pfn } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { EXCLUSIVE, LARGE, POOL, stateWord } from '../../memory/frames.ts'
import type { FileName, Memory } from '../../memory/memory.ts'
import { Table } from '../../memory/table.ts'
import { has, HPAGE_RESV_OWNER, linearIndex, VM_MAYSHARE, type Vma } from '../../memory/vma.ts'
import { freeBlock } from '../pages/folio.ts'
import type { Profile } from '../profiles.ts'

/** `vma_hugecache_offset()`: the index of a page's 2 MiB in its file. */
export const hugeIndex = (vma: Vma, at: Page): number => Math.floor(linearIndex(vma, at) / PMD_PAGES)

const promises = ({ pool }: Memory, file: FileName): Table => pool.promised[file] ?? Table.empty

/** `vma_has_reserves()`: is a page promised to this area there? */
export const isPromised = (memory: Memory, vma: Vma, index: number): boolean =>
  has(vma, VM_MAYSHARE | HPAGE_RESV_OWNER) && promises(memory, vma.file).get(index) === 1

/** `available_huge_pages()`: pages that nobody has, and that nobody was promised. */
const available = ({ pool }: Memory): number => pool.free - pool.reserved

/** `hugetlb_reserve_pages()`: so many pages for a new file; undefined if there are not enough. */
export const reserved = (memory: Memory, file: FileName, count: number): readonly Fact[] | undefined =>
  available(memory) < count
    ? undefined
    : [
        ['reserved', count],
        ['promised', file, 0, count, 1],
      ]

/** What is still promised of pages [index, end) of a file is taken back. */
export function unreserved(memory: Memory, file: FileName, index: number, end: number): readonly Fact[] {
  let count = 0
  for (const [, n] of promises(memory, file).runs(index, end)) count += n
  return count === 0
    ? []
    : [
        ['promised', file, index, end - index, 0],
        ['reserved', -count],
      ]
}

/** A page of the pool that is to be mapped, and what taking it changes. */
interface Taken {
  readonly frame: Pfn
  readonly facts: readonly Fact[]
}

/** `alloc_hugetlb_folio()`: the page that was promised, else one that nobody was; undefined if there is none. */
export function takePoolPage(memory: Memory, vma: Vma, index: number, kind: 'anon' | 'file', profile: Profile): Taken | undefined {
  const promised = isPromised(memory, vma, index)
  if (!promised && available(memory) <= 0) return undefined
  const frame = freeBlock(memory.frames)
  const exclusive = kind === 'anon' && profile.tracksExclusive ? EXCLUSIVE : 0
  const kept: readonly Fact[] = promised
    ? [
        ['promised', vma.file, index, 1, 0],
        ['reserved', -1],
      ]
    : []
  return { frame, facts: [['folio', frame, stateWord(kind, exclusive | LARGE | POOL), 1], ...kept] }
}
