/**
 * System calls on files on DAX (fs/ext4, fs/dax.c): they work on the blocks themselves. Where blocks come or go, mappings
 * lose what they had for them.
 */
import { pfn, type Pfn } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { fileOf, PAGE_SIZE, pagesIn, type FileName, type Frames, type Memory } from '../../memory/memory.ts'
import { INDEX_LIMIT } from '../../memory/table.ts'
import type { Agenda, FilePages, FileWrite, Outcome, Rules } from '../agenda.ts'
import { allocBlocks, freeBlocks, mapBlocks } from './blocks.ts'
import { daxEntriesGone, isUnused } from './dax-mapping.ts'
import { fileLocked, waitForFile } from '../files/file-lock.ts'
import { contents } from '../pages/folio.ts'
import { FOLIO_LOCK } from '../names.ts'
import { call } from '../offer.ts'
import type { Profile } from '../profiles.ts'
import { FILE_END, truncatePagecache, truncatePagecacheRange } from '../files/truncate.ts'

/**
 * `ext4_break_layouts()`: whatever is to become of the file's blocks, all its mappings lose them, in older kernels private
 * ones their copies too, and then whoever has taken one is waited for; the oldest do not ask. Newer kernels forget then what the mapping keeps of each index.
 */
function breakLayouts(file: FileName, profile: Profile): Agenda {
  if (!profile.breaksLayouts) return []
  return [...unmapped(file, profile), ...(profile.breakingLayoutsForgets ? [{ do: 'dax_delete_mapping_range', file } as const] : [])]
}
/** Nobody maps blocks of the file, and then nobody has one. */
const unmapped = (file: FileName, { layoutsTakeCows }: Profile): Agenda => [
  { do: 'unmap_mapping_range', file, start: 0, end: FILE_END, evenCows: layoutsTakeCows },
  { do: 'dax_layout_busy_page', file },
]

/** Nobody faults anything of the file in meanwhile (`invalidate_lock`). */
const alone = (file: FileName, body: Agenda, { daxFaultsLock }: Profile): Agenda =>
  daxFaultsLock ? fileLocked(file, 'invalidate_lock', false, body) : body

/** Somebody has a block who does not map it. */
const isBusy = (frames: Frames, block: Pfn): boolean => frames.refs.get(block) > 1 + frames.maps.get(block) + frames.hugeMaps.get(block)

/** `dax_layout_busy_page()`: a block of the file that somebody has who does not map it. */
function busyBlock(memory: Memory, file: FileName): Pfn | undefined {
  const { blocks } = fileOf(memory, file)
  for (const i of blocks.indices()) {
    const block = pfn(blocks.get(i))
    if (isBusy(memory.frames, block)) return block
  }
  return undefined
}

/** `ext4_punch_hole()`: older kernels write back first, and look at the range before they break layouts. */
function punched(memory: Memory, { file, start, end }: FilePages, profile: Profile): Outcome {
  const before = fileOf(memory, file)
  const written: Agenda = profile.daxPunchWritesBack ? [{ do: 'dax_writeback_range', file, start, end }] : []
  const behind = profile.punchPassesEnd ? Math.floor(before.size / PAGE_SIZE) + 1 : pagesIn(before)
  if (start * PAGE_SIZE >= before.size)
    return { then: profile.punchAlwaysBreaksLayouts ? alone(file, breakLayouts(file, profile), profile) : written }
  const pages = { file, start, end: Math.min(end, behind) }
  const body: Agenda = [...breakLayouts(file, profile), ...truncatePagecacheRange(pages), { do: 'ext4_remove_space', ...pages }]
  return { then: [...written, ...alone(file, body, profile)] }
}

/** Holes of [start, end) get blocks. */
function allocated(memory: Memory, { file, start, end }: FilePages): readonly Fact[] {
  const facts: Fact[] = []
  for (let i = start; i < end;) {
    const { frame, count } = mapBlocks(memory, file, i, end - i)
    if (frame === 0) facts.push(...allocBlocks(memory, file, i, count))
    i += count
  }
  return facts
}

