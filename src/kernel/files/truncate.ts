/**
 * Files that lose pages: `ftruncate()`, and holes that are punched (mm/truncate.c, mm/shmem.c, fs/ext4/inode.c). Every
 * mapping loses its entries first, then the page cache its pages.
 */
import type { Pfn } from '../../memory/address.ts'
import { DIRTY, frameOf, isPresent, isSwap, NONE, slotOf, withoutFlags, WRITE } from '../../memory/entry.ts'
import { cached, pte, type Fact } from '../../memory/facts.ts'
import { FOLIO_DIRTY, frameFlags, stateWord } from '../../memory/frames.ts'
import { fileOf, mmOf, PAGE_SIZE, pagesIn, type FileKind, type FileName, type Memory } from '../../memory/memory.ts'
import { INDEX_LIMIT } from '../../memory/table.ts'
import { has, VM_SHARED } from '../../memory/vma.ts'
import { section, type Agenda, type FilePages, type Item, type Outcome, type Rules } from '../agenda.ts'
import { daxEntriesGone } from '../dax/dax-mapping.ts'
import { flagged, overRuns } from '../pages/folio.ts'
import { drained, zapDrain } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { filePlaces } from '../pages/rmap.ts'

/** Behind every page that a file can have. */
export const FILE_END = INDEX_LIMIT

/** The pages of [start, end) leave the page cache and swap. */
export function uncachedPages(memory: Memory, name: FileName, start: number, end: number): readonly Fact[] {
  const { cache } = fileOf(memory, name)
  const facts: Fact[] = []
  const frames: Pfn[] = []
  for (let i = cache.next(start, end); i < end; i = cache.next(i + 1, end)) {
    const entry = cache.get(i)
    facts.push(cached(name, i, NONE))
    if (isPresent(entry)) frames.push(frameOf(entry))
    else if (isSwap(entry)) facts.push(['swap-refs', slotOf(entry), -1])
  }
  return [...facts, ...overRuns(frames, (first, count) => [['refs', first, count, -1]])]
}

/** The first index in [start, end) whose page is in memory and is `wanted`; `end` if there is none. */
function nextCached(memory: Memory, { file, start, end }: FilePages, wanted: (frame: Pfn) => boolean): number {
  const { cache } = fileOf(memory, file)
  let i = cache.next(start, end)
  while (i < end && !(isPresent(cache.get(i)) && wanted(frameOf(cache.get(i))))) i = cache.next(i + 1, end)
  return i
}

/** What is cut off is unmapped twice: a copy of a private mapping may have been made in between. */
export const truncatePagecache = (file: FileName, start: number): Agenda => {
  const pages = { file, start, end: FILE_END }
  return [
    { do: 'unmap_mapping_range', ...pages, evenCows: true },
    { do: 'truncate_inode_pages_range', ...pages },
    { do: 'unmap_mapping_range', ...pages, evenCows: true },
  ]
}

/** `shmem_setattr()` unmaps only if pages are cut off, `ext4_setattr()` whatever the new size is. */
function resized(memory: Memory, { file, size }: Item<'ftruncate'>): Outcome {
  const old = fileOf(memory, file)
  const facts: readonly Fact[] = old.size === size ? [] : [['size', file, size]]
  const start = pagesIn({ size })
  const then = old.kind === 'ext4' || old.size > start * PAGE_SIZE ? truncatePagecache(file, start) : []
  return facts.length === 0 ? { then } : { facts, then }
}

/** `truncate_pagecache_range()`, `shmem_truncate_range()`: private copies stay. */
export const truncatePagecacheRange = (pages: FilePages): Agenda => [
  { do: 'unmap_mapping_range', ...pages, evenCows: false },
  { do: 'truncate_inode_pages_range', ...pages },
]

/** `ext4_punch_hole()`: nothing behind the end of the file, but for one page more in kernels that round up past it. */
function ext4PunchHole(memory: Memory, { file, start, end }: FilePages, profile: Profile): Agenda {
  const before = fileOf(memory, file)
  const behind = profile.punchPassesEnd ? Math.floor(before.size / PAGE_SIZE) + 1 : pagesIn(before)
  const written: Agenda = profile.punchWritesBack ? [{ do: 'filemap_write_range', file, start, end }] : []
  return start * PAGE_SIZE >= before.size ? written : [...written, ...truncatePagecacheRange({ file, start, end: Math.min(end, behind) })]
}

