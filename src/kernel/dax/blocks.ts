/**
 * Blocks of files on persistent memory (fs/ext4/inode.c, mballoc.c). What has to stay together does: each aligned 2 MiB
 * of a file gets a run of frames that is aligned too, page by page or at once, as ext4 preallocates. What is freed is not
 * given out again before the journal has committed, which no program lives to see.
 */
import { pfn, PMD_PAGES, type Pfn } from '../../memory/address.ts'
import { DEVDAX_FIRST, PMEM_FIRST, RAW_PMEM_FIRST } from '../../memory/dax.ts'
import type { Fact } from '../../memory/facts.ts'
import { stateWord } from '../../memory/frames.ts'
import { fileOf, type File, type FileName, type Frames, type Memory } from '../../memory/memory.ts'
import { overRuns } from '../pages/folio.ts'

/** Blocks that follow one another in the file and in memory, or, with frame 0, a hole. */
export interface Extent {
  readonly frame: Pfn
  readonly count: number
}

/** `ext4_map_blocks()`: what is there from an index on, `limit` pages at most. */
export function mapBlocks(memory: Memory, file: FileName, index: number, limit: number): Extent {
  const { blocks } = fileOf(memory, file)
  const frame = pfn(blocks.get(index))
  if (frame === 0) return { frame, count: blocks.next(index, index + limit) - index }
  let count = 1
  while (count < limit && blocks.get(index + count) === frame + count) count++
  return { frame, count }
}

/** The start of the aligned 2 MiB of a file that an index lies in. */
export const blockStart = (index: number): number => index - (index % PMD_PAGES)

/** Frames that no file has, or had. */
const areUnused = ({ refs, state }: Frames, first: number, count: number): boolean =>
  refs.next(first, first + count) === first + count && state.next(first, first + count) === first + count

/** An aligned run of the device that nobody has any of yet. */
function unusedRun(frames: Frames, { pfnMap }: File, taken: ReadonlySet<number>): number {
  const [from, end] = pfnMap === false ? [RAW_PMEM_FIRST, DEVDAX_FIRST] : [PMEM_FIRST, RAW_PMEM_FIRST]
  for (let first: number = from; first < end; first += PMD_PAGES) if (!taken.has(first) && areUnused(frames, first, PMD_PAGES)) return first
  throw new RangeError('the file system on persistent memory is full')
}

/** Where pages of one aligned 2 MiB go: beside what the file has there already, or into a run of their own. */
function placeFor(memory: Memory, file: FileName, index: number, count: number, taken: ReadonlySet<number>): number {
  const on = fileOf(memory, file)
  const { blocks } = on
  const start = blockStart(index)
  const neighbour = blocks.next(start, start + PMD_PAGES)
  const run = neighbour < start + PMD_PAGES ? blocks.get(neighbour) - (neighbour - start) : 0
  const beside = run + (index - start)
  return run % PMD_PAGES === 0 && run !== 0 && areUnused(memory.frames, beside, count)
    ? beside
    : unusedRun(memory.frames, on, taken) + (index - start)
}

/** Blocks for a hole; they are zeroed. */
export function allocBlocks(memory: Memory, file: FileName, index: number, count: number): readonly Fact[] {
  const facts: Fact[] = []
  const taken = new Set<number>()
  for (let at = index; at < index + count;) {
    const n = Math.min(index + count, blockStart(at) + PMD_PAGES) - at
    const frame = pfn(placeFor(memory, file, at, n, taken))
    taken.add(frame - (frame % PMD_PAGES))
    facts.push(['blocks', file, at, n, frame], ['state', frame, n, stateWord('fsdax')], ['refs', frame, n, 1])
    at += n
  }
  return facts
}

/** `ext4_ext_remove_space()`: the blocks of [start, end) are holes. */
export function freeBlocks(memory: Memory, file: FileName, start: number, end: number): readonly Fact[] {
  const { blocks } = fileOf(memory, file)
  const frames: Pfn[] = []
  for (let i = blocks.next(start, end); i < end; i = blocks.next(i + 1, end)) frames.push(pfn(blocks.get(i)))
  if (frames.length === 0) return []
  const first = blocks.next(start, end)
  const last = Math.max(...[...blocks.runs(first, end)].map(([index, count]) => index + count))
  return [
    ['blocks', file, first, last - first, pfn(0)],
    ...overRuns(frames, (frame, count) => [
      ['refs', frame, count, -1],
      ['state', frame, count, stateWord('fsdax')],
    ]),
  ]
}
