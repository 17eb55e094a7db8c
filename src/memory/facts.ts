/**
 * Facts: what a step changed in memory, as plain tuples that a log keeps. `fold` (fold.ts) applies them.
 *
 * Runs: where a fact has a count, it speaks of that many consecutive pages or frames; `step` is what is added to the
 * target from one entry to the next (1 for consecutive frames, 0 for one frame mapped everywhere).
 */
import { indexAt, type Level, type Page, type Pfn, type Slot } from './address.ts'
import { frameOf, NONE, TABLE, wordOf, type Entry } from './entry.ts'
import {
  emptyMm,
  type BatchKind,
  type BatchName,
  type DeviceMemory,
  type File,
  type FileLock,
  type FileName,
  type Memory,
  type MmName,
} from './memory.ts'
import type { Vma } from './vma.ts'

export type Fact =
  /** The areas from the `at`-th on: `drop` of them are gone, these are there. */
  | readonly ['vmas', mm: MmName, at: number, drop: number, put: readonly Vma[]]
  /** Frames are locked or no longer (`PG_locked`): who wants to know them waits. */
  | readonly ['lock', frame: Pfn, locked: boolean]
  /** Memory of a device is there, all of it free. */
  | readonly ['device', device: string, kind: DeviceMemory['kind'], first: Pfn]
  /** A frame of it is taken, for a mirror. */
  | readonly ['device-alloc', device: string, frame: Pfn, mirror: number]
  /** 512 frames of it are taken as one folio, for a mirror. */
  | readonly ['device-folio', device: string, head: Pfn, mirror: number]
  /** What a process has open. */
  | readonly ['open', mm: MmName, files: readonly FileName[]]
  /** An address space is made, empty, or is gone. */
  | readonly ['mm', mm: MmName, there: boolean]
  /** Entries of a level of an address space's tables, from `index` on. */
  | readonly [Level, mm: MmName, index: number, count: number, word: string, target: number, step: number]
  /** An entry of an upper level is gone, and nothing was flushed: the kernel took it for damage (`pmd_clear_bad()`). */
  | readonly ['clear_bad', mm: MmName, level: 'pud' | 'pmd', index: number]
  /** What the CPU has learnt of entries that it used; `none`: it is flushed. */
  | readonly ['tlb', mm: MmName, page: Page, count: number, word: string, frame: Pfn, step: number]
  /** A frame is taken, with its state, references, map count and content, and its place in reverse mappings. */
  | readonly ['alloc', frame: Pfn, state: string, refs: number, maps: number, content: number, anonVma: number, index: number]
  /** 512 frames are taken as one folio. */
  | readonly ['folio', head: Pfn, state: string, refs: number]
  | readonly ['refs' | 'maps' | 'hugeMaps', frame: Pfn, count: number, change: number]
  | readonly ['state', frame: Pfn, count: number, state: string]
  /** What frames contain, or where they belong: `step` is added from one to the next. */
  | readonly ['content' | 'anonVma' | 'index', frame: Pfn, count: number, value: number, step: number]
  /** A large folio falls apart: its frames have these references each. */
  | readonly ['split', head: Pfn, refs: number]
  /** A swap slot is taken, with one reference. */
  | readonly ['swap', slot: Slot, content: number]
  | readonly ['swap-refs', slot: Slot, change: number]
  /** The frame that the swap cache has for a slot; 0 for none. */
  | readonly ['swap-cache', slot: Slot, frame: Pfn]
  /** Of the pool of 2 MiB pages, so many more or fewer are promised. */
  | readonly ['reserved', change: number]
  /** Pages of a file are promised, or not. */
  | readonly ['promised', name: FileName, index: number, count: number, promised: 0 | 1]
  /** A file is made, or, with null, gone. */
  | readonly ['file', name: FileName, file: Omit<File, 'cache' | 'blocks' | 'dax' | 'calls' | 'released' | FileLock> | null]
  /** A call is at work with a file, or no longer. */
  | readonly ['fget', name: FileName, change: number]
  /** Nobody has a file of the test driver any more, and somebody ends what it does. */
  | readonly ['release', name: FileName]
  /** Holders of a lock of a file that share it, or one that has it alone (-1), come or go. */
  | readonly ['file-lock', name: FileName, lock: FileLock, change: number]
  /** A file's size, in bytes. */
  | readonly ['size', name: FileName, bytes: number]
  /** An entry of a file's page cache. */
  | readonly ['cache', name: FileName, index: number, word: string, target: number]
  /** Blocks of a file on DAX, in consecutive frames; frame 0: holes. */
  | readonly ['blocks', name: FileName, index: number, count: number, frame: Pfn]
  /** Entries of the mapping of a file on DAX (dax.ts). */
  | readonly ['dax', name: FileName, index: number, count: number, word: string]
  /** What the lists of reclaim know of frames. */
  | readonly ['lru', frame: Pfn, count: number, flags: number]
  /** A folio is put into a batch, which has a reference to it. */
  | readonly ['batch', kind: BatchKind, folio: Pfn]
  /** A batch, or all of them, are emptied: what waited is moved, and the references go. */
  | readonly ['drain', batch: BatchName | 'all']
  /** References to the page map of a DAX device. */
  | readonly ['pagemap', name: string, change: number]
  /** Nobody gets a reference to it any more: `percpu_ref_kill()`. */
  | readonly ['pagemap-kill', name: string]

/** Entries of a run: those of consecutive frames from that of `entry` on, unless `step` is 0. */
export const entries = (level: Level, mm: MmName, index: number, count: number, entry: Entry, step = 0): Fact => [
  level,
  mm,
  index,
  count,
  wordOf(entry),
  frameOf(entry),
  step,
]
export const pte = (mm: MmName, page: Page, entry: Entry): Fact => entries('pte', mm, page, 1, entry)
export const cached = (name: FileName, index: number, entry: Entry): Fact => ['cache', name, index, wordOf(entry), frameOf(entry)]

/** The facts that make the tables above a page of a level exist: `pgd_alloc` … `pte_alloc`. */
export function tablesTo(memory: Memory, mm: MmName, page: Page, level: 'pud' | 'pmd' | 'pte'): readonly Fact[] {
  const tables = memory.mms[mm] ?? emptyMm
  const above: readonly Exclude<Level, 'pte'>[] = level === 'pte' ? ['pgd', 'pud', 'pmd'] : level === 'pmd' ? ['pgd', 'pud'] : ['pgd']
  return above.flatMap(l => (tables[l].get(indexAt(l, page)) === NONE ? [entries(l, mm, indexAt(l, page), 1, TABLE)] : []))
}