/** Files of which this file knows how they lose pages. */
const TRUNCATED: ReadonlySet<FileKind> = new Set<FileKind>(['shmem', 'memfd', 'ext4'])

/** `page_vma_mkclean_one()`: the entry is clean and read-only, so that the next write is noticed. */
function cleaned(memory: Memory, { mm, page: at, folio }: Item<'page_mkclean'>): Outcome {
  const entry = mmOf(memory, mm).pte.get(at)
  if (!isPresent(entry) || frameOf(entry) !== folio || (entry & (DIRTY | WRITE)) === 0) return {}
  return { facts: [pte(mm, at, withoutFlags(entry, DIRTY | WRITE))] }
}

/**
 * `folio_clear_dirty_for_io()` on the next dirty pages: those that nobody maps, or one that somebody does; then all who
 * share it are told, whether they map it or not.
 */
function writeNext(memory: Memory, item: Item<'filemap_write_range'>): Outcome {
  const { frames } = memory
  const { file, start, end } = item
  const { cache } = fileOf(memory, file)
  const dirtyFrom = (from: number): number =>
    nextCached(memory, { file, start: from, end }, frame => (frameFlags(frames, frame) & FOLIO_DIRTY) !== 0)
  const unmapped: Pfn[] = []
  let index = dirtyFrom(start)
  for (; index < end && frames.maps.get(frameOf(cache.get(index))) === 0; index = dirtyFrom(index + 1))
    unmapped.push(frameOf(cache.get(index)))
  if (unmapped.length > 0) {
    const clean = overRuns(unmapped, (first, count) => [['state', first, count, stateWord('file')]])
    return { facts: clean, then: [{ ...item, start: index }] }
  }
  if (index >= end) return {}
  const folio = frameOf(cache.get(index))
  const sharing = filePlaces(memory, file, index, 1, vma => has(vma, VM_SHARED))
  return {
    then: [
      ...sharing.flatMap(place =>
        section({ ...place, event: 'PROTECTION_PAGE' }, [{ do: 'page_mkclean', mm: place.mm, page: place.start, folio }]),
      ),
      { do: 'folio_clear_dirty', folio },
      { ...item, start: index + 1 },
    ],
  }
}

export const truncateRules = {
  ftruncate: (memory, item) => {
    const { kind, size } = fileOf(memory, item.file)
    if (TRUNCATED.has(kind)) return resized(memory, item)
    if (kind === 'dax') return { then: [{ ...item, do: 'dax_setattr' }] }
    return size === item.size ? {} : { facts: [['size', item.file, item.size]] }
  },
  punch_hole: (memory, { file, start, end }, { profile }) => {
    const { kind } = fileOf(memory, file)
    if (kind === 'dax') return { then: [{ do: 'dax_punch_hole', file, start, end }] }
    if (!TRUNCATED.has(kind)) return {}
    return { then: kind === 'ext4' ? ext4PunchHole(memory, { file, start, end }, profile) : truncatePagecacheRange({ file, start, end }) }
  },

  // One section for each area that maps some of the range, on its part of it.
  unmap_mapping_range: (memory, { file, start, end, evenCows }, { profile }) => ({
    then: filePlaces(memory, file, start, end - start).flatMap(place => [
      ...zapDrain(profile),
      ...section({ ...place, event: 'CLEAR' }, [
        { do: 'unmap_page_range', mm: place.mm, at: place.start, end: place.end, keepsCows: !evenCows },
      ]),
    ]),
  }),

  // A page that was faulted in again meanwhile is unmapped by itself first: `unmap_mapping_folio()`.
  truncate_inode_pages_range: (memory, item) => {
    const { file, start, end } = item
    const mapped = nextCached(memory, item, frame => memory.frames.maps.get(frame) > 0)
    if (mapped < end) return { then: [{ do: 'unmap_mapping_range', file, start: mapped, end: mapped + 1, evenCows: false }, item] }
    const held = nextCached(memory, item, () => true) < end
    const facts = [
      ...(held ? drained(memory) : []),
      ...uncachedPages(memory, file, start, end),
      ...daxEntriesGone(memory, file, start, end, 'all'),
    ]
    return facts.length === 0 ? {} : { facts }
  },

  filemap_write_range: (memory, item) => writeNext(memory, item),
  page_mkclean: (memory, item) => cleaned(memory, item),
  folio_clear_dirty: (memory, { folio }) => ({ facts: flagged(memory.frames, folio, 0, FOLIO_DIRTY) }),
} satisfies Partial<Rules>
