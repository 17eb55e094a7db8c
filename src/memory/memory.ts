/**
 * Memory: address spaces, page frames, files and swap, as one immutable value. It knows no actor; kernel rules read
 * it, and what they decide comes back as facts (facts.ts).
 */
import { PMD_PAGES, pfn, slot, type Pfn, type Slot } from './address.ts'
import { HUGE_ZERO_STATE, ZERO_STATE } from './frames.ts'
import { Table } from './table.ts'
import type { Vma } from './vma.ts'

export type MmName = string
export type FileName = string

/** An address space: its areas in ascending order, and its four levels of page tables, each as one sparse array. */
export interface Mm {
  readonly vmas: readonly Vma[]
  /** Entries (entry.ts) by `indexAt(level, page)`. Above the PTEs an entry is `table`, a huge page, or none. */
  readonly pgd: Table
  readonly pud: Table
  readonly pmd: Table
  readonly pte: Table
  /**
   * What the CPU still knows of entries of 2 MiB and 1 GiB of DAX memory that it has used, page by page, as small entries: it
   * looks here first. Whoever takes something from an entry flushes it; a kernel that forgets to lets it see what is gone.
   */
  readonly tlb: Table
  /** Files that the process has open and that do something when the last one who has them closes them. */
  readonly open: readonly FileName[]
}

/** `struct page`, a column a field; a frame without references is free. */
export interface Frames {
  readonly refs: Table
  /** How many PTEs map it; the zero page is not counted. */
  readonly maps: Table
  /** How many PMD entries map the large folio of which this is the head. */
  readonly hugeMaps: Table
  /** What it is used for (frames.ts). */
  readonly state: Table
  /** One number stands for what the page contains. */
  readonly content: Table
  /** `folio->mapping` of anonymous memory: the `anon_vma` whose areas may map it, and its index in them. */
  readonly anonVma: Table
  readonly index: Table
  /** What the lists of reclaim know of a folio: `REFERENCED`, `ACTIVE` (lru-batch.ts). */
  readonly lru: Table
  /** 1 where a page of anonymous memory is new, and on no list of reclaim yet. */
  readonly fresh: Table
  /** 1 where the folio is locked. */
  readonly locked: Table
  /** The lowest free frame: the one that is given out next. */
  readonly free: Pfn
  /** Below it, no aligned 2 MiB are free in one piece. */
  readonly freeBlock: Pfn
}

/**
 * Batches of the CPU: folios wait in them to be moved between the lists of reclaim, each with a reference, until a batch is full
 * or somebody drains them all. `mlock_new` and `mlock` share one.
 */
export type BatchKind = 'lru_lazyfree' | 'lru_activate' | 'lru_deactivate' | 'mlock' | 'mlock_new'
/** That of new pages, `lru_add`, has no entries: `frames.fresh` says what is in it, and its references are not counted. */
export type BatchName = Exclude<BatchKind, 'mlock_new'> | 'lru_add'
export type Batched = readonly [kind: BatchKind, folio: Pfn]
export const batchOf = (kind: BatchKind): BatchName => (kind === 'mlock_new' ? 'mlock' : kind)

/** The swap device. */
export interface Swap {
  /** Entries that lead to a slot. */
  readonly refs: Table
  readonly content: Table
  /** The frame that holds the same as a slot: the swap cache, which has a reference to it. */
  readonly cache: Table
  readonly free: Slot
}

/**
 * What can be mapped: shared anonymous memory, files of three kinds, 2 MiB pages of the pool, device memory that is a file,
 * the HMM test driver, and a driver that maps what it is asked for.
 */
export type FileKind = 'shmem' | 'memfd' | 'ext4' | 'dax' | 'hugetlb' | 'devdax' | 'test_hmm' | 'probe'

/** `inode->i_rwsem`, and `mapping->invalidate_lock`. */
export const FILE_LOCKS = ['i_rwsem', 'invalidate_lock'] as const
export type FileLock = (typeof FILE_LOCKS)[number]

/** A file and its page cache. */
export interface File {
  readonly kind: FileKind
  /** Size in bytes; a fault behind its last page is SIGBUS. */
  readonly size: number
  /** Of the test driver: the process that opened the device, and the device. */
  readonly mirror: { readonly mm: MmName; readonly device: string } | null
  /** By index: a present entry with the cached frame, a swap entry, or none. */
  readonly cache: Table
  /** Of a file on DAX: its blocks, frames by index; 0 is a hole. */
  readonly blocks: Table
  /** Of a file on DAX: what its mapping keeps of each index (dax.ts). */
  readonly dax: Table
  /** Calls that are at work with it, of threads that are not alone in their process (files/fdget.ts); absent while there are none. */
  readonly calls?: number
  /** How many share a lock of the file; -1 if one has it alone; absent while nobody has it. */
  readonly i_rwsem?: number
  readonly invalidate_lock?: number
  /** Of the test driver: nobody has it any more, and it is about to be gone. */
  readonly released?: true
  /** Of a file on DAX: its device has no page map, and so no `struct page`s (PFN_DEV without PFN_MAP). */
  readonly pfnMap?: false
}