/** `dax_iomap_rw()`: as far as there are blocks they are written; a hole gets a block first, page by page if that is noticed. */
function write(memory: Memory, item: FileWrite, budget: number): Outcome {
  const { file, start, end, value, bytes } = item
  if (start >= end) return {}
  const { blocks, dax, size } = fileOf(memory, file)
  if (blocks.get(start) === 0) {
    const hole = Math.min(blocks.next(start, end), isUnused(dax) ? end : start + 1)
    return {
      facts: allocBlocks(memory, file, start, hole - start),
      then: [
        { do: 'invalidate_inode_pages2_range', file, start, end: hole },
        { do: 'dax_iomap_rw', ...item },
      ],
    }
  }
  const until = Math.min(blocks.gap(start), end, start + budget)
  const grown = (until - 1) * PAGE_SIZE + bytes
  const written = Array.from({ length: until - start }, (_, i) => [blocks.get(start + i), value + i] as const)
  const facts: readonly Fact[] = [...contents(memory.frames, written), ...(grown > size ? ([['size', file, grown]] as const) : [])]
  const then: Agenda = [{ do: 'dax_iomap_rw', ...item, start: until, value: value + (until - start) }]
  return facts.length === 0 ? { then } : { facts, then, cut: until === start + budget && until < end }
}

export const daxIoRules = {
  // `ext4_setattr()` to a size, any size.
  dax_setattr: (_, { file, size }, { profile }) => ({
    then: alone(file, [...breakLayouts(file, profile), { do: 'dax_setsize', file, size }], profile),
  }),
  dax_setsize: (memory, { file, size }) => {
    const before = fileOf(memory, file).size
    const start = pagesIn({ size })
    const then: Agenda = [
      ...truncatePagecache(file, start),
      ...(size <= before ? ([{ do: 'ext4_remove_space', file, start, end: FILE_END }] as const) : []),
    ]
    return size === before ? { then } : { facts: [['size', file, size]], then }
  },
  // Kernels that break layouts have the lock, and let go of it to wait.
  dax_layout_busy_page: (memory, { file }) => {
    const folio = busyBlock(memory, file)
    if (folio === undefined) return {}
    return { facts: [['file-lock', file, 'invalidate_lock', 1]], then: [{ do: 'ext4_wait_dax_page', file, folio }] }
  },
  // Others may have faulted meanwhile: when it has the lock again, all mappings lose the file's blocks once more.
  ext4_wait_dax_page: (memory, { file, folio }, { profile }) => {
    if (isBusy(memory.frames, folio)) return { calls: [call(FOLIO_LOCK, 'put_page', { folio })] }
    if (fileOf(memory, file).invalidate_lock !== undefined) return { calls: waitForFile(file, 'invalidate_lock') }
    return { along: [['file-lock', file, 'invalidate_lock', -1]], then: unmapped(file, profile) }
  },
  ext4_remove_space: (memory, { file, start, end }) => {
    const facts = freeBlocks(memory, file, start, end)
    return facts.length === 0 ? {} : { facts }
  },
  dax_delete_mapping_range: (memory, { file }) => {
    const facts = daxEntriesGone(memory, file, 0, INDEX_LIMIT, 'all')
    return facts.length === 0 ? {} : { facts }
  },
  dax_punch_hole: (memory, item, { profile }) => punched(memory, item, profile),
  dax_allocate: (memory, item) => {
    const facts = allocated(memory, item)
    return facts.length === 0 ? {} : { facts }
  },
  dax_iomap_rw: (memory, { do: _, ...item }, { budget }) => write(memory, item, budget),

  // Pages that had no block were perhaps read as holes: nobody may go on to see them so. Dirty entries stay all the same.
  invalidate_inode_pages2_range: (memory, { file, start, end }) => {
    if (isUnused(fileOf(memory, file).dax)) return {}
    const facts = daxEntriesGone(memory, file, start, end, 'clean')
    const then: Agenda = [{ do: 'unmap_mapping_range', file, start, end, evenCows: false }]
    return facts.length === 0 ? { then } : { facts, then }
  },
} satisfies Partial<Rules>