export const PAGE_SIZE = 4096
export const pagesIn = ({ size }: Pick<File, 'size'>): number => Math.ceil(size / PAGE_SIZE)

/** The pool of 2 MiB pages (mm/hugetlb.c), which is set aside for mappings that ask for them. */
export interface Pool {
  /** Pages that nobody has, and how many of them are promised to mappings that have not touched them yet. */
  readonly free: number
  readonly reserved: number
  /** By file, and index in 2 MiB: 1 where a page is promised still (`struct resv_map`). */
  readonly promised: Readonly<Record<FileName, Table>>
}
export const POOL_PAGES = 64

/** Memory of a device that is given out a page at a time; the CPU cannot use it, or can. */
export interface DeviceMemory {
  readonly kind: 'devpriv' | 'devcoh'
  readonly first: Pfn
  /** How many of its frames were ever given out: from the last one down, as the driver's first list has them. */
  readonly given: number
  /** Given back since; the last one is given out next. */
  readonly freed: readonly Pfn[]
  /** By frame: the number of the mirror that migrated the page there, counted from 1. */
  readonly mirrors: Table
}
export const DEVICE_PAGES = 65_536
/** Frames of device memory lie behind all others, device by device. */
export const deviceFirst = (device: number): Pfn => pfn(3 * 2 ** 20 + device * DEVICE_PAGES)

export interface Memory {
  readonly mms: Readonly<Record<MmName, Mm>>
  readonly frames: Frames
  readonly swap: Swap
  readonly pool: Pool
  readonly files: Readonly<Record<FileName, File>>
  /** Device memory, by device; there once the device was first opened. */
  readonly devices: Readonly<Record<string, DeviceMemory>>
  /** What waits in the batches of the CPU, the oldest first. */
  readonly batches: readonly Batched[]
  /** References to page maps of DAX memory (`struct dev_pagemap`), by name: of calls that take pages of it just now. */
  readonly pagemaps: Readonly<Record<string, number>>
  /** Page maps that are dying, or gone; absent while there are none. */
  readonly killed?: readonly string[]
}

export const emptyMm: Mm = { vmas: [], pgd: Table.empty, pud: Table.empty, pmd: Table.empty, pte: Table.empty, tlb: Table.empty, open: [] }

/** Mapped by reads of private memory that was never written; never given out and never freed. */
export const ZERO_PFN = pfn(1)
/** The same for 2 MiB at once. */
export const HUGE_ZERO_PFN = pfn(PMD_PAGES)
const FIRST_FREE = pfn(2)

/** Memory of a machine that has just booted, with address spaces of these names. */
export const bootMemory = (mms: readonly MmName[]): Memory => ({
  mms: Object.fromEntries(mms.map(name => [name, emptyMm])),
  frames: {
    refs: Table.empty.set(ZERO_PFN, 1).setRange(HUGE_ZERO_PFN, PMD_PAGES, 1, 0),
    maps: Table.empty,
    hugeMaps: Table.empty,
    state: Table.empty.set(ZERO_PFN, ZERO_STATE).setRange(HUGE_ZERO_PFN, PMD_PAGES, ZERO_STATE, 0).set(HUGE_ZERO_PFN, HUGE_ZERO_STATE),
    content: Table.empty,
    anonVma: Table.empty,
    index: Table.empty,
    lru: Table.empty,
    fresh: Table.empty,
    locked: Table.empty,
    free: FIRST_FREE,
    freeBlock: pfn(2 * PMD_PAGES),
  },
  swap: { refs: Table.empty, content: Table.empty, cache: Table.empty, free: slot(1) },
  pool: { free: POOL_PAGES, reserved: 0, promised: {} },
  files: {},
  devices: {},
  batches: [],
  pagemaps: {},
})

/** An address space that rules and machines speak of exists: if not, that is a defect of whoever named it. */
export function mmOf(memory: Memory, name: MmName): Mm {
  const mm = memory.mms[name]
  if (mm === undefined) throw new Error(`no address space '${name}'`)
  return mm
}

export function fileOf(memory: Memory, name: FileName): File {
  const file = memory.files[name]
  if (file === undefined) throw new Error(`no file '${name}'`)
  return file
}
